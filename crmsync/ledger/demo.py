"""The demo company: CRONUS International Ltd., with as many customers as wanted.

Most of it couples and synchronizes without anybody's help. Some of it is planted: records that
need attention after a full synchronization against the sandbox's demo rows, and records that look
as if they would and must not. ``planted`` lists both, with what should become of each.
"""

import uuid
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import chain, islice
from typing import Final

from django.db import transaction

from crmsync.ledger.demo_population import (
    DemoCustomer,
    capacity,
    customer_at,
    typed_in_customers,
    words,
)
from crmsync.ledger.models import (
    CompanyInformation,
    Currency,
    CurrencyExchangeRate,
    Customer,
    NumberSeries,
    Salesperson,
)
from crmsync.terms import NEEDS_ATTENTION, Experience, Outcome, Side

COMPANY_NAME: Final = "CRONUS International Ltd."
LOCAL_CURRENCY: Final = "GBP"
CUSTOMER_NUMBERS: Final = "CUSTOMER"

_NAMESPACE: Final = uuid.UUID("c2f0a9d4-6f0b-4d1e-9b57-1f6f0d7a3e21")
_RATES_FROM: Final = date(2025, 1, 1)
_BATCH: Final = 5_000
# The sandbox adds one company of its own for twenty customers, out of the same names.
_SALES_ONLY_SHARE: Final = 20
_COPIED: Final = tuple(
    field.name
    for field in fields(DemoCustomer)
    if field.name not in {"salesperson_code", "currency_code"}
)


class DemoCompanyError(Exception):
    """The demo company was not planted; nothing was written, and the message says what to do."""


class LedgerNotEmptyError(DemoCompanyError):
    """The ledger holds records already."""


class CustomerCountError(DemoCompanyError):
    """There is no demo company with that number of customers."""


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """How many records of each table were planted."""

    salespeople: int
    currencies: int
    exchange_rates: int
    customers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A record, and what should become of it after matching and one full synchronization.

    ``key`` is the number or code of a ledger record, or the name of an account. ``outcome`` is
    None for a record that is out of scope, of which a synchronization says nothing; ``code`` is
    blank where nothing is wrong.
    """

    mapping: str
    side: Side
    key: str
    outcome: Outcome | None
    code: str
    trouble: str

    @property
    def attention(self) -> bool:
        return self.outcome in NEEDS_ATTENTION


def plant(*, customers: int, seed: int) -> DemoCompany:
    """Plant the demo company with ``customers`` customers in an empty ledger, all or nothing.

    The same seed gives the same company, ids included. The sandbox's demo rows fit seed 1.
    Raises ``CustomerCountError`` and ``LedgerNotEmptyError``.
    """
    generated = _count_generated(customers)
    with transaction.atomic():
        _check_ledger_is_empty()
        _plant_company(next_number=generated + 1)
        return DemoCompany(
            salespeople=_plant_salespeople(),
            currencies=_plant_currencies(),
            exchange_rates=_plant_exchange_rates(),
            customers=_plant_customers(generated, seed),
        )


def planted() -> tuple[Planted, ...]:
    """List the planted records on both sides, those that need attention first."""
    return tuple(_planted(**row) for row in words()["planted_outcomes"])


def planted_attention() -> tuple[Planted, ...]:
    """List the records that should need attention: these and no others."""
    return tuple(record for record in planted() if record.attention)


def _planted(*, side: str, outcome: str | None, **rest: str) -> Planted:
    return Planted(side=Side(side), outcome=Outcome(outcome) if outcome else None, **rest)


def _count_generated(customers: int) -> int:
    fewest, most = len(typed_in_customers()), capacity() - capacity() // _SALES_ONLY_SHARE
    if not fewest <= customers <= most:
        raise CustomerCountError(
            f"The demo company cannot have {customers} customers: ask for {fewest} to {most}."
        )
    return customers - fewest


def _check_ledger_is_empty() -> None:
    if any(model._default_manager.exists() for model in (Customer, Salesperson, Currency)):
        raise LedgerNotEmptyError(
            "The ledger already has customers, salespeople or currencies, and the demo company is "
            "planted in an empty one only: start with a new database, or keep this one as it is."
        )


def _plant_company(*, next_number: int) -> None:
    CompanyInformation.objects.update_or_create(
        id=1,
        defaults={
            "name": COMPANY_NAME,
            "local_currency_code": LOCAL_CURRENCY,
            "experience": Experience.SUITE,
        },
    )
    NumberSeries.objects.update_or_create(
        code=CUSTOMER_NUMBERS, defaults={"prefix": "C", "next_number": next_number, "width": 7}
    )


def _plant_salespeople() -> int:
    rows = [
        Salesperson(
            id=_id("salesperson", person["code"]),
            email=f"{person['code'].lower()}@contoso.com",
            **person,
        )
        for person in words()["salespeople"]
    ]
    return len(Salesperson.objects.bulk_create(rows))


def _plant_currencies() -> int:
    rows = [
        Currency(
            id=_id("currency", currency["code"]),
            code=currency["code"],
            iso_code=currency["code"],
            symbol=currency["symbol"],
            description=currency["description"],
        )
        for currency in words()["currencies"]
    ]
    return len(Currency.objects.bulk_create(rows))


def _plant_exchange_rates() -> int:
    rows = [
        CurrencyExchangeRate(
            currency_id=_id("currency", currency["code"]),
            starting_date=_RATES_FROM,
            exchange_rate_amount=Decimal(100),
            relational_amount=Decimal(currency["local_amount_for_100"]),
        )
        for currency in words()["currencies"]
        if currency["local_amount_for_100"] is not None
    ]
    return len(CurrencyExchangeRate.objects.bulk_create(rows))


def _plant_customers(generated: int, seed: int) -> int:
    """Write the customers batch by batch, so that memory does not grow with their number."""
    population = (customer_at(index, seed=seed) for index in range(1, generated + 1))
    rows = map(_customer, chain(typed_in_customers(), population))
    count = 0
    while batch := list(islice(rows, _BATCH)):
        count += len(Customer.objects.bulk_create(batch))
    return count


def _customer(customer: DemoCustomer) -> Customer:
    return Customer(
        id=_id("customer", customer.number),
        salesperson_id=_id_or_none("salesperson", customer.salesperson_code),
        currency_id=_id_or_none("currency", customer.currency_code),
        **{name: getattr(customer, name) for name in _COPIED},
    )


def _id(table: str, key: str) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{table}/{key}")


@cache
def _id_or_none(table: str, key: str) -> uuid.UUID | None:
    return _id(table, key) if key else None
