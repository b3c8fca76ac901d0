"""A coupling from its beginning to its end: deleted, coupled anew, filled, refused."""

from uuid import UUID

import pytest

from crmsync.ledger.models import Customer
from crmsync.sync import jobs, services
from crmsync.sync.models import Coupling, Obstacle
from crmsync.sync.services import UnableToCouple
from crmsync.terms import CouplingOrigin, FirstWinner, Side
from tests.sandboxes import Sandbox
from tests.sync.pairs import accounts, in_the_way, live_coupling, pair
from tests.sync.runs import run


def couple(
    customer: Customer, crm_id: str, winner: FirstWinner = FirstWinner.FILL_BLANKS
) -> Coupling:
    return services.couple(
        mapping="CUSTOMER",
        ledger_id=customer.pk,
        crm_id=UUID(crm_id),
        first_winner=winner,
        origin=CouplingOrigin.PERSON,
        by="test",
    )


def names_there(sandbox: Sandbox, name: str) -> list[str]:
    return [row["accountid"] for row in accounts(sandbox) if row["name"] == name]


def test_deleting_a_coupling_leaves_both_records_and_a_tombstone(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    before = (one.customer.stamp, one.account)

    assert services.remove_coupling(coupling_id=live_coupling("10000").pk)

    assert (one.customer.stamp, one.account) == before
    tombstone = Coupling.objects.get(ledger_id=one.customer.pk)
    assert tombstone.removed_at is not None
    assert not services.remove_coupling(coupling_id=tombstone.pk)


def test_after_delete_coupling_the_two_wait_for_a_person_and_are_not_doubled(
    settled: Sandbox,
) -> None:
    one = pair(settled, "60050")
    services.remove_coupling(coupling_id=live_coupling("60050").pk)
    mark = settled.mark()

    run("CUSTOMER")

    assert settled.writes(mark) == []
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "likely_twin")
    assert in_the_way(one.crm_id, Side.CRM) == ("undecided", "likely_twin")


def test_the_next_row_after_delete_coupling_has_another_id(settled: Sandbox) -> None:
    one = pair(settled, "60050")
    services.remove_coupling(coupling_id=live_coupling("60050").pk)
    one.delete_there()

    run("CUSTOMER")

    again = pair(settled, "60050")
    assert again.crm_id != one.crm_id
    assert live_coupling("60050").generation == 2
    assert str(live_coupling("60050").crm_id) == again.crm_id


def test_coupled_again_with_the_same_row_it_is_another_generation(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    services.remove_coupling(coupling_id=live_coupling("10000").pk)

    couple(one.customer, one.crm_id)
    run("CUSTOMER")

    assert live_coupling("10000").generation == 2
    assert in_the_way(one.customer.pk, Side.LEDGER) is None


def test_a_row_deleted_in_sales_waits_for_a_person_and_is_never_created_again(
    settled: Sandbox,
) -> None:
    one = pair(settled, "10000")
    name = one.customer.name
    one.delete_there()

    run("CUSTOMER")
    one.edit_here(city="Odense")
    run("CUSTOMER")
    run("CUSTOMER", retries_failed=True)

    assert one.account is None
    assert names_there(settled, name) == []
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "deleted_in_sales")


def test_a_row_deleted_before_anything_was_written_is_not_created_by_the_update(
    settled: Sandbox,
) -> None:
    one = pair(settled, "10000")
    one.edit_here(city="Odense")
    one.delete_there()

    run("CUSTOMER")

    assert one.account is None
    assert one.customer.city == "Odense"
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "deleted_in_sales")


def test_deleting_the_coupling_of_a_deleted_row_lets_it_be_created_anew(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    one.delete_there()
    run("CUSTOMER")

    services.remove_coupling(coupling_id=live_coupling("10000").pk)
    run("CUSTOMER")

    assert pair(settled, "10000").crm_id != one.crm_id
    assert in_the_way(one.customer.pk, Side.LEDGER) is None


def test_a_record_deleted_in_the_ledger_leaves_its_row_and_waits_for_a_person(
    settled: Sandbox,
) -> None:
    one = pair(settled, "10000")
    before = one.account
    one.customer.delete()

    run("CUSTOMER")
    run("CUSTOMER")

    assert one.account == before
    assert not Customer.objects.filter(name="Adatum Corporation").exists()
    assert in_the_way(one.crm_id, Side.CRM) == ("undecided", "deleted_in_ledger")


def test_a_deactivated_row_is_not_deleted_and_goes_on_when_it_is_active_again(
    settled: Sandbox,
) -> None:
    one = pair(settled, "10000")
    one.edit_there(statecode=1, statuscode=2)
    one.edit_here(city="Odense")

    run("CUSTOMER")

    row = one.account
    assert row is not None
    assert (row["statecode"], row["address1_city"]) == (1, "Cambridge")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("skipped", "out_of_scope_in_sales")
    one.edit_there(statecode=0, statuscode=1)

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Odense")
    assert in_the_way(one.customer.pk, Side.LEDGER) is None


def test_filling_blanks_fills_both_sides_and_overwrites_neither(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware", city="Odense")
    (crm_id,) = settled.edit(
        {
            "set": "accounts",
            "create": {"name": "Litware Inc.", "customertypecode": 3, "telephone1": "+45 1"},
        }
    )
    jobs.read_sales(mapping="CUSTOMER", by="test")
    couple(customer, crm_id)

    run("CUSTOMER")

    customer.refresh_from_db()
    (row,) = [row for row in accounts(settled) if row["accountid"] == crm_id]
    assert (customer.city, row["address1_city"]) == ("Odense", "Odense")
    assert (customer.phone_no, row["telephone1"]) == ("+45 1", "+45 1")
    assert (customer.name, row["name"]) == ("Litware", "Litware Inc.")
    assert in_the_way(customer.pk, Side.LEDGER) == ("undecided", "first_values_differ")
    assert live_coupling("70000").agreed.get("name") is None


def test_one_row_belongs_to_one_record(settled: Sandbox) -> None:
    one, other = pair(settled, "10000"), pair(settled, "20000")
    newcomer = Customer.objects.create(number="70000", name="Litware")

    with pytest.raises(UnableToCouple, match=r" is coupled with customer 10000 already\."):
        couple(newcomer, one.crm_id)
    with pytest.raises(UnableToCouple, match=r"^Customer 10000 is coupled with .+ already\."):
        couple(one.customer, other.crm_id)

    assert live_coupling("10000").crm_id != live_coupling("20000").crm_id
    assert not Coupling.objects.filter(ledger_id=newcomer.pk).exists()


def test_nothing_is_coupled_with_what_does_not_exist(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    never = Customer(number="70001")

    with pytest.raises(UnableToCouple, match="not in Financials") as gone:
        couple(never, one.crm_id)
    with pytest.raises(UnableToCouple, match="not in Sales") as unread:
        couple(one.customer, str(never.pk))

    assert str(gone.value.remedy) == "Choose another record."
    assert str(unread.value.remedy) == "Read Sales again, then choose the records anew."


def test_a_twin_is_found_on_both_sides_and_neither_is_created(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware, Inc.")
    (crm_id,) = settled.edit(
        {"set": "accounts", "create": {"name": "LITWARE INC", "customertypecode": 3}}
    )
    mark, count = settled.mark(), Customer.objects.count()

    run("CUSTOMER")

    assert settled.writes(mark) == []
    assert Customer.objects.count() == count
    assert in_the_way(customer.pk, Side.LEDGER) == ("undecided", "likely_twin")
    assert in_the_way(crm_id, Side.CRM) == ("undecided", "likely_twin")

    couple(customer, crm_id, FirstWinner.CRM)
    run("CUSTOMER")

    customer.refresh_from_db()
    assert customer.name == "LITWARE INC"
    assert pair(settled, "70000").crm_id == crm_id
    assert not Obstacle.objects.filter(record_id__in=[customer.pk, crm_id]).exists()


def test_an_account_made_in_sales_gets_the_next_number_on_both_sides(settled: Sandbox) -> None:
    (crm_id,) = settled.edit(
        {"set": "accounts", "create": {"name": "Litware", "customertypecode": 3}}
    )

    run("CUSTOMER")

    customer = Customer.objects.get(name="Litware")
    assert pair(settled, customer.number).crm_id == crm_id
    assert customer.currency is None
