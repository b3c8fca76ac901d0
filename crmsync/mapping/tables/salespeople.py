"""Salespeople follow the users of Sales: name, e-mail and telephone are kept there."""

from django.utils.translation import gettext_lazy as _

from crmsync.dataverse.client import Table
from crmsync.ledger.models import Salesperson
from crmsync.mapping.conversions import Email, Phone, Text
from crmsync.mapping.types import Condition, FieldMapping, Group, TableMapping
from crmsync.terms import Direction, Scope

MAPPING = TableMapping(
    name="SALESPEOPLE",
    caption=_("Salespeople"),
    crm_caption=_("user"),
    scope=Scope.SALESPEOPLE,
    ledger=Salesperson,
    number="code",
    title="name",
    crm=Table("systemuser", "systemusers", "systemuserid"),
    crm_title="fullname",
    direction=Direction.FROM_CRM,
    fields=(
        FieldMapping(
            ledger="email",
            crm="internalemailaddress",
            direction=Direction.FROM_CRM,
            conversion=Email(100, 80),
        ),
        FieldMapping(
            ledger="name",
            crm="fullname",
            direction=Direction.FROM_CRM,
            conversion=Text(200, 50),
        ),
        FieldMapping(
            ledger="phone_no",
            crm="mobilephone",
            direction=Direction.FROM_CRM,
            conversion=Phone(64, 30),
        ),
    ),
    crm_scope=(
        Condition("isdisabled", value=False),
        Condition("islicensed", value=True),
        Condition("isintegrationuser", value=False),
    ),
    match_on=("email",),
    match_confirmed_by=("name",),
    listed=("email", "phone_no"),
    groups=(Group(_("General"), ("code", "name", "job_title", "email", "phone_no")),),
)
