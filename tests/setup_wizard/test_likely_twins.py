"""How many records there are on both sides, and how many look like the same ones."""

import pytest

from crmsync.frame.people import Role
from crmsync.ledger.models import Customer
from crmsync.mapping.registry import get_mapping
from crmsync.sync.models import Coupling, NotTheSame
from setup_wizard import checks
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.guide import Guide, text
from tests.setup_wizard.test_checks import said

CAPTION = "Number of records"


@pytest.fixture
def at_checks(guide: Guide) -> Guide:
    guide.until("checks")
    return guide


def in_scope(sandbox: Sandbox) -> list[dict[str, object]]:
    return [
        row
        for row in sandbox.dump("accounts")
        if row["statecode"] == 0 and row["customertypecode"] == 3
    ]


def alike(sandbox: Sandbox) -> int:
    """Accounts with the number, the name or the e-mail address of a customer; counted anew."""
    here = {
        str(value).casefold()
        for row in Customer.objects.filter(blocked="").values_list("number", "name", "email")
        for value in row
        if value
    }
    columns = ("accountnumber", "name", "emailaddress1")
    return sum(
        any(str(row[column] or "").casefold() in here for column in columns)
        for row in in_scope(sandbox)
    )


def test_a_table_is_told_with_both_sides_and_those_that_look_alike(at_checks: Guide) -> None:
    sandbox = at_checks.sandbox

    found = said(text(at_checks.get("checks")), CAPTION)

    there = len(in_scope(sandbox))
    customers = f"Customers: 60 here, {there} in Sales, {alike(sandbox)} look like the same ones"
    assert customers in found
    assert 0 < alike(sandbox) < there
    assert "couple first what belongs together" in found


def test_what_people_said_is_not_the_same_does_not_count(at_checks: Guide) -> None:
    sandbox = at_checks.sandbox
    (row,) = [row for row in in_scope(sandbox) if row["accountnumber"] == "10000"]
    before = alike(sandbox)
    customer = Customer.objects.get(number="10000")
    NotTheSame.objects.create(
        mapping="CUSTOMER", ledger_id=customer.pk, crm_id=str(row["accountid"])
    )

    found = said(text(at_checks.get("checks")), CAPTION)

    assert f"{before - 1} look like the same ones" in found


def test_of_many_rows_only_the_first_page_is_looked_at_and_that_is_said(
    at_checks: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setup_wizard.checks.twins.LARGEST_PAGE", 20)
    mark = at_checks.sandbox.mark()

    found = said(text(at_checks.get("checks")), CAPTION)

    assert "of the first 20 looked at are the same ones" in found
    pages = [one for one in at_checks.sandbox.journal(mark) if "/accounts?" in one["url"]]
    assert len(pages) == 1


def test_with_records_on_one_side_only_there_is_nothing_to_couple(at_checks: Guide) -> None:
    Customer.objects.all().delete()
    at_checks.post("tables", {"scopes": ["currencies"]})

    found = said(text(at_checks.get("checks")), CAPTION)

    assert "the full synchronization can begin at once" in found
    assert "same ones" not in found


def test_once_coupled_they_are_told_as_coupled(settled: Sandbox) -> None:
    guide = Guide(client_of(Role.ADMINISTRATORS), settled)
    guide.until("checks")

    before = said(text(guide.get("checks")), CAPTION)
    coupled = Coupling.objects.filter(mapping="CUSTOMER", is_intent=False).first()
    assert coupled is not None
    Customer.objects.create(number="80001", name=Customer.objects.get(pk=coupled.ledger_id).name)

    after = said(text(guide.get("checks")), CAPTION)

    assert "coupled already" in before
    # A row that belongs to somebody is nobody's twin.
    assert after.rpartition("coupled already")[2] == before.rpartition("coupled already")[2]


def test_reading_asks_for_the_compared_columns_alone(at_checks: Guide) -> None:
    mark = at_checks.sandbox.mark()

    at_checks.get("checks")

    (asked,) = [one["url"] for one in at_checks.sandbox.journal(mark) if "/accounts?" in one["url"]]
    assert "telephone1" not in asked
    for name in get_mapping("CUSTOMER").match_on:
        assert get_mapping("CUSTOMER").field(name).crm in asked


def test_checks_in_threads_speak_the_readers_language(at_checks: Guide) -> None:
    at_checks.client.cookies["django_language"] = "da"

    page = text(at_checks.get("checks"))

    assert "No other integration with books was found." not in page
    assert "Ingen" in page
    threaded = [check for check in checks.CHECKS if not check.is_ours]
    assert len(threaded) > len(checks.CHECKS) // 2
