"""Currencies go to Sales with their current exchange rate; the same ISO code is the same one."""

from django.utils.translation import gettext_lazy as _

from crmsync.dataverse.client import Table
from crmsync.ledger.models import Currency
from crmsync.ledger.queries import current_exchange_rate
from crmsync.mapping.conversions import Code, Number, Text
from crmsync.mapping.types import FieldMapping, Group, TableMapping
from crmsync.terms import Direction, Scope

MAPPING = TableMapping(
    name="CURRENCY",
    caption=_("Currencies"),
    crm_caption=_("currency"),
    scope=Scope.CURRENCIES,
    ledger=Currency,
    number="code",
    title="description",
    crm=Table("transactioncurrency", "transactioncurrencies", "transactioncurrencyid"),
    crm_title="currencyname",
    direction=Direction.TO_CRM,
    fields=(
        FieldMapping(
            ledger="iso_code",
            crm="isocurrencycode",
            direction=Direction.TO_CRM,
            conversion=Code(5, 3),
            is_required=True,
        ),
        FieldMapping(
            ledger="symbol",
            crm="currencysymbol",
            direction=Direction.TO_CRM,
            conversion=Text(10, 10),
            is_required=True,
        ),
        FieldMapping(
            ledger="description",
            crm="currencyname",
            direction=Direction.TO_CRM,
            conversion=Text(100, 30),
            is_required=True,
        ),
        FieldMapping(
            ledger="exchange_rate",
            crm="exchangerate",
            direction=Direction.TO_CRM,
            conversion=Number(10, missing="exchange_rate_missing"),
            caption=_("Exchange Rate"),
        ),
    ),
    computed={"exchange_rate": current_exchange_rate()},
    crm_constants={"currencyprecision": 2},
    creates_in_crm=True,
    unique_key="iso_code",
    listed=("iso_code", "symbol", "exchange_rate"),
    groups=(Group(_("General"), ("code", "description", "iso_code", "symbol", "exchange_rate")),),
)
