"""Customers stand beside accounts of type Customer, and are edited on both sides."""

from django.utils.translation import gettext_lazy as _

from crmsync.dataverse.client import Table
from crmsync.ledger.models import Customer
from crmsync.mapping.conversions import Code, Email, Lookup, Number, Owner, Phone, Text
from crmsync.mapping.types import Condition, Conversion, FieldMapping, Group, TableMapping
from crmsync.terms import Direction, Scope

# account.customertypecode: 3 is Customer.
ACCOUNT_TYPE_CUSTOMER = 3


def _both(ledger: str, crm: str, conversion: Conversion) -> FieldMapping:
    return FieldMapping(
        ledger=ledger, crm=crm, direction=Direction.BIDIRECTIONAL, conversion=conversion
    )


MAPPING = TableMapping(
    name="CUSTOMER",
    caption=_("Customers"),
    crm_caption=_("account"),
    scope=Scope.CUSTOMERS,
    ledger=Customer,
    number="number",
    title="name",
    crm=Table("account", "accounts", "accountid"),
    crm_title="name",
    direction=Direction.BIDIRECTIONAL,
    fields=(
        FieldMapping(
            ledger="number",
            crm="accountnumber",
            direction=Direction.TO_CRM,
            conversion=Text(20, 20),
        ),
        FieldMapping(
            ledger="name",
            crm="name",
            direction=Direction.BIDIRECTIONAL,
            conversion=Text(160, 100),
            is_required=True,
        ),
        _both("contact", "address1_primarycontactname", Text(100, 100)),
        _both("address", "address1_line1", Text(250, 100)),
        _both("address_2", "address1_line2", Text(250, 50)),
        _both("post_code", "address1_postalcode", Text(20, 20)),
        _both("city", "address1_city", Text(80, 30)),
        _both("county", "address1_stateorprovince", Text(50, 30)),
        _both("country_code", "address1_country", Code(80, 10)),
        _both("phone_no", "telephone1", Phone(50, 30)),
        _both("fax_no", "fax", Phone(50, 30)),
        _both("email", "emailaddress1", Email(100, 80)),
        _both("home_page", "websiteurl", Text(200, 255)),
        FieldMapping(
            ledger="credit_limit",
            crm="creditlimit",
            direction=Direction.TO_CRM,
            conversion=Number(2),
        ),
        FieldMapping(
            ledger="currency_id",
            crm="_transactioncurrencyid_value",
            direction=Direction.BIDIRECTIONAL,
            conversion=Lookup(
                "CURRENCY",
                "transactioncurrencyid",
                "transactioncurrencies",
                blank_is_base_currency=True,
            ),
            is_required=True,
        ),
        FieldMapping(
            ledger="salesperson_id",
            crm="_ownerid_value",
            direction=Direction.TO_CRM,
            conversion=Owner("SALESPEOPLE", "ownerid", "systemusers"),
        ),
    ),
    needs=("SALESPEOPLE", "CURRENCY"),
    ledger_scope=(Condition("blocked", value=""),),
    crm_scope=(
        Condition("statecode", value=0),
        Condition("customertypecode", value=ACCOUNT_TYPE_CUSTOMER),
    ),
    crm_merge=("merged", "_masterid_value"),
    crm_owner="ownerid",
    crm_constants={"customertypecode": ACCOUNT_TYPE_CUSTOMER},
    creates_in_crm=True,
    creates_in_ledger=True,
    number_series="CUSTOMER",
    match_on=("number", "name", "email"),
    match_confirmed_by=("phone_no", "post_code"),
    listed=("city", "phone_no", "salesperson_id"),
    groups=(
        Group(_("General"), ("number", "name", "blocked", "salesperson_id")),
        Group(
            _("Address & Contact"),
            (
                "address",
                "address_2",
                "post_code",
                "city",
                "county",
                "country_code",
                "contact",
                "phone_no",
                "fax_no",
                "email",
                "home_page",
            ),
        ),
        Group(_("Payments"), ("credit_limit", "currency_id")),
    ),
)
