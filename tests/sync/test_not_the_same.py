"""Two records that look alike and are not the same: once a person said so, both may live."""

from uuid import UUID

import pytest

from crmsync.ledger.models import Customer
from crmsync.mapping.registry import get_mapping
from crmsync.sync import exclusions, jobs, services
from crmsync.sync.models import Obstacle
from crmsync.sync.twins import twins_of
from crmsync.terms import CouplingOrigin, FirstWinner, Side
from tests.sandboxes import Sandbox
from tests.sync.pairs import in_the_way, pair
from tests.sync.runs import run


def plant(sandbox: Sandbox, *names: str, **values: str) -> list[UUID]:
    """Accounts of these names that nobody is coupled with."""
    return [
        UUID(one)
        for one in sandbox.edit(
            *(
                {"set": "accounts", "create": {"name": name, "customertypecode": 3, **values}}
                for name in names
            )
        )
    ]


def say(customer: Customer, *crm_ids: UUID) -> int:
    return services.say_not_the_same(
        mapping="CUSTOMER", ledger_id=customer.pk, crm_ids=crm_ids, by="test"
    )


def test_both_are_created_on_the_other_side(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware, Inc.")
    (twin,) = plant(settled, "LITWARE INC")
    run("CUSTOMER")
    assert in_the_way(customer.pk, Side.LEDGER) == ("undecided", "likely_twin")

    assert say(customer, twin) == 1
    assert say(customer, twin) == 0
    assert in_the_way(customer.pk, Side.LEDGER) is None
    assert in_the_way(twin, Side.CRM) is None
    run("CUSTOMER")

    assert pair(settled, "70000").crm_id != str(twin)
    assert Customer.objects.filter(name="LITWARE INC").exists()
    assert not Obstacle.objects.filter(record_id__in=[customer.pk, twin]).exists()


@pytest.mark.parametrize("place", [0, 1])
def test_one_that_was_dismissed_does_not_hide_another(settled: Sandbox, place: int) -> None:
    customer = Customer.objects.create(number="70000", name="Litware, Inc.")
    twins = plant(settled, "LITWARE INC", "Litware Inc.")
    jobs.read_sales(mapping="CUSTOMER", by="test")
    say(customer, twins[place])

    run("CUSTOMER")

    found = Obstacle.objects.get(side=Side.LEDGER, record_id=customer.pk)
    assert (found.code, found.details["crm_id"]) == ("likely_twin", str(twins[1 - place]))


def test_an_obstacle_names_the_twin_as_people_know_it(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware, Inc.")
    (twin,) = plant(settled, "LITWARE INC")

    run("CUSTOMER")

    here = Obstacle.objects.get(side=Side.LEDGER, record_id=customer.pk)
    there = Obstacle.objects.get(side=Side.CRM, record_id=twin)
    assert (here.details["name"], there.details["name"]) == ("LITWARE INC", "Customer 70000")


def test_the_twins_of_a_record_are_told_before_it_is_created(settled: Sandbox) -> None:
    customer = Customer.objects.create(
        number="70000", name="Litware, Inc.", email="info@litware.example"
    )
    both, by_name = plant(settled, "Litware Inc", "LITWARE, inc")
    settled.edit(
        {"set": "accounts", "id": str(both), "values": {"emailaddress1": "INFO@litware.example"}}
    )
    jobs.read_sales(mapping="CUSTOMER", by="test")

    found = twins_of(mapping="CUSTOMER", ledger_id=customer.pk)
    say(customer, both)

    assert [(one.crm_id, one.title, one.fields) for one in found] == [
        (both, "Litware Inc", ("name", "email")),
        (by_name, "LITWARE, inc", ("name",)),
    ]
    assert [one.crm_id for one in twins_of(mapping="CUSTOMER", ledger_id=customer.pk)] == [by_name]


def test_coupling_the_two_after_all_takes_it_back(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware, Inc.")
    twin, other = plant(settled, "LITWARE INC", "Litware Inc.")
    jobs.read_sales(mapping="CUSTOMER", by="test")
    say(customer, twin, other)

    services.couple(
        mapping="CUSTOMER",
        ledger_id=customer.pk,
        crm_id=twin,
        first_winner=FirstWinner.LEDGER,
        origin=CouplingOrigin.PERSON,
        by="test",
    )

    assert exclusions.dismissed_pairs(get_mapping("CUSTOMER")) == {(customer.pk, other)}
