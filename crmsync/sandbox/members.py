"""The rules of users, roles, teams and business units, beyond those of single values."""

from collections.abc import Callable, Mapping
from typing import Final
from uuid import uuid4

from crmsync.sandbox.bootstrap import ORGANIZATION_ID
from crmsync.sandbox.credentials import DOMAIN, Credentials
from crmsync.sandbox.errors import (
    DUPLICATE_RECORD,
    INVALID_ARGUMENT,
    REQUIRED_FIELD_MISSING,
    DataverseError,
    bad_request,
    not_implemented,
)
from crmsync.sandbox.rights import SYSTEM_ADMINISTRATOR_TEMPLATE
from crmsync.sandbox.schema import ManyToMany, Table
from crmsync.sandbox.store import Row, Snapshot, Transaction
from crmsync.sandbox.tables import TABLES

ONLY_ADMINISTRATOR_DISABLED: Final = "0x80041d2f"
ONLY_ADMINISTRATOR_REMOVED: Final = "0x80041d30"
DUPLICATE_ROLE_NAME: Final = "0x80041403"
NON_INTERACTIVE: Final = 4
_SUPPORT_USER: Final = 3
ROLE_HOLDERS: Final = {"systemuserroles": "systemuser", "teamroles": "team"}

_ADMINISTRATORS_SQL: Final = """
SELECT 1 FROM systemuser WHERE isdisabled = 0 AND accessmode <> ? AND systemuserid IN (
    SELECT systemuserid FROM systemuserroles JOIN role USING (roleid)
        WHERE _roletemplateid_value = ?
    UNION SELECT systemuserid FROM teammembership JOIN teamroles USING (teamid)
        JOIN role USING (roleid) WHERE _roletemplateid_value = ?)
"""


def fill_newborn(table: Table, row: Row, snapshot: Snapshot) -> None:
    """Give a new user, role or business unit what the service gives it, in place."""
    fill = _FILLS.get(table.name)
    if fill:
        fill(row, snapshot)


def follow_birth(table: Table, row: Row, transaction: Transaction) -> None:
    """Make what comes with a new row: a unit's default team, the copies of roles."""
    if table.name == "role":
        _copy_role_down(transaction, row)
    elif table.name == "businessunit":
        _add_default_team(transaction, row)
        parent = row["_parentbusinessunitid_value"]
        for role in transaction.rows(TABLES["role"], "_businessunitid_value = ?", (parent,)):
            _copy_role(transaction, role, str(row["businessunitid"]))


def add_role(transaction: Transaction, row: Row) -> None:
    """Insert a role of the root business unit together with its copies in the others."""
    row["_parentrootroleid_value"] = row["roleid"]
    transaction.insert(TABLES["role"], [row])
    _copy_role_down(transaction, row)


def check_assignment(relation: ManyToMany, ends: Mapping[str, str], snapshot: Snapshot) -> None:
    """Refuse a role of another business unit than its holder's; the code is a guess."""
    holder = ROLE_HOLDERS.get(relation.intersect)
    if holder is None:
        return
    role = snapshot.row(TABLES["role"], ends["roleid"])
    member = snapshot.row(TABLES[holder], ends[f"{holder}id"])
    if role and member and role["_businessunitid_value"] != member["_businessunitid_value"]:
        raise DataverseError(
            403,
            INVALID_ARGUMENT,
            f"The role {ends['roleid']} and the {holder} {ends[f'{holder}id']} belong to "
            "different business units.",
        )


def check_administrator_left(snapshot: Snapshot, code: str) -> None:
    """Refuse to leave an environment without an enabled System Administrator."""
    wanted = (_SUPPORT_USER, SYSTEM_ADMINISTRATOR_TEMPLATE, SYSTEM_ADMINISTRATOR_TEMPLATE)
    if snapshot.one(_ADMINISTRATORS_SQL, wanted) is None:
        raise bad_request(
            code,
            "A user cannot be disabled if they are the only user that has the System "
            "Administrator Role."
            if code == ONLY_ADMINISTRATOR_DISABLED
            else "The System Administrator role cannot be taken from the last user who has it.",
        )


def _fill_user(row: Row, snapshot: Snapshot) -> None:
    """Make an application user of an application id (docs: application users are S2S only).

    The directory knows the rest: name, object id and an address, which clients cannot choose.
    A second one for an application is refused with 412 (issue of Microsoft's Terraform provider).
    The refusal of an unknown application is a guess.
    """
    application_id = row.get("applicationid")
    if application_id is None:
        raise not_implemented("Creating users other than application users")
    application = Credentials.from_kept(_kept(snapshot)).application(str(application_id))
    if application is None:
        raise bad_request(
            INVALID_ARGUMENT,
            f"The application with id {application_id} was not found in the tenant's directory.",
        )
    if snapshot.one("SELECT 1 FROM systemuser WHERE applicationid = ?", (application_id,)):
        raise DataverseError(
            412, DUPLICATE_RECORD, "A record with matching key values already exists."
        )
    address = f"{application_id}@{DOMAIN}"
    row.update(
        accessmode=NON_INTERACTIVE,
        islicensed=False,
        azureactivedirectoryobjectid=application.object_id,
        domainname=address,
        internalemailaddress=address,
        ownerid=row["systemuserid"],
        organizationid=ORGANIZATION_ID,
    )
    row.setdefault("firstname", "#")
    row.setdefault("lastname", f"crmsync {application.label.replace('_', ' ')}")


def _kept(snapshot: Snapshot) -> dict[str, object]:
    kept = snapshot.meta("credentials")
    return kept if isinstance(kept, dict) else {}


def _fill_role(row: Row, snapshot: Snapshot) -> None:
    row.update(organizationid=ORGANIZATION_ID, _parentrootroleid_value=row["roleid"])
    taken = snapshot.one(
        "SELECT 1 FROM role WHERE name = ? COLLATE NOCASE AND _businessunitid_value = ?",
        (row.get("name"), row.get("_businessunitid_value")),
    )
    if taken:
        raise bad_request(
            DUPLICATE_ROLE_NAME, f"A role with the name '{row.get('name')}' already exists."
        )


def _fill_business_unit(row: Row, snapshot: Snapshot) -> None:
    del snapshot
    if row.get("_parentbusinessunitid_value") is None:
        raise bad_request(
            REQUIRED_FIELD_MISSING,
            "Attribute 'parentbusinessunitid' of entity 'businessunit' is required.",
        )
    row["_organizationid_value"] = ORGANIZATION_ID


def _add_default_team(transaction: Transaction, unit: Row) -> None:
    team_id = str(uuid4())
    team: Row = {
        **TABLES["team"].newborn,
        "teamid": team_id,
        "ownerid": team_id,
        "name": unit["name"],
        "isdefault": True,
        "organizationid": ORGANIZATION_ID,
        "_businessunitid_value": unit["businessunitid"],
    }
    transaction.insert(TABLES["team"], [team])


def _copy_role_down(transaction: Transaction, role: Row) -> None:
    """Copy a role into the business units below its own, as the service keeps them."""
    below = transaction.rows(
        TABLES["businessunit"],
        "_parentbusinessunitid_value = ?",
        (role["_businessunitid_value"],),
    )
    for unit in below:
        copy = _copy_role(transaction, role, str(unit["businessunitid"]))
        _copy_role_down(transaction, copy)


def _copy_role(transaction: Transaction, role: Row, unit_id: str) -> Row:
    copy: Row = {
        **role,
        "roleid": str(uuid4()),
        "_businessunitid_value": unit_id,
        "_parentroleid_value": role["roleid"],
    }
    transaction.insert(TABLES["role"], [copy])
    return copy


_FILLS: Final[dict[str, Callable[[Row, Snapshot], None]]] = {
    "systemuser": _fill_user,
    "role": _fill_role,
    "businessunit": _fill_business_unit,
}
