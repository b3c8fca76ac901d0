"""Who is calling the Web API, and what their roles let them do."""

from dataclasses import dataclass, field
from typing import Final

from crmsync.sandbox.bootstrap import SYSTEM_ADMINISTRATOR_TEMPLATE
from crmsync.sandbox.catalogue import privilege_id
from crmsync.sandbox.errors import DataverseError
from crmsync.sandbox.schema import Table
from crmsync.sandbox.store import Snapshot, among, value_list
from crmsync.sandbox.tokens import Claims

NOT_A_MEMBER: Final = "0x80072560"
NO_ROLES: Final = "0x80042f09"
PRIVILEGE_DENIED: Final = "0x80040220"
USER_DISABLED: Final = "0x80040225"

# Roles held directly and roles held through teams count alike.
_ROLES_SQL: Final = """
SELECT roleid, _roletemplateid_value FROM role WHERE roleid IN (
    SELECT roleid FROM systemuserroles WHERE systemuserid = ?
    UNION SELECT teamroles.roleid FROM teamroles
        JOIN teammembership USING (teamid) WHERE systemuserid = ?)
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """A user of the environment at work. Verdicts are remembered for the life of one request."""

    id: str
    name: str
    role_ids: tuple[str, ...]
    is_administrator: bool
    _granted: set[str] = field(default_factory=set)

    def require(self, snapshot: Snapshot, table: Table, verb: str) -> None:
        """Refuse with 403 0x80040220 unless a role grants `verb` on `table`."""
        privilege = table.privilege(verb)
        if self.is_administrator or not table.is_secured or privilege in self._granted:
            return
        if not self._holds(snapshot, privilege):
            raise self._denied(table, verb)
        self._granted.add(privilege)

    def _holds(self, snapshot: Snapshot, privilege: str) -> bool:
        sql = (
            "SELECT 1 FROM roleprivileges JOIN privilege USING (privilegeid)"
            " WHERE privilege.name = ? AND "
        )
        parameters = (privilege, value_list(self.role_ids))
        return snapshot.one(sql + among("roleid"), parameters) is not None

    def _denied(self, table: Table, verb: str) -> DataverseError:
        return DataverseError(
            403,
            PRIVILEGE_DENIED,
            f"Principal user (Id={self.id}, type=8, roleCount={len(self.role_ids)}) is missing "
            f"{table.privilege(verb)} privilege (Id={privilege_id(table, verb)}) on "
            f"OTC={table.type_code} for entity '{table.name}' "
            f"(LocalizedName='{table.display_name}'). context.Caller={self.id}",
        )


def caller_from(snapshot: Snapshot, claims: Claims) -> Caller:
    """Find the systemuser that an access token stands for.

    A delegated token is matched by its `oid` with azureactivedirectoryobjectid, an app-only token
    by its `appid` with applicationid (Microsoft docs: use-single-tenant-server-server).
    The code for a disabled user is a guess.
    """
    column, claim = (
        ("applicationid", "appid")
        if claims.get("idtyp") == "app"
        else ("azureactivedirectoryobjectid", "oid")
    )
    sql = f"SELECT systemuserid, fullname, isdisabled FROM systemuser WHERE {column} = ?"
    found = snapshot.one(sql, (claims.get(claim),))
    if found is None:
        raise DataverseError(403, NOT_A_MEMBER, "The user is not a member of the organization.")
    user_id, name, is_disabled = found
    if is_disabled:
        raise DataverseError(
            403,
            USER_DISABLED,
            f"The user with id {user_id} is disabled. Consider enabling this user.",
        )
    return caller_of(snapshot, str(user_id), str(name))


def caller_of(snapshot: Snapshot, user_id: str, name: str) -> Caller:
    """Load a user's roles; refuse with 403 0x80042f09 where there are none."""
    roles = [
        (str(role_id), template)
        for role_id, template in snapshot.all(_ROLES_SQL, (user_id, user_id))
    ]
    if not roles:
        raise DataverseError(403, NO_ROLES, "The user has not been assigned any roles.")
    return Caller(
        id=user_id,
        name=name,
        role_ids=tuple(role_id for role_id, _ in roles),
        is_administrator=any(t == SYSTEM_ADMINISTRATOR_TEMPLATE for _, t in roles),
    )
