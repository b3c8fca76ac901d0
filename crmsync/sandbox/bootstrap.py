"""The rows every sandbox starts with, whatever else is seeded."""

from collections.abc import Collection
from typing import Final

from crmsync.sandbox.credentials import (
    ADMINISTRATOR,
    CUSTOMIZER,
    DISABLED,
    DOMAIN,
    INTEGRATION_USER,
    NOT_A_MEMBER,
    SALESPERSON,
    SIGN_IN_BLOCKED,
    TEAM_ADMINISTRATOR,
    UNLICENSED,
    WITHOUT_CUSTOMIZER,
    WITHOUT_ROLES,
    Application,
    Credentials,
    User,
    stable_id,
)
from crmsync.sandbox.rights import (
    INTEGRATION_ROLE,
    SALESPERSON_ROLE,
    SYSTEM_ADMINISTRATOR_ROLE,
    SYSTEM_ADMINISTRATOR_TEMPLATE,
    SYSTEM_CUSTOMIZER_ROLE,
    SYSTEM_CUSTOMIZER_TEMPLATE,
)

ORGANIZATION_ID: Final = "5f1c2d0a-7c64-4b0e-9a55-0d2a6f0b1c01"
ROOT_BUSINESS_UNIT_ID: Final = "b2a4c0f6-3d1e-4a59-8f27-6c1f0e5d7a02"
DEFAULT_TEAM_ID: Final = "b2a4c0f6-3d1e-4a59-8f27-6c1f0e5d7a03"
BASE_CURRENCY_ID: Final = "9d2b7f14-5e83-4f6c-b1a0-2f4e8c6d9a04"
SYSTEM_USER_ID: Final = "c4e1a7d8-2b95-4d36-a0f3-7e5b1d9c8a05"
INTEGRATION_SYSTEM_USER_ID: Final = "c4e1a7d8-2b95-4d36-a0f3-7e5b1d9c8a06"
ADMINISTRATORS_TEAM_ID: Final = stable_id("administrators.team")

ORGANIZATION_NAME: Final = "CRONUS International"

# The default solution and its publisher have the same ids in every environment.
DEFAULT_SOLUTION_ID: Final = "fd140aaf-4df4-11dd-bd17-0019b9312238"
DEFAULT_PUBLISHER_ID: Final = "d21aab71-79e7-11dd-8874-00188b01e34f"

_USER_ROLES: Final = {
    ADMINISTRATOR: (SYSTEM_ADMINISTRATOR_ROLE, SYSTEM_CUSTOMIZER_ROLE),
    INTEGRATION_USER: (INTEGRATION_ROLE,),
    SALESPERSON: (SALESPERSON_ROLE,),
    DISABLED: (INTEGRATION_ROLE,),
    SIGN_IN_BLOCKED: (INTEGRATION_ROLE,),
    TEAM_ADMINISTRATOR: (INTEGRATION_ROLE,),
    WITHOUT_CUSTOMIZER: (SYSTEM_ADMINISTRATOR_ROLE,),
    CUSTOMIZER: (SYSTEM_CUSTOMIZER_ROLE,),
    UNLICENSED: (INTEGRATION_ROLE,),
}

_USER_NAMES: Final = {
    ADMINISTRATOR: ("Sandbox", "Administrator"),
    INTEGRATION_USER: ("Business Central", "Integration"),
    SALESPERSON: ("Robin", "Sales"),
    DISABLED: ("Disabled", "User"),
    SIGN_IN_BLOCKED: ("Blocked", "User"),
    WITHOUT_ROLES: ("User", "Without Roles"),
    TEAM_ADMINISTRATOR: ("Team", "Administrator"),
    WITHOUT_CUSTOMIZER: ("Administrator", "Only"),
    CUSTOMIZER: ("System", "Customizer"),
    UNLICENSED: ("Unlicensed", "User"),
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
        "publisher": [_default_publisher()],
        "solution": [_default_solution()],
        "teammembership": [
            _pair("teammembership", teamid=ADMINISTRATORS_TEAM_ID, systemuserid=user.id)
            for user in credentials.users
            if user.alias == TEAM_ADMINISTRATOR
        ],
        "teamroles": [
            _pair("teamroles", teamid=ADMINISTRATORS_TEAM_ID, roleid=SYSTEM_ADMINISTRATOR_ROLE)
        ],
    }


def missing_members(credentials: Credentials, present: Collection[object]) -> Rows:
    """Return what an older data file lacks: users with their roles, and the default solution.

    `present` are the ids of its users and solutions.
    """
    users = [*_users(credentials), *_application_users(credentials)]
    new = [row for row in users if row["systemuserid"] not in present]
    ids = {row["systemuserid"] for row in new}
    roles = [row for row in _user_roles(credentials) if row["systemuserid"] in ids]
    missing: Rows = {"systemuser": new, "systemuserroles": roles}
    if DEFAULT_SOLUTION_ID not in present:
        missing.update(publisher=[_default_publisher()], solution=[_default_solution()])
    return {name: rows for name, rows in missing.items() if rows}


def _default_publisher() -> dict[str, object]:
    return {
        "publisherid": DEFAULT_PUBLISHER_ID,
        "uniquename": "DefaultPublishercronus",
        "friendlyname": "Default Publisher for cronus",
        "customizationprefix": "new",
        "customizationoptionvalueprefix": 10_000,
        "_organizationid_value": ORGANIZATION_ID,
    }


def _default_solution() -> dict[str, object]:
    return {
        "solutionid": DEFAULT_SOLUTION_ID,
        "uniquename": "Default",
        "friendlyname": "Default Solution",
        "version": "1.0",
        "_publisherid_value": DEFAULT_PUBLISHER_ID,
        "_organizationid_value": ORGANIZATION_ID,
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
    return [_person(user) for user in credentials.users if user.alias != NOT_A_MEMBER]


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
        "islicensed": user.alias != UNLICENSED,
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
            "lastname": _application_name(application),
            "domainname": f"crmsync.{application.label}@{DOMAIN}",
            "internalemailaddress": f"crmsync.{application.label}@{DOMAIN}",
            "applicationid": application.client_id,
            "azureactivedirectoryobjectid": application.object_id,
            "accessmode": 4,
        }
        for application in credentials.applications
        if application.id
    ]


def _application_name(application: Application) -> str:
    return f"crmsync {application.label.replace('_', ' ')}"


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
