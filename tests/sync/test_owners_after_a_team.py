"""Rows that a team owned when owners began to follow salespeople again (see ADR 10)."""

from uuid import UUID

from crmsync.ledger.models import Customer, Salesperson
from crmsync.sync.models import Restoration
from crmsync.sync.pairs import compare_pair
from crmsync.terms import Fate
from fullsync import services as fullsync
from fullsync.queries.side_by_side import side_by_side
from tests.fullsync.runs import drive
from tests.sandboxes import Sandbox
from tests.sync.runs import run
from tests.sync.test_ownership import by_team, follow, owner_of, owners, synchronized, user_of


def by_salesperson() -> None:
    owners(ownership="salesperson", owner_id=None)


def test_after_the_team_an_unrelated_edit_moves_no_owner(settled: Sandbox) -> None:
    team_id = by_team(settled)
    found = synchronized(settled, "80001", "JO")
    by_salesperson()

    found.edit_here(phone_no="12345678")
    run("CUSTOMER")
    found.edit_there(telephone1="87654321")
    run("CUSTOMER")

    assert (owner_of(found), found.customer.phone_no) == (team_id, "87654321")
    assert not Restoration.objects.filter(record_id=found.customer.pk).exists()


def test_after_the_team_the_owner_follows_a_new_salesperson(settled: Sandbox) -> None:
    by_team(settled)
    found = synchronized(settled, "80001", "JO")
    by_salesperson()
    run("CUSTOMER")

    follow(found, "EH")

    assert owner_of(found) == user_of("EH")
    follow(found, "JO")
    assert owner_of(found) == user_of("JO")


def test_after_the_team_a_salesperson_who_comes_back_is_a_new_one(settled: Sandbox) -> None:
    by_team(settled)
    found = synchronized(settled, "80001", "JO")
    by_salesperson()

    follow(found, None)
    follow(found, "JO")

    assert owner_of(found) == user_of("JO")


def test_a_salesperson_who_was_changed_while_the_team_owned_is_not_followed(
    settled: Sandbox,
) -> None:
    team_id = by_team(settled)
    found = synchronized(settled, "80001", "JO")
    follow(found, "EH")
    by_salesperson()

    found.edit_here(phone_no="12345678")
    run("CUSTOMER")

    assert owner_of(found) == team_id


def test_an_owner_given_in_sales_while_the_team_owned_stays(settled: Sandbox) -> None:
    found = synchronized(settled, "80001", "JO")
    by_team(settled)
    found.edit_there(**{"ownerid@odata.bind": f"/systemusers({user_of('EH')})"})
    run("CUSTOMER")
    by_salesperson()

    found.edit_here(phone_no="12345678")
    run("CUSTOMER")

    assert owner_of(found) == user_of("EH")


def test_after_the_team_a_page_that_compares_says_nothing_of_the_owner(settled: Sandbox) -> None:
    by_team(settled)
    found = synchronized(settled, "80001", "JO")
    by_salesperson()

    compared = compare_pair(
        mapping="CUSTOMER", ledger_id=found.customer.pk, crm_id=UUID(found.crm_id)
    )

    (field,) = [one for one in compared.fields if one.field == "salesperson_id"]
    assert field.fate is Fate.LEFT_ALONE


def test_after_the_team_the_pairs_of_a_run_do_not_differ_in_the_owner(settled: Sandbox) -> None:
    by_team(settled)
    person = Salesperson.objects.get(code="JO")
    Customer.objects.create(number="80001", name="Customer 80001", salesperson=person)
    full_sync = drive(fullsync.start(by="test"))
    by_salesperson()

    found = side_by_side(full_sync.pk, table="CUSTOMER")

    assert found is not None
    (made,) = [one for one in found.pairs if one.number == "80001"]
    (owner,) = [one for one in made.fields if one.caption == "Salesperson Code"]
    assert (owner.ledger, owner.takes_part, owner.differs) == ("JO", False, False)
