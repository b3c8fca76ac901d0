"""The currency table. It has no bulk messages, so that clients must fall back to `$batch`."""

from typing import Final

from crmsync.sandbox.schema import Access, OnDelete, Table
from crmsync.sandbox.tables.declare import (
    ACTIVE_INACTIVE,
    decimal,
    integer,
    lookup,
    primary_key,
    standard_columns,
    state_columns,
    text,
)

TRANSACTIONCURRENCY: Final = Table(
    name="transactioncurrency",
    schema_name="TransactionCurrency",
    display_name="Currency",
    entity_set="transactioncurrencies",
    type_code=9105,
    primary_id="transactioncurrencyid",
    primary_name="currencyname",
    states=ACTIVE_INACTIVE,
    change_tracking=True,
    columns=(
        primary_key("transactioncurrencyid"),
        text("isocurrencycode", 5, required=True, access=Access.CREATE_ONLY),
        text("currencyname", 100, required=True),
        text("currencysymbol", 10, required=True),
        integer("currencyprecision", 0, 4, required=True),
        decimal("exchangerate", 0.0000000001, 100_000_000_000, 12, required=True),
        lookup(
            "organizationid",
            "organization",
            on_delete=OnDelete.RESTRICT,
            access=Access.READ_ONLY,
        ),
        *state_columns(ACTIVE_INACTIVE),
        *standard_columns(),
    ),
)
