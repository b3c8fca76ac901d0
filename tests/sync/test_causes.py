"""Every cause has words for people, in their language, whoever met it."""

import ast
import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.utils import translation

from crmsync.dataverse.errors import RecordError
from crmsync.ledger.models import Customer
from crmsync.mapping.captions import caption_of
from crmsync.mapping.conversions import Number
from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.sync.errors import cause, codes, explain
from crmsync.sync.models import CrmRecord, Obstacle
from tests.sandboxes import ROOT, Sandbox
from tests.sync.pairs import pair
from tests.sync.runs import run

RAISING = {"ConversionError": 0, "FieldProblem": 0, "Problem": 1}


def literal_codes(path: Path) -> Iterator[str]:
    """Codes that stand in the source as text, where a problem is made."""
    for node in ast.walk(ast.parse(path.read_text())):
        name = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if name in RAISING and isinstance(node, ast.Call):
            for found in ast.walk(node.args[RAISING[name]]):
                if isinstance(found, ast.Constant) and isinstance(found.value, str):
                    yield found.value


def subclasses(kind: type[RecordError]) -> Iterator[type[RecordError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from subclasses(one)


def produced() -> set[str]:
    found = {kind.code for kind in subclasses(RecordError)}
    for package in ("sync", "mapping"):
        for path in (ROOT / "crmsync" / package).rglob("*.py"):
            found.update(literal_codes(path))
    conversions = [one.conversion for mapping in all_mappings() for one in mapping.fields]
    found |= {one.missing for one in conversions if isinstance(one, Number) and one.missing}
    return found | {"likely_twin"}


def test_every_code_the_engine_can_produce_is_registered_and_no_other() -> None:
    assert produced() == codes()


@pytest.mark.parametrize("code", [*sorted(produced()), "never heard of"])
def test_a_cause_has_a_title_a_remedy_and_somebody_who_can_do_it(code: str) -> None:
    found = cause(code)

    assert found.title
    assert found.who in {"accountant", "administrator", "administrator of Sales"}
    assert "manage.py" not in found.remedy
    assert json.loads(json.dumps(found.remedy)).endswith((".", "!"))


def test_a_caption_is_told_in_the_language_of_the_reader() -> None:
    """Nothing is fixed at import."""
    assert caption_of(get_mapping("CUSTOMER"), "email") == "Email"
    with translation.override("da"):
        assert caption_of(get_mapping("CUSTOMER"), "email") == "Mail"


@pytest.mark.parametrize(
    ("mapping", "field", "caption"),
    [
        ("CUSTOMER", "number", "No."),
        ("CUSTOMER", "currency_id", "Currency Code"),
        ("CUSTOMER", "blocked", "Blocked"),
        ("CURRENCY", "exchange_rate", "Exchange Rate"),
        ("CURRENCY", "iso_code", "ISO Code"),
        ("SALESPEOPLE", "phone_no", "Phone No."),
    ],
)
def test_a_field_is_called_as_microsoft_calls_it(mapping: str, field: str, caption: str) -> None:
    assert caption_of(get_mapping(mapping), field) == caption


def test_every_mapped_field_has_a_caption_of_its_own() -> None:
    for mapping in all_mappings():
        captions = [caption_of(mapping, one.ledger) for one in mapping.fields]
        assert len(set(captions)) == len(captions)
        assert not any(caption[0].islower() for caption in captions)


def explained(found: Obstacle) -> str:
    return explain(
        mapping=found.mapping, code=found.code, details=found.details, sentence=found.sentence
    )


def test_our_own_sentences_name_fields_as_people_know_them(settled: Sandbox) -> None:
    long, differs = pair(settled, "10000"), pair(settled, "20000")
    long.edit_here(home_page="https://" + "x" * 212)
    differs.edit_here(city="Odense")
    differs.edit_there(address1_city="Aarhus")
    run("CUSTOMER")

    said = {found.code: explained(found) for found in Obstacle.objects.all()}

    assert said["value_too_long"] == "Home Page has 220 characters; Sales takes at most 200."
    assert said["conflict"] == "Both sides hold different values of City."
    assert said["parent_not_coupled"].startswith("Currency Code: the record in Currencies")
    assert said["exchange_rate_missing"] == "The currency has no exchange rate."
    assert said["likely_twin"].endswith(" is not coupled and has the same Name.")


def test_what_sales_said_stays_as_sales_said_it(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware")
    refusal = {"status": 400, "code": "0x80040265", "message": "A plug-in says no."}
    settled.fault({"path": "CreateMultiple|batch"}, refusal)

    run("CUSTOMER")

    found = Obstacle.objects.get(record_id=customer.pk)
    assert "A plug-in says no." in explained(found) == found.sentence


def test_an_obstacle_of_an_earlier_version_keeps_the_sentence_it_has() -> None:
    said = explain(
        mapping="CUSTOMER",
        code="value_too_long",
        details={"field": "home_page"},
        sentence="home_page: 220 characters; Sales takes at most 200.",
    )

    assert said == "home_page: 220 characters; Sales takes at most 200."


def test_a_row_there_is_searched_by_its_title(settled: Sandbox) -> None:
    titles = CrmRecord.objects.filter(table="account", is_deleted=False)
    assert {str(key): title for key, title in titles.values_list("crm_id", "title")} == {
        row["accountid"]: row["name"] for row in settled.dump("accounts")
    }
    one = pair(settled, "10000")
    one.edit_there(name="Adatum Renamed")

    run("CUSTOMER")

    renamed = CrmRecord.objects.get(table="account", title="Adatum Renamed")
    assert str(renamed.crm_id) == one.crm_id


@pytest.mark.django_db
def test_rows_read_by_an_earlier_version_get_their_title() -> None:
    CrmRecord.objects.bulk_create(
        [
            CrmRecord(table="account", crm_id=f"{n:032x}", values={"name": f"Row {n}" * 60})
            for n in range(1200)
        ]
    )
    CrmRecord.objects.create(table="account", crm_id=f"{2000:032x}", values={"name": None})
    migration = importlib.import_module("crmsync.sync.migrations.0002_people_and_progress")

    migration.fill_titles(apps, None)

    assert CrmRecord.objects.get(crm_id=f"{7:032x}").title == ("Row 7" * 60)[:200]
    assert CrmRecord.objects.filter(title="").count() == 1
