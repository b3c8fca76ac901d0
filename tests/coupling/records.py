"""Records of both sides as the pages need them, without a sandbox: rows as they were last read."""

import uuid
from typing import Any

from django.core.cache import cache

from crmsync.connections.models import Connection
from crmsync.ledger.models import Customer, Salesperson
from crmsync.sync import services
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.terms import CouplingOrigin, FirstWinner

ORIGIN = "https://cronus.crm.sandbox.test"
ACCOUNT = {"statecode": 0, "customertypecode": 3}


def customer(number: str, **values: Any) -> Customer:
    cache.clear()
    return Customer.objects.create(number=number, **{"name": f"Customer {number}", **values})


def account(title: str, **values: Any) -> CrmRecord:
    return CrmRecord.objects.create(
        table="account",
        crm_id=uuid.uuid4(),
        etag='W/"1"',
        title=title,
        values={"name": title, **ACCOUNT, **values},
    )


def couple(ours: Customer, theirs: CrmRecord) -> Coupling:
    cache.clear()
    return services.couple(
        mapping="CUSTOMER",
        ledger_id=ours.pk,
        crm_id=theirs.crm_id,
        first_winner=FirstWinner.LEDGER,
        origin=CouplingOrigin.PERSON,
        by="anna",
    )


def coupled_customer(number: str, **values: Any) -> tuple[Customer, Coupling]:
    ours = customer(number, **values)
    return ours, couple(ours, account(f"Account {number}"))


def salesperson(code: str) -> Salesperson:
    return Salesperson.objects.create(code=code, name=f"Person {code}")


def disabled_connection() -> None:
    connection()
    Connection.objects.update(is_enabled=False, disabled_because="The secret was revoked.")


def connection() -> Connection:
    """A connection that nothing is sent over."""
    return Connection.objects.create(
        origin=ORIGIN,
        organization_id=uuid.uuid4(),
        organization_name="Cronus",
        base_currency_id=uuid.uuid4(),
        base_currency_code="DKK",
        authority_url="https://login.example.test",
        tenant="t",
        identity_kind=Connection.IdentityKind.APPLICATION,
        application_id="a",
        integration_user_id=uuid.uuid4(),
        sealed_secret="sealed",
        scopes=["customers"],
    )
