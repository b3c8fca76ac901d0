"""Who is calling the Web API, and what their roles let them do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from crmsync.sandbox.catalogue import privilege_id
from crmsync.sandbox.errors import DataverseError, not_implemented
from crmsync.sandbox.rights import SYSTEM_ADMINISTRATOR_TEMPLATE
from crmsync.sandbox.schema import Table
from crmsync.sandbox.store import Snapshot, among, value_list
from crmsync.sandbox.tokens import Claims

NOT_A_MEMBER: Final = "0x80072560"
NO_ROLES: Final = "0x80042f09"
PRIVILEGE_DENIED: Final = "0x80040220"
USER_DISABLED: Final = "0x80040225"

# Roles held directly and roles held through teams count alike. A copy of a role in a lower
# business unit grants what its root grants.
_ROLES_SQL: Final = """
SELECT roleid, _roletemplateid_value, coalesce(_parentrootroleid_value, roleid) FROM role
WHERE roleid IN (
    SELECT roleid FROM systemuserroles WHERE systemuserid = ?
    UNION SELECT teamroles.roleid FROM teamroles
        JOIN teammembership USING (teamid) WHERE systemuserid = ? AND ?)
"""
_ROLES_OF_TEAM_SQL: Final = """
SELECT roleid, _roletemplateid_value, coalesce(_parentrootroleid_value, roleid) FROM role
WHERE roleid IN (SELECT roleid FROM teamroles WHERE teamid = ?)
"""
_ALLOWED_SQL: Final = """
SELECT max(canread), max(cancreate), max(canupdate) FROM fieldpermission
WHERE entityname = ? AND attributelogicalname = ? AND _fieldsecurityprofileid_value IN (
    SELECT fieldsecurityprofileid FROM systemuserprofiles WHERE systemuserid = ?
    UNION SELECT fieldsecurityprofileid FROM teamprofiles
        JOIN teammembership USING (teamid) WHERE systemuserid = ?)
"""
COLUMN_CREATE_DENIED: Final = "0x8004f502"
COLUMN_UPDATE_DENIED: Final = "0x8004f507"
_ALLOWED: Final = 4
_WHOLE_ORGANIZATION: Final = 8


@dataclass(frozen=True, slots=True)
class Caller:
    """A user of the environment at work. Verdicts are remembered for the life of one request.

    `role_ids` are the roots of the roles held: privileges hang on those.
    """

    id: str
    name: str
    role_ids: tuple[str, ...]
    is_administrator: bool
    _granted: set[str] = field(default_factory=set)

    def require(self, snapshot: Snapshot, table: Table, verb: str) -> None:
        """Refuse with 403 0x80040220 unless a role grants `verb` on `table`."""
        if table.is_secured and not self._may(snapshot, table.privilege(verb)):
            raise self._denied(
                table.privilege(verb),
                f" on OTC={table.type_code} for entity '{table.name}' "
                f"(LocalizedName='{table.display_name}'). context.Caller={self.id}",
            )

    def require_named(self, snapshot: Snapshot, privilege: str) -> None:
        """Refuse with 403 0x80040220 unless a role grants a privilege that has no table."""
        if not self._may(snapshot, privilege):
            raise self._denied(privilege, "")

    def hidden_columns(self, snapshot: Snapshot, table: Table) -> frozenset[str]:
        """Name the secured columns whose values the caller may not see."""
        return frozenset(
            name
            for name in self._secured(snapshot, table)
            if self._allowances(snapshot, table, name)[0] != _ALLOWED
        )

    def check_columns(
        self, snapshot: Snapshot, table: Table, names: Iterable[str], *, creating: bool
    ) -> None:
        """Refuse with 403 to write secured columns that the caller may not write."""
        for name in self._secured(snapshot, table).intersection(names):
            if self._allowances(snapshot, table, name)[1 if creating else 2] != _ALLOWED:
                raise _column_denied(creating=creating)

    def _secured(self, snapshot: Snapshot, table: Table) -> frozenset[str]:
        if self.is_administrator or not snapshot.schema.secured:
            return frozenset()
        # The twin of a secured money column in the base currency is as secret as the column.
        return frozenset(
            name
            for owner, column in snapshot.schema.secured
            if owner == table.name
            for name in (column, f"{column}_base")
        )

    def _allowances(self, snapshot: Snapshot, table: Table, name: str) -> tuple[object, ...]:
        """Return what the caller's profiles allow: reading, creating, updating; 4 is a yes."""
        parameters = (table.name, name.removesuffix("_base"), self.id, self.id)
        return snapshot.one(_ALLOWED_SQL, parameters) or (None, None, None)

    def _may(self, snapshot: Snapshot, privilege: str) -> bool:
        if self.is_administrator or privilege in self._granted:
            return True
        depth = self._depth(snapshot, privilege)
        if 0 < depth < _WHOLE_ORGANIZATION:
            raise not_implemented(f"{privilege} below the depth of the organization")
        if depth:
            self._granted.add(privilege)
        return bool(depth)

    def _depth(self, snapshot: Snapshot, privilege: str) -> int:
        """Return the widest depth at which a role grants a privilege, as its mask; 0 for none."""
        sql = (
            "SELECT max(coalesce(privilegedepthmask, 8))"
            " FROM roleprivileges JOIN privilege USING (privilegeid)"
            " WHERE privilege.name = ? COLLATE NOCASE AND "
        )
        found = snapshot.one(sql + among("roleid"), (privilege, value_list(self.role_ids)))
        return int(str(found[0])) if found and found[0] else 0

    def _denied(self, privilege: str, where: str) -> DataverseError:
        return DataverseError(
            403,
            PRIVILEGE_DENIED,
            f"Principal user (Id={self.id}, type=8, roleCount={len(self.role_ids)}) is missing "
            f"{privilege} privilege (Id={privilege_id(privilege)}){where}",
        )


def _column_denied(*, creating: bool) -> DataverseError:
    """Make the refusal (public list of error codes; status by the table of statuses)."""
    code, right = (COLUMN_CREATE_DENIED, "create") if creating else (COLUMN_UPDATE_DENIED, "update")
    return DataverseError(
        403,
        code,
        f"The user does not have {right} permissions to a secured field. The requested operation "
        "could not be completed.",
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
    roles = roles_of(snapshot, user_id)
    if not roles:
        raise DataverseError(403, NO_ROLES, "The user has not been assigned any roles.")
    return Caller(
        id=user_id,
        name=name,
        role_ids=tuple(role.root_id for role in roles),
        is_administrator=any(role.is_administrator for role in roles),
    )


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a user holds, directly or through a team."""

    id: str
    root_id: str
    is_administrator: bool


def roles_of(snapshot: Snapshot, user_id: str, *, through_teams: bool = True) -> list[HeldRole]:
    return _as_roles(snapshot.all(_ROLES_SQL, (user_id, user_id, through_teams)))


def roles_of_team(snapshot: Snapshot, team_id: str) -> list[HeldRole]:
    return _as_roles(snapshot.all(_ROLES_OF_TEAM_SQL, (team_id,)))


def _as_roles(rows: Iterable[Sequence[object]]) -> list[HeldRole]:
    return [
        HeldRole(str(role_id), str(root_id), template == SYSTEM_ADMINISTRATOR_TEMPLATE)
        for role_id, template, root_id in rows
    ]
