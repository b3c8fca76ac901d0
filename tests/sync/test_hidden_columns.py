"""A column that the integration user may not read looks empty: synchronization leaves it out."""

from typing import Any

import pytest

from crmsync.ledger.models import Customer
from crmsync.sync.models import Coupling, Obstacle
from tests.dataverse.wires import plant
from tests.sandboxes import Sandbox
from tests.sync.runs import run

PHONE = {"secure": "account.telephone1"}


@pytest.fixture
def customer(settled: Sandbox) -> Customer:
    """Coupled, with a phone number that stands on both sides."""
    there = Coupling.objects.filter(mapping="CUSTOMER").values("ledger_id")
    found = Customer.objects.filter(pk__in=there).exclude(phone_no="").first()
    assert found is not None
    return found


def account(sandbox: Sandbox, customer: Customer) -> dict[str, Any]:
    crm_id = str(Coupling.objects.get(ledger_id=customer.pk).crm_id)
    return next(row for row in sandbox.dump("accounts") if row["accountid"] == crm_id)


def edit_there(sandbox: Sandbox, customer: Customer, **values: Any) -> None:
    crm_id = account(sandbox, customer)["accountid"]
    sandbox.edit({"set": "accounts", "id": crm_id, "values": values})


def test_what_is_hidden_stays_here_while_the_rest_arrives(
    settled: Sandbox, customer: Customer
) -> None:
    before = customer.phone_no
    plant(settled, PHONE)
    edit_there(settled, customer, address1_city="Vejle")

    job = run("CUSTOMER")

    customer.refresh_from_db()
    assert (job.state, customer.city, customer.phone_no) == ("finished", "Vejle", before)


def test_what_is_hidden_stays_there_while_the_rest_is_sent(
    settled: Sandbox, customer: Customer
) -> None:
    before = account(settled, customer)["telephone1"]
    plant(settled, PHONE)
    Customer.objects.filter(pk=customer.pk).update(phone_no="+45 1", city="Vejle")
    new = Customer.objects.create(number="NEW-7", name="Humongous Insurance", phone_no="+45 2")

    run("CUSTOMER")

    row = account(settled, customer)
    assert (row["telephone1"], row["address1_city"]) == (before, "Vejle")
    assert account(settled, new)["telephone1"] is None


def test_a_column_that_can_be_read_again_takes_part_again(
    settled: Sandbox, customer: Customer
) -> None:
    edit_there(settled, customer, telephone1="+45 33")
    plant(settled, PHONE)
    run("CUSTOMER")
    customer.refresh_from_db()
    assert customer.phone_no != "+45 33"
    plant(settled, {"unsecure": "account.telephone1"})

    run("CUSTOMER")

    customer.refresh_from_db()
    assert customer.phone_no == "+45 33"
    assert not Obstacle.objects.filter(record_id=customer.pk).exists()


def test_a_value_edited_on_both_sides_while_it_was_hidden_is_asked_about(
    settled: Sandbox, customer: Customer
) -> None:
    edit_there(settled, customer, telephone1="+45 33")
    plant(settled, PHONE)
    Customer.objects.filter(pk=customer.pk).update(phone_no="+45 44")
    run("CUSTOMER")
    plant(settled, {"unsecure": "account.telephone1"})

    run("CUSTOMER")

    customer.refresh_from_db()
    assert (customer.phone_no, account(settled, customer)["telephone1"]) == ("+45 44", "+45 33")
    assert Obstacle.objects.get(record_id=customer.pk).code == "conflict"
