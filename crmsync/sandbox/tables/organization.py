"""The organization table: one row with the environment's settings."""

from typing import Final

from crmsync.sandbox.schema import Table
from crmsync.sandbox.tables.declare import (
    boolean,
    integer,
    lookup,
    primary_key,
    standard_columns,
    text,
)

ORGANIZATION: Final = Table(
    name="organization",
    schema_name="Organization",
    display_name="Organization",
    entity_set="organizations",
    type_code=1019,
    primary_id="organizationid",
    primary_name="name",
    is_creatable=False,
    is_deletable=False,
    columns=(
        primary_key("organizationid"),
        text("name", 160, required=True),
        lookup("basecurrencyid", "transactioncurrency"),
        text("basecurrencysymbol", 5),
        integer("basecurrencyprecision", 0, 4, default=2),
        integer("pricingdecimalprecision", 0, 10, default=2),
        integer("currencydecimalprecision", 0, 10, default=2),
        integer("languagecode", 0, 100_000, default=1033),
        integer("localeid", 0, 100_000, default=1033),
        integer("expirechangetrackingindays", 0, 365, default=7),
        integer("maxuploadfilesize", 0, 131_072, default=5120),
        boolean("oobpricecalculationenabled", default=True),
        boolean("createproductswithoutparentinactivestate", default=False),
        boolean("issopintegrationenabled", default=False),
        boolean("isauditenabled", default=False),
        boolean("isduplicatedetectionenabled", default=False),
        text("orderprefix", 20, default="ORD"),
        text("quoteprefix", 20, default="QUO"),
        text("invoiceprefix", 20, default="INV"),
        *standard_columns(),
    ),
)
