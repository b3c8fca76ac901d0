"""One customer and its account, looked at as raw rows of both sides."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crmsync.ledger.models import Customer
from crmsync.sync.models import Coupling, Obstacle
from crmsync.terms import Side
from tests.sandboxes import Sandbox


@dataclass(frozen=True, slots=True)
class Pair:
    sandbox: Sandbox
    number: str
    crm_id: str

    @property
    def customer(self) -> Customer:
        return Customer.objects.get(number=self.number)

    @property
    def account(self) -> dict[str, Any] | None:
        """The row in Sales, or None when it is gone."""
        return account(self.sandbox, self.crm_id)

    def edit_here(self, **values: Any) -> None:
        Customer.objects.filter(number=self.number).update(**values)

    def edit_there(self, **values: Any) -> None:
        self.sandbox.edit({"set": "accounts", "id": self.crm_id, "values": values})

    def delete_there(self) -> None:
        self.sandbox.edit({"set": "accounts", "delete": self.crm_id})

    def sides(self, ours: str, theirs: str) -> tuple[Any, Any]:
        """The raw values of one field here and there."""
        row = self.account
        assert row is not None
        return getattr(self.customer, ours), row[theirs]


def accounts(sandbox: Sandbox) -> list[dict[str, Any]]:
    return sandbox.dump("accounts")


def account(sandbox: Sandbox, crm_id: str) -> dict[str, Any] | None:
    return next((row for row in accounts(sandbox) if row["accountid"] == crm_id), None)


def pair(sandbox: Sandbox, number: str) -> Pair:
    """The customer with this number and the one account that has it."""
    (row,) = [row for row in accounts(sandbox) if row["accountnumber"] == number]
    return Pair(sandbox, number, row["accountid"])


def live_coupling(number: str) -> Coupling:
    customer = Customer.objects.get(number=number)
    return Coupling.objects.get(mapping="CUSTOMER", ledger_id=customer.pk, removed_at__isnull=True)


def in_the_way(record_id: str | UUID, side: Side) -> tuple[str, str] | None:
    """Outcome and code of what stands in the record's way."""
    found = Obstacle.objects.filter(side=side, record_id=str(record_id)).first()
    return (found.outcome, found.code) if found else None
