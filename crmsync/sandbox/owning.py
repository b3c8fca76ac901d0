"""Who may own a row: users and owner teams that may read rows of its table.

The refusals are public (blog posts on "Principal team ... is missing prvReadAccount privilege"
and on assigning to disabled users); that of an access team is a guess.
"""

from collections.abc import Mapping
from typing import Final

from crmsync.sandbox.callers import PRIVILEGE_DENIED, USER_DISABLED
from crmsync.sandbox.catalogue import privilege_id
from crmsync.sandbox.errors import INVALID_ARGUMENT, DataverseError, bad_request
from crmsync.sandbox.rights import SYSTEM_ADMINISTRATOR_TEMPLATE
from crmsync.sandbox.schema import Table
from crmsync.sandbox.store import Snapshot
from crmsync.sandbox.tables import TABLES

_ACCESS_TEAM: Final = 1
_TEAM_TYPE_CODE: Final = 9
_USER_TYPE_CODE: Final = 8
_OWNER: Final = TABLES["account"].by_name["_ownerid_value"]
_TYPE: Final = str(_OWNER.type_column)

_HELD: Final = {
    "systemuser": """
        SELECT roleid FROM systemuserroles WHERE systemuserid = ?1
        UNION SELECT roleid FROM teamroles JOIN teammembership USING (teamid)
            WHERE systemuserid = ?1""",
    "team": "SELECT roleid FROM teamroles WHERE teamid = ?1",
}
# A copy of a role in a lower business unit grants what its root grants.
_READS: Final = """
SELECT count(*), max(_roletemplateid_value = ?3 OR EXISTS (
    SELECT 1 FROM roleprivileges JOIN privilege USING (privilegeid)
    WHERE privilege.name = ?2 COLLATE NOCASE
        AND roleprivileges.roleid = coalesce(_parentrootroleid_value, role.roleid)))
FROM role WHERE roleid IN ({held})
"""


def check(table: Table, row: Mapping[str, object], snapshot: Snapshot) -> None:
    """Refuse an owner who is disabled, is an access team, or may not read the table (403)."""
    kind, owner_id = str(row.get(_TYPE) or "systemuser"), str(row[_OWNER.name])
    owner = snapshot.row(TABLES[kind], owner_id) or {}
    if owner.get("isdisabled"):
        raise DataverseError(
            403,
            USER_DISABLED,
            f"The specified user(Id = {owner_id}) is disabled. Consider enabling this user.",
        )
    if owner.get("teamtype") == _ACCESS_TEAM:
        raise bad_request(INVALID_ARGUMENT, f"The access team {owner_id} cannot own records.")
    count, reads = _roles(table, kind, owner_id, snapshot)
    if not reads:
        raise _denied(table, kind, owner_id, count)


def _roles(table: Table, kind: str, owner_id: str, snapshot: Snapshot) -> tuple[int, bool]:
    """Return how many roles the owner has, and whether one of them lets it read the table."""
    wanted = (owner_id, table.privilege("Read"), SYSTEM_ADMINISTRATOR_TEMPLATE)
    found = snapshot.one(_READS.format(held=_HELD[kind]), wanted)
    count, reads = found or (0, 0)
    return int(str(count)), bool(reads)


def _denied(table: Table, kind: str, owner_id: str, count: int) -> DataverseError:
    noun, code = ("team", _TEAM_TYPE_CODE) if kind == "team" else ("user", _USER_TYPE_CODE)
    privilege = table.privilege("Read")
    return DataverseError(
        403,
        PRIVILEGE_DENIED,
        f"Principal {noun} (Id={owner_id}, type={code}, roleCount={count}) is missing {privilege} "
        f"privilege (Id={privilege_id(privilege)}) on OTC={table.type_code} for entity "
        f"'{table.name}'.",
    )
