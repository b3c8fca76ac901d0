"""One imitated environment: its data file, identities, faults and journal, put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crmsync.sandbox.bootstrap import (
    BASE_CURRENCY_ID,
    ROOT_BUSINESS_UNIT_ID,
    Rows,
    first_rows,
    missing_members,
)
from crmsync.sandbox.catalogue import bring_up_to_date
from crmsync.sandbox.credentials import ADMINISTRATOR, Credentials
from crmsync.sandbox.faults import Faults
from crmsync.sandbox.jobs import Pace
from crmsync.sandbox.journal import Journal
from crmsync.sandbox.rules import Rates, derive
from crmsync.sandbox.schema import Table
from crmsync.sandbox.store import Row, Store, Transaction, timestamp
from crmsync.sandbox.tables import TABLES


@dataclass(slots=True, kw_only=True)
class Environment:
    """What every part of the server works on.

    `dop_hint` is the parallelism that answers recommend; `latency` is added to each, in seconds.
    `pace` says how imports of solutions go.
    """

    store: Store
    credentials: Credentials
    dop_hint: int = 8
    latency: float = 0.0
    port: int = 0
    faults: Faults = field(default_factory=Faults)
    pace: Pace = field(default_factory=Pace)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Journal(self.store)

    def reset(self) -> None:
        """Return to the seeded state. Identities, signing key and numbering stay; old delta
        tokens expire, since the deletions they would need are forgotten."""
        self.pace = Pace()
        with self.store.write() as transaction:
            transaction.clear()
            transaction.set_meta("imports", [])
            transaction.set_meta("reset_version", transaction.version + 1)
            _fill(transaction, self.credentials, now=timestamp(self.store.now()))


def open_environment(path: Path, *, seed: str, customers: int) -> Environment:
    """Open a data file, or make and seed a new one.

    `seed` is "demo" or "empty" and counts, like `customers`, only for a new file.
    """
    store = Store(path)
    with store.write() as transaction:
        kept = transaction.meta("credentials")
        if isinstance(kept, dict):
            credentials = Credentials.from_kept(kept).completed()
            _bring_members_up_to_date(transaction, credentials, now=timestamp(store.now()))
        else:
            credentials = Credentials.made_up()
            transaction.set_meta("credentials", credentials.kept())
            transaction.set_meta("seed", {"name": seed, "customers": customers})
            _fill(transaction, credentials, now=timestamp(store.now()))
        bring_up_to_date(transaction)
    return Environment(store=store, credentials=credentials)


def _bring_members_up_to_date(
    transaction: Transaction, credentials: Credentials, *, now: str
) -> None:
    """Give an older data file the identities that it does not have yet."""
    transaction.set_meta("credentials", credentials.kept())
    present = {
        row[TABLES[name].primary_id]
        for name in ("systemuser", "solution")
        for row in transaction.rows(TABLES[name])
    }
    rows = missing_members(credentials, present)
    _insert(transaction, rows, author=credentials.user(ADMINISTRATOR).id, now=now)


def _fill(transaction: Transaction, credentials: Credentials, *, now: str) -> None:
    rows = first_rows(credentials)
    for name, seeded in _seed_rows(transaction).items():
        rows[name] = _merged(TABLES[name], rows.get(name, []), seeded)
    _insert(transaction, rows, author=credentials.user(ADMINISTRATOR).id, now=now)
    bring_up_to_date(transaction)


def _insert(transaction: Transaction, rows: Rows, *, author: str, now: str) -> None:
    # Currencies come before what is priced in them, so that base amounts can be computed.
    for name in sorted(rows, key=_fill_order):
        table = TABLES[name]
        rates = Rates(transaction)
        transaction.insert(
            table, [completed(table, row, rates, author=author, now=now) for row in rows[name]]
        )


def _seed_rows(transaction: Transaction) -> Rows:
    seed = transaction.meta("seed")
    if not isinstance(seed, Mapping) or seed["name"] == "empty":
        return {}
    # Imported here because an empty environment must not need the demo company at all.
    from crmsync.sandbox.seed import demo_rows
    from crmsync.sandbox.seed_members import member_rows

    rows = demo_rows(customers=int(seed["customers"]))
    return {**rows, **member_rows(rows["systemuser"])}


def _merged(table: Table, first: list[Row], seeded: list[Row]) -> list[Row]:
    """Join the rows of both sources; where both have a row, the seed's values win."""
    by_id = {row[table.primary_id]: row for row in first}
    for row in seeded:
        by_id[row[table.primary_id]] = {**by_id.get(row[table.primary_id], {}), **row}
    return list(by_id.values())


def _fill_order(name: str) -> int:
    first = ("organization", "transactioncurrency")
    return first.index(name) if name in first else len(first)


def completed(table: Table, row: Row, rates: Rates, *, author: str, now: str) -> Row:
    """Give a raw row what the service would have given it."""
    complete: Row = {**table.newborn, **row}
    if "createdon" in table.by_name:
        complete.setdefault("createdon", now)
        complete.setdefault("modifiedon", complete["createdon"])
        complete.setdefault("_createdby_value", author)
        complete.setdefault("_modifiedby_value", author)
    if "_ownerid_value" in table.by_name:
        complete.setdefault("_ownerid_value", author)
        complete.setdefault("_owningbusinessunit_value", ROOT_BUSINESS_UNIT_ID)
    _default_target_types(table, complete)
    if table.money and any(complete.get(column.name) is not None for column in table.money):
        complete.setdefault("_transactioncurrencyid_value", BASE_CURRENCY_ID)
    derive(table, complete, rates)
    return complete


def _default_target_types(table: Table, row: Row) -> None:
    for column in table.lookups:
        if column.type_column and row.get(column.name):
            row.setdefault(column.type_column, column.targets[0])
