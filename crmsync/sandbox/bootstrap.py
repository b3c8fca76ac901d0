"""The rows every sandbox starts with, whatever else is seeded."""

from typing import Final

from crmsync.sandbox.credentials import (
    ADMINISTRATOR,
    DISABLED,
    DOMAIN,
    INTEGRATION_USER,
    SALESPERSON,
    SIGN_IN_BLOCKED,
    TEAM_ADMINISTRATOR,
    WITHOUT_ROLES,
    Credentials,
    User,
    stable_id,
)

ORGANIZATION_ID: Final = "5f1c2d0a-7c64-4b0e-9a55-0d2a6f0b1c01"
ROOT_BUSINESS_UNIT_ID: Final = "b2a4c0f6-3d1e-4a59-8f27-6c1f0e5d7a02"
DEFAULT_TEAM_ID: Final = "b2a4c0f6-3d1e-4a59-8f27-6c1f0e5d7a03"
BASE_CURRENCY_ID: Final = "9d2b7f14-5e83-4f6c-b1a0-2f4e8c6d9a04"
SYSTEM_USER_ID: Final = "c4e1a7d8-2b95-4d36-a0f3-7e5b1d9c8a05"
INTEGRATION_SYSTEM_USER_ID: Final = "c4e1a7d8-2b95-4d36-a0f3-7e5b1d9c8a06"
ADMINISTRATORS_TEAM_ID: Final = stable_id("administrators.team")

# Microsoft's fixed ids of the role templates (BCApps, CDSIntegrationImpl).
SYSTEM_ADMINISTRATOR_TEMPLATE: Final = "627090ff-40a3-4053-8790-584edc5be201"
SYSTEM_CUSTOMIZER_TEMPLATE: Final = "119f245c-3cc8-4b62-b31c-d1a046ced15d"

SYSTEM_ADMINISTRATOR_ROLE: Final = stable_id("system.administrator.role")
SYSTEM_CUSTOMIZER_ROLE: Final = stable_id("system.customizer.role")
INTEGRATION_ROLE: Final = stable_id("integration.role")
SALESPERSON_ROLE: Final = stable_id("salesperson.role")

ORGANIZATION_NAME: Final = "CRONUS International"

ALL_VERBS: Final = (
    "Create",
    "Read",
    "Write",
    "Delete",
    "Append",
    "AppendTo",
    "Assign",
    "Share",
)
_DATA_TABLES: Final = ("account", "contact", "transactioncurrency")
_SETTINGS_TABLES: Final = ("organization", "businessunit", "team", "role")

# What each role may do: table to verbs. System Administrator needs no list: it may do everything.
GRANTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    INTEGRATION_ROLE: {
        **dict.fromkeys(_DATA_TABLES, ALL_VERBS),
        **dict.fromkeys(_SETTINGS_TABLES, ("Read", "AppendTo")),
        "systemuser": ("Read", "Write", "Append", "AppendTo"),
    },
    SALESPERSON_ROLE: {
        **dict.fromkeys(("account", "contact"), ALL_VERBS),
        **dict.fromkeys(
            (*_SETTINGS_TABLES, "systemuser", "transactioncurrency"), ("Read", "AppendTo")
        ),
    },
    SYSTEM_CUSTOMIZER_ROLE: {
        **dict.fromkeys((*_DATA_TABLES, *_SETTINGS_TABLES, "systemuser"), ("Read",)),
    },
}

_USER_ROLES: Final = {
    ADMINISTRATOR: (SYSTEM_ADMINISTRATOR_ROLE, SYSTEM_CUSTOMIZER_ROLE),
    INTEGRATION_USER: (INTEGRATION_ROLE,),
    SALESPERSON: (SALESPERSON_ROLE,),
    DISABLED: (INTEGRATION_ROLE,),
    SIGN_IN_BLOCKED: (INTEGRATION_ROLE,),
    TEAM_ADMINISTRATOR: (INTEGRATION_ROLE,),
}

_USER_NAMES: Final = {
    ADMINISTRATOR: ("Sandbox", "Administrator"),
    INTEGRATION_USER: ("Business Central", "Integration"),
    SALESPERSON: ("Robin", "Sales"),
    DISABLED: ("Disabled", "User"),
    SIGN_IN_BLOCKED: ("Blocked", "User"),
    WITHOUT_ROLES: ("User", "Without Roles"),
    TEAM_ADMINISTRATOR: ("Team", "Administrator"),
}

Rows = dict[str, list[dict[str, object]]]


def first_rows(credentials: Credentials) -> Rows:
    """Return the raw rows of a new environment, per table name."""
    return {
        "organization": [_organization()],
        "businessunit": [_business_unit()],
        "transactioncurrency": [_base_currency()],
        "team": _teams(),
        "role": _roles(),
        "systemuser": [*_users(credentials), *_system_users(), *_application_users(credentials)],
        "systemuserroles": _user_roles(credentials),
        "teammembership": [
            _pair("teammembership", teamid=ADMINISTRATORS_TEAM_ID, systemuserid=user.id)
            for user in credentials.users
            if user.alias == TEAM_ADMINISTRATOR
        ],
        "teamroles": [
            _pair("teamroles", teamid=ADMINISTRATORS_TEAM_ID, roleid=SYSTEM_ADMINISTRATOR_ROLE)
        ],
    }


def _organization() -> dict[str, object]:
    return {
        "organizationid": ORGANIZATION_ID,
        "name": ORGANIZATION_NAME,
        "_basecurrencyid_value": BASE_CURRENCY_ID,
        "basecurrencysymbol": "£",
    }


def _business_unit() -> dict[str, object]:
    return {
        "businessunitid": ROOT_BUSINESS_UNIT_ID,
        "name": "cronus",
        "_organizationid_value": ORGANIZATION_ID,
    }


def _base_currency() -> dict[str, object]:
    return {
        "transactioncurrencyid": BASE_CURRENCY_ID,
        "isocurrencycode": "GBP",
        "currencyname": "Pound Sterling",
        "currencysymbol": "£",
        "currencyprecision": 2,
        "exchangerate": 1.0,
        "_organizationid_value": ORGANIZATION_ID,
    }


def _teams() -> list[dict[str, object]]:
    shared = {
        "_businessunitid_value": ROOT_BUSINESS_UNIT_ID,
        "organizationid": ORGANIZATION_ID,
    }
    return [
        {
            **shared,
            "teamid": DEFAULT_TEAM_ID,
            "ownerid": DEFAULT_TEAM_ID,
            "name": "cronus",
            "isdefault": True,
            "systemmanaged": True,
        },
        {
            **shared,
            "teamid": ADMINISTRATORS_TEAM_ID,
            "ownerid": ADMINISTRATORS_TEAM_ID,
            "name": "Administrators",
        },
    ]


def _roles() -> list[dict[str, object]]:
    names = {
        SYSTEM_ADMINISTRATOR_ROLE: ("System Administrator", SYSTEM_ADMINISTRATOR_TEMPLATE),
        SYSTEM_CUSTOMIZER_ROLE: ("System Customizer", SYSTEM_CUSTOMIZER_TEMPLATE),
        INTEGRATION_ROLE: ("Integration User", None),
        SALESPERSON_ROLE: ("Salesperson", None),
    }
    return [
        {
            "roleid": role_id,
            "name": name,
            "organizationid": ORGANIZATION_ID,
            "_businessunitid_value": ROOT_BUSINESS_UNIT_ID,
            "_parentrootroleid_value": role_id,
            "_roletemplateid_value": template,
        }
        for role_id, (name, template) in names.items()
    ]


def _users(credentials: Credentials) -> list[dict[str, object]]:
    return [_person(user) for user in credentials.users]


def _person(user: User) -> dict[str, object]:
    first, last = _USER_NAMES[user.alias]
    return {
        **_member(user.id),
        "firstname": first,
        "lastname": last,
        "domainname": user.username,
        "internalemailaddress": user.username,
        "windowsliveid": user.username,
        "azureactivedirectoryobjectid": user.object_id,
        "islicensed": True,
        "issyncwithdirectory": True,
        "accessmode": 4 if user.alias == INTEGRATION_USER else 0,
        "isdisabled": user.alias == DISABLED,
        "setupuser": user.alias == ADMINISTRATOR,
    }


def _system_users() -> list[dict[str, object]]:
    """Make the two built-in users that every environment has and nobody signs in as."""
    return [
        {**_member(user_id), "lastname": name, "domainname": name, "accessmode": 3}
        for user_id, name in (
            (SYSTEM_USER_ID, "SYSTEM"),
            (INTEGRATION_SYSTEM_USER_ID, "INTEGRATION"),
        )
    ]


def _application_users(credentials: Credentials) -> list[dict[str, object]]:
    return [
        {
            **_member(application.id),
            "firstname": "#",
            "lastname": "crmsync integration",
            "domainname": f"crmsync.integration@{DOMAIN}",
            "internalemailaddress": f"crmsync.integration@{DOMAIN}",
            "applicationid": application.client_id,
            "azureactivedirectoryobjectid": application.object_id,
            "accessmode": 4,
        }
        for application in credentials.applications
        if application.id
    ]


def _member(systemuser_id: str) -> dict[str, object]:
    return {
        "systemuserid": systemuser_id,
        "ownerid": systemuser_id,
        "organizationid": ORGANIZATION_ID,
        "_businessunitid_value": ROOT_BUSINESS_UNIT_ID,
    }


def _user_roles(credentials: Credentials) -> list[dict[str, object]]:
    held = [
        (user.id, role_id)
        for user in credentials.users
        for role_id in _USER_ROLES.get(user.alias, ())
    ]
    held += [(a.id, INTEGRATION_ROLE) for a in credentials.applications if a.id]
    return [
        _pair("systemuserroles", systemuserid=user_id, roleid=role_id) for user_id, role_id in held
    ]


def _pair(intersect: str, **ends: str) -> dict[str, object]:
    key = f"{intersect.removesuffix('s')}id"
    return {key: stable_id(".".join((intersect, *ends.values()))), **ends}
