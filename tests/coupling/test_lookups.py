"""Counterparts for one record: the best first, none that cannot be coupled, in a moment."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from coupling import lookups, services
from crmsync.ledger.models import Customer
from crmsync.mapping.types import Condition
from crmsync.sync import services as sync
from crmsync.sync.models import CrmRecord
from crmsync.terms import CouplingOrigin, FirstWinner, Side

pytestmark = pytest.mark.django_db


def account(name: str, **values: Any) -> UUID:
    scope = {"statecode": 0, "customertypecode": 3, "name": name}
    record = CrmRecord.objects.create(
        table="account", crm_id=uuid4(), etag="1", title=name, values={**scope, **values}
    )
    return record.crm_id


def customer(**values: str) -> Customer:
    return Customer.objects.create(**{"number": "10000", "name": "Adatum Corporation", **values})


def suggested(record: Customer) -> list[UUID]:
    found = services.suggestions_for(mapping="CUSTOMER", ledger_id=record.pk)
    return [one.crm_id for one in found]


def test_the_row_with_most_in_common_comes_first_with_its_reasons() -> None:
    by_name = account("Adatum")
    by_all = account("ADATUM CORPORATION", accountnumber="10000", emailaddress1="A@b.example")
    by_number = account("Fabrikam", accountnumber="10000")

    found = services.suggestions_for(mapping="CUSTOMER", ledger_id=customer(email="a@b.example").pk)

    assert [one.crm_id for one in found] == [by_all, by_number, by_name]
    assert [one.reasons for one in found] == [
        {"same": ["email", "name", "number"]},
        {"same": ["number"]},
        {"similar": "name"},
    ]


def test_three_are_enough_and_strangers_are_none() -> None:
    for ending in ("One", "Two", "Three", "Four"):
        account(f"Adatum Corporation {ending}")
    account("Fabrikam")

    assert len(suggested(customer())) == 3
    assert suggested(Customer.objects.create(number="20000", name="Wingtip")) == []
    assert services.suggestions_for(mapping="CUSTOMER", ledger_id=uuid4()) == []


def test_the_neighbourhood_is_not_suggested() -> None:
    account("Adatum Bakery", address1_postalcode="5000")

    assert suggested(customer(name="Fabrikam Bakery", post_code="5000")) == []


def test_rows_that_cannot_be_coupled_are_not_suggested() -> None:
    record = customer()
    coupled, left_out = account("Adatum Corporation"), account("Adatum Corporation")
    dismissed = account("Adatum Corporation")
    account("Adatum Corporation", customertypecode=10)
    free = account("Adatum Corporation")
    couple(Customer.objects.create(number="20000", name="Other"), coupled)
    sync.leave_out(
        mapping="CUSTOMER", side=Side.CRM, record_ids=[left_out], reason="A test.", by="Ann"
    )
    sync.say_not_the_same(mapping="CUSTOMER", ledger_id=record.pk, crm_ids=[dismissed], by="Ann")

    assert suggested(record) == [free]


def couple(record: Customer, crm_id: UUID) -> None:
    sync.couple(
        mapping="CUSTOMER",
        ledger_id=record.pk,
        crm_id=crm_id,
        first_winner=FirstWinner.LEDGER,
        origin=CouplingOrigin.PERSON,
        by="test",
    )


def test_in_a_large_table_the_keys_of_the_last_run_lead_to_the_row(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setattr(lookups, "SEARCHED_ROWS", 1)
    record = customer(email="a@b.example")
    wanted = account("Fabrikam", emailaddress1="A@B.example")
    account("Wingtip")
    assert suggested(record) == []

    matching = services.request_matching(mapping="CUSTOMER", by="test", reads_sales=False)
    services.run_matching(matching_id=matching.pk, worker="test")

    assert suggested(record) == [wanted]


def found(typed: str) -> list[str]:
    return [one.title for one in services.find_rows(mapping="CUSTOMER", typed=typed)]


@pytest.mark.parametrize(
    "typed", ["smørrebrød", "SMØRREBRØD", "Smørrebrød", "ærøskøbing s", "60060", " rebr "]
)
def test_a_row_is_found_by_any_part_of_its_title_or_number(typed: str) -> None:
    account("Ærøskøbing Smørrebrød ApS", accountnumber="60060")
    account("Fabrikam", accountnumber="10000")

    assert found(typed) == ["Ærøskøbing Smørrebrød ApS"]


@pytest.mark.parametrize("typed", ["", "  ", "%", "_", "nobody"])
def test_what_fits_nothing_finds_nothing(typed: str) -> None:
    account("Fabrikam", accountnumber="10000")

    assert found(typed) == []


def test_titles_are_listed_in_order_and_no_more_than_asked_for() -> None:
    for name in ("Adatum C", "Adatum A", "Adatum B"):
        account(name)

    rows = services.find_rows(mapping="CUSTOMER", typed="adatum", limit=2)

    assert [one.title for one in rows] == ["Adatum A", "Adatum B"]


@pytest.mark.parametrize("typed", ["zulu", "ZULU", "60060"])
def test_that_very_name_or_number_comes_first_among_many_that_hold_it(typed: str) -> None:
    for place in range(5):
        account(f"A Zulu 60060 {place}", accountnumber=f"1600600{place}")
    account("Zulu", accountnumber="60060")

    rows = services.find_rows(mapping="CUSTOMER", typed=typed, limit=3)

    assert [one.title for one in rows] == ["Zulu", "A Zulu 60060 0", "A Zulu 60060 1"]


def test_a_found_row_says_with_whom_it_is_coupled_and_why_it_cannot_be() -> None:
    taken, supplier = account("Adatum 1"), account("Adatum 2", customertypecode=10)
    left_out, free = account("Adatum 3"), account("Adatum 4")
    record = customer()
    couple(record, taken)
    sync.leave_out(
        mapping="CUSTOMER", side=Side.CRM, record_ids=[left_out], reason="A test.", by="Ann"
    )

    rows = {one.crm_id: one for one in services.find_rows(mapping="CUSTOMER", typed="adatum")}

    assert (rows[taken].coupled_id, rows[taken].coupled_number) == (record.pk, "10000")
    assert rows[supplier].out_of_scope == (Condition("customertypecode", value=3),)
    assert rows[left_out].is_left_out
    assert [one for one, row in rows.items() if row.can_be_coupled] == [free]
