"""The declaration of every act that is kept: what it is called, and what its entry says."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crmsync.terms import Experience, Scope


class Act(StrEnum):
    """Codes as they are stored; one that was ever used keeps its meaning."""

    PERSON_ADDED = "person_added"
    GROUP_CHANGED = "group_changed"
    PERSON_DISABLED = "person_disabled"
    PERSON_ENABLED = "person_enabled"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of an act
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an act
    ACCESS_KEY_CHANGED = "access_key_changed"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGN_IN_LOCKED = "sign_in_locked"
    ADDRESS_LOCKED = "address_locked"
    COMPANY_CHANGED = "company_changed"
    CONNECTION_SET_UP = "connection_set_up"
    SETUP_CANCELLED = "setup_cancelled"
    SECRETS_ROTATED = "secrets_rotated"
    CONNECTION_ENABLED = "connection_enabled"
    CONNECTION_DISABLED = "connection_disabled"
    CREDENTIALS_CHANGED = "credentials_changed"
    CONNECTION_RESET = "connection_reset"
    REDEPLOYMENT_BEGUN = "redeployment_begun"
    MAPPING_CHANGED = "mapping_changed"
    MAPPINGS_RESTORED = "mappings_restored"


@dataclass(frozen=True, slots=True)
class Wording:
    """``sentence`` names what it was done to as ``%(what)s``."""

    caption: str | Promise
    sentence: str | Promise


ACTS: Mapping[Act, Wording] = {
    Act.PERSON_ADDED: Wording(_("Person added"), _("Added %(what)s.")),
    Act.GROUP_CHANGED: Wording(_("Group changed"), _("Changed the group of %(what)s.")),
    Act.PERSON_DISABLED: Wording(_("Person disabled"), _("Disabled the account of %(what)s.")),
    Act.PERSON_ENABLED: Wording(_("Person enabled"), _("Enabled the account of %(what)s.")),
    Act.PASSWORD_RESET: Wording(_("Password reset"), _("Gave %(what)s a new one-time password.")),
    Act.PASSWORD_CHANGED: Wording(_("Password changed"), _("Changed the password of %(what)s.")),
    Act.ACCESS_KEY_CHANGED: Wording(
        _("Web service key changed"), _("Changed the web service key of %(what)s.")
    ),
    Act.SIGNED_IN: Wording(_("Signed in"), _("Signed in as %(what)s.")),
    Act.SIGN_IN_FAILED: Wording(_("Sign-in failed"), _("Failed to sign in as %(what)s.")),
    Act.SIGN_IN_LOCKED: Wording(
        _("Sign-in locked"), _("Failed to sign in as %(what)s too often, and has to wait.")
    ),
    Act.ADDRESS_LOCKED: Wording(
        _("Address locked"),
        _("Failed to sign in from %(what)s with many different names, and has to wait."),
    ),
    Act.COMPANY_CHANGED: Wording(
        _("Company information changed"), _("Changed the company information of %(what)s.")
    ),
    Act.CONNECTION_SET_UP: Wording(
        _("Connection set up"), _("Set up the connection with %(what)s.")
    ),
    Act.SETUP_CANCELLED: Wording(
        _("Setup cancelled"), _("Cancelled a setup of the connection with %(what)s.")
    ),
    Act.SECRETS_ROTATED: Wording(
        _("Keys rotated"), _("Sealed the stored secrets of %(what)s with the newest key.")
    ),
    Act.CONNECTION_ENABLED: Wording(
        _("Connection enabled"), _("Enabled the connection with %(what)s.")
    ),
    Act.CONNECTION_DISABLED: Wording(
        _("Connection disabled"), _("Disabled the connection with %(what)s.")
    ),
    Act.CREDENTIALS_CHANGED: Wording(
        _("Credentials changed"), _("Changed the credentials for %(what)s.")
    ),
    Act.CONNECTION_RESET: Wording(_("Connection reset"), _("Forgot the connection with %(what)s.")),
    Act.REDEPLOYMENT_BEGUN: Wording(
        _("Redeployment begun"), _("Began to import the solution into %(what)s again.")
    ),
    Act.MAPPING_CHANGED: Wording(
        _("Table mapping changed"), _("Changed the table mapping of %(what)s.")
    ),
    Act.MAPPINGS_RESTORED: Wording(
        _("Default synchronization setup used"),
        _("Set the table mapping of %(what)s back to the default."),
    ),
}

# The values that acts keep, by the names they are kept under.
FIELDS: Mapping[str, str | Promise] = {
    "name": _("Name"),
    "email": _("Email"),
    "group": _("Group"),
    "password": _("Password"),
    "web_service_key": _("Web service key"),
    "non_interactive": _("Only uses a web service key"),
    "local_currency_code": _("LCY Code"),
    "experience": _("Experience"),
    "resealed": _("Secrets sealed anew"),
    "new_key": _("New key made"),
    "scopes": _("What to synchronize"),
    "environment": _("Dynamics 365 Sales URL"),
    "organization": _("Organization"),
    "integration_user": _("Integration user"),
    "enabled": _("Enabled"),
    "reason": _("Reason"),
    "signs_in_with": _("Signs in with"),
    "solution": _("Integration solution in Sales"),
    "import_goes_on": _("The import goes on in Sales"),
    "user_created": _("Integration user created in Sales"),
    "roles_given": _("Roles given in Sales"),
    "tracking_switched_on": _("Change tracking switched on in Sales"),
    "told_address": _("Address of these books in Sales"),
    "valid_until": _("Valid until"),
    "ownership": _("Ownership"),
    "owner": _("Owner"),
    "administrator": _("Administrator"),
    "credentials": _("Secret"),
}
# What codes among those values mean; the export keeps the codes.
WORDS: Mapping[str, Mapping[str, str | Promise]] = {
    "scopes": {
        Scope.SALESPEOPLE: _("Salespeople"),
        Scope.CURRENCIES: _("Currencies"),
        Scope.CUSTOMERS: _("Customers"),
    },
    "experience": {Experience.BASIC: _("Basic"), Experience.SUITE: _("Suite")},
    "ownership": {
        "salesperson": _("the user of the salesperson"),
        "team": _("a team"),
    },
    "signs_in_with": {
        "application with secret": _("application with secret"),
        "application with certificate": _("application with certificate"),
        "user with password": _("user with password"),
    },
    "group": {
        "Administrators": _("Administrators"),
        "Accountants": _("Accountants"),
        "Operations": _("Operations"),
    },
}


def caption_of(code: str) -> str:
    """What an act is called; the code itself where a newer version stored it."""
    return str(ACTS[Act(code)].caption) if code in set(Act) else code


def sentence_of(code: str, *, what: str) -> str:
    if code not in set(Act):
        return f"{code}: {what}"
    return str(ACTS[Act(code)].sentence) % {"what": what or _("an unknown name")}
