"""What the service insists on and computes beyond single values, table by table."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from crmsync.sandbox.bootstrap import ORGANIZATION_ID
from crmsync.sandbox.errors import REQUIRED_FIELD_MISSING, bad_request
from crmsync.sandbox.schema import Table
from crmsync.sandbox.store import Row, Snapshot
from crmsync.sandbox.tables import TABLES

INVALID_STATE_PAIR: Final = "0x80048408"
BASE_CURRENCY_NOT_DELETABLE: Final = "0x80048cff"
BASE_CURRENCY_NOT_DEACTIVATABLE: Final = "0x80048cf4"
BASE_CURRENCY_RATE_FIXED: Final = "0x80048cf5"
DUPLICATE_ISO_CODE: Final = "0x80048cf3"
INVALID_ISO_CODE: Final = "0x80048cf2"
CURRENCY_MISSING: Final = "0x80048cfb"


@dataclass(slots=True)
class Rates:
    """Exchange rates and the base currency, read once for a run of rows."""

    snapshot: Snapshot
    _rates: dict[str, float] = field(default_factory=dict)
    _base: str | None = None

    @property
    def base(self) -> str:
        if self._base is None:
            found = self.snapshot.one(
                "SELECT _basecurrencyid_value FROM organization WHERE organizationid = ?",
                (ORGANIZATION_ID,),
            )
            self._base = str(found[0]) if found else ""
        return self._base

    def rate(self, currency_id: str) -> float:
        if currency_id not in self._rates:
            found = self.snapshot.one(
                "SELECT exchangerate FROM transactioncurrency WHERE transactioncurrencyid = ?",
                (currency_id,),
            )
            self._rates[currency_id] = float(str(found[0])) if found and found[0] else 1.0
        return self._rates[currency_id]


class Derivation(Protocol):
    def __call__(self, row: Row, rates: Rates) -> None: ...


def derive(table: Table, row: Row, rates: Rates) -> None:
    """Fill the computed columns of a whole row, in place."""
    _derive_owner(table, row)
    _derive_base_amounts(table, row, rates)
    if table.is_custom and "_organizationid_value" in table.by_name:
        row["_organizationid_value"] = ORGANIZATION_ID
    derivation = _DERIVATIONS.get(table.name)
    if derivation:
        derivation(row, rates)


def check(table: Table, before: Row | None, after: Row, snapshot: Snapshot) -> None:
    """Refuse a row that the service would refuse; `before` is None for a new one."""
    _check_required(table, after)
    _settle_state(table, after)
    _check_currency_kept(table, after)
    check_table = _CHECKS.get(table.name)
    if check_table:
        check_table(before, after, snapshot)


def check_deletable(table: Table, row: Row, snapshot: Snapshot) -> None:
    if table.name == "transactioncurrency" and row["transactioncurrencyid"] == Rates(snapshot).base:
        raise bad_request(
            BASE_CURRENCY_NOT_DELETABLE, "The base currency of an organization cannot be deleted."
        )


def _check_required(table: Table, row: Row) -> None:
    for column in table.required:
        if row.get(column.name) is None:
            raise bad_request(
                REQUIRED_FIELD_MISSING,
                f"Attribute '{column.attribute_name}' of entity '{table.name}' is required.",
            )


def _settle_state(table: Table, after: Row) -> None:
    """Give a missing statuscode its state's default; refuse a wrong pair with 0x80048408."""
    if not table.states:
        return
    state, status = after.get("statecode"), after.get("statuscode")
    statuses = table.states[int(str(state))].statuses
    if status in statuses:
        return
    if status is None:
        after["statuscode"] = next(iter(statuses))
        return
    raise bad_request(
        INVALID_STATE_PAIR,
        f"{status} is not a valid status code for state code {state} on {table.name} "
        f"with Id {after[table.primary_id]}.",
    )


def _check_currency_kept(table: Table, row: Row) -> None:
    if row.get("_transactioncurrencyid_value") is None and _holds_money(table, row):
        raise bad_request(
            CURRENCY_MISSING,
            "The currency cannot be null while the record holds an amount of money.",
        )


def _holds_money(table: Table, row: Mapping[str, object]) -> bool:
    return any(row.get(column.name) is not None for column in table.money)


def _derive_owner(table: Table, row: Row) -> None:
    if "_owninguser_value" not in table.by_name:
        return
    by_team = row.get(_OWNER_TYPE) == "team"
    owner = row["_ownerid_value"]
    row["_owninguser_value"] = None if by_team else owner
    row["_owningteam_value"] = owner if by_team else None


_OWNER_TYPE: Final = TABLES["account"].by_name["_ownerid_value"].type_column or ""


def _derive_base_amounts(table: Table, row: Row, rates: Rates) -> None:
    """Compute `X_base = X / exchangerate`, rounded to the base currency's two decimals.

    Guess: the rate is read anew whenever the row is written.
    """
    if not table.money or not _holds_money(table, row):
        return
    currency = row.get("_transactioncurrencyid_value")
    if currency is None:
        return
    rate = rates.rate(str(currency))
    row["exchangerate"] = rate
    for column in table.money:
        amount = row.get(column.name)
        row[f"{column.name}_base"] = (
            round(amount / rate, 4) if isinstance(amount, int | float) else None
        )


def _derive_person(row: Row, rates: Rates) -> None:
    del rates  # a name costs nothing
    parts = (row.get("firstname"), row.get("middlename"), row.get("lastname"))
    row["fullname"] = " ".join(str(part) for part in parts if part) or None


def _derive_currency(row: Row, rates: Rates) -> None:
    del rates
    row["_organizationid_value"] = ORGANIZATION_ID


_DERIVATIONS: Final[dict[str, Derivation]] = {
    "contact": _derive_person,
    "systemuser": _derive_person,
    "transactioncurrency": _derive_currency,
}


def _check_currency(before: Row | None, after: Row, snapshot: Snapshot) -> None:
    code = str(after["isocurrencycode"])
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise bad_request(INVALID_ISO_CODE, f"The currency code '{code}' is not a valid ISO code.")
    taken = snapshot.one(
        "SELECT 1 FROM transactioncurrency"
        " WHERE isocurrencycode = ? COLLATE NOCASE AND transactioncurrencyid <> ?",
        (code, after["transactioncurrencyid"]),
    )
    if taken:
        raise bad_request(
            DUPLICATE_ISO_CODE, f"A currency with the ISO code '{code}' already exists."
        )
    if before and after["transactioncurrencyid"] == Rates(snapshot).base:
        _check_base_currency(before, after)


def _check_base_currency(before: Row, after: Row) -> None:
    if after["statecode"] != 0:
        raise bad_request(
            BASE_CURRENCY_NOT_DEACTIVATABLE,
            "The base currency of an organization cannot be deactivated.",
        )
    if after["exchangerate"] != before["exchangerate"]:
        raise bad_request(
            BASE_CURRENCY_RATE_FIXED,
            "The exchange rate of the base currency cannot be updated.",
        )


_CHECKS: Final[dict[str, Callable[[Row | None, Row, Snapshot], None]]] = {
    "transactioncurrency": _check_currency,
}
