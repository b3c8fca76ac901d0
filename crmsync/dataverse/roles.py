"""Roles: who holds which, handing them out, and what they allow.

A role is copied into every business unit, with other ids; the copies name the role of the root
business unit, and a user takes the copies of their own (Microsoft docs: "security roles").
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from crmsync.dataverse import odata
from crmsync.dataverse.client import Client, Row
from crmsync.dataverse.errors import DuplicateRow, RowMissing, UnreadableAnswer
from crmsync.dataverse.shapes import reads_an_answer
from crmsync.dataverse.solution import Depth, RolePrivilege

# Role templates are the same in every environment; names are translated, ids are not.
# Source: Microsoft BCApps, CDSIntegrationImpl.
SYSTEM_ADMINISTRATOR = UUID("627090ff-40a3-4053-8790-584edc5be201")
SYSTEM_CUSTOMIZER = UUID("119f245c-3cc8-4b62-b31c-d1a046ced15d")

_COLUMNS = "roleid,name,_roletemplateid_value,_parentrootroleid_value"
_NAMES_PER_LOOKUP = 25
_MESSAGES = "Microsoft.Dynamics.CRM."


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role that a user holds: directly, or through the team of this name.

    ``root_role_id`` is the same in every business unit; ``template_id`` is set for the roles that
    every environment has.
    """

    role_id: UUID
    root_role_id: UUID
    template_id: UUID | None
    name: str
    team: str = ""

    @property
    def is_direct(self) -> bool:
        return not self.team


def roles_held(client: Client, user_id: UUID) -> tuple[HeldRole, ...]:
    """The roles of a user, held directly and through teams."""
    path = odata.row_path("systemusers", user_id)
    direct = client.every(f"{path}/systemuserroles_association?$select={_COLUMNS}")
    expand = f"teamroles_association($select={_COLUMNS})"
    teams = client.every(f"{path}/teammembership_association?$select=name&$expand={expand}")
    return (*(_held(row) for row in direct), *_through_teams(teams))


def _through_teams(teams: Iterable[Row]) -> Iterator[HeldRole]:
    for team in teams:
        for row in _roles_of(team):
            yield _held(row, team=team.get("name") or str(team.get("teamid")))


@reads_an_answer
def _roles_of(team: Row) -> list[Row]:
    return list(team["teamroles_association"])


@reads_an_answer
def _held(row: Row, *, team: str = "") -> HeldRole:
    template = row.get("_roletemplateid_value")
    return HeldRole(
        role_id=UUID(row["roleid"]),
        root_role_id=UUID(row.get("_parentrootroleid_value") or row["roleid"]),
        template_id=UUID(template) if template else None,
        name=row["name"],
        team=team,
    )


def roles_in(client: Client, business_unit_id: UUID, role_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """For roles by the ids of the root business unit, those that stand for them in this one.

    Roles that the environment does not have are left out.
    """
    wanted = [str(role_id) for role_id in role_ids]
    if not wanted:
        return {}
    named = f"{odata.either('_parentrootroleid_value', wanted)} or {odata.either('roleid', wanted)}"
    where = f"_businessunitid_value eq {business_unit_id} and ({named})"
    path = odata.query("roles", {"$select": _COLUMNS, "$filter": where})
    held = [_held(row) for row in client.every(path)]
    return {role.root_role_id: role.role_id for role in held}


def assign_role(client: Client, user_id: UUID, role_id: UUID) -> None:
    """Give a user a role of their business unit; nothing happens when they hold it.

    Raises RowMissing for an unknown user or role, PrivilegeMissing, Rejected.
    """
    path = f"{odata.row_path('systemusers', user_id)}/systemuserroles_association/$ref"
    body = {"@odata.id": client.channel.url(odata.row_path("roles", role_id))}
    try:
        client.channel.send(
            "POST",
            path,
            headers={"Content-Type": "application/json; charset=utf-8"},
            body=orjson.dumps(body),
        )
    except DuplicateRow:
        return  # The association stands there already: that is what was asked for.


def remove_role(client: Client, user_id: UUID, role_id: UUID) -> None:
    """Take a directly held role from a user; nothing happens when they do not hold it."""
    path = f"{odata.row_path('systemusers', user_id)}/systemuserroles_association({role_id})/$ref"
    try:
        client.channel.send("DELETE", path)
    except RowMissing:
        return  # No such association, user or role: nobody holds it.


def missing_privileges(
    client: Client, user_id: UUID, wanted: Iterable[RolePrivilege]
) -> tuple[RolePrivilege, ...]:
    """Those of the privileges that the user does not have as far as wanted, in their order.

    RetrieveUserPrivileges tells what the user's own roles give; roles held through teams are
    not counted here. A privilege that the environment does not know is missing, too.
    """
    asked = list(wanted)
    ids = _privilege_ids(client, [privilege.name for privilege in asked])
    reach = _reach_by_privilege(client, user_id)
    return tuple(
        privilege
        for privilege in asked
        if reach.get(ids.get(privilege.name.lower()), -1) < privilege.depth.reach
    )


def user_may(client: Client, user_id: UUID, privilege: str) -> bool:
    """Whether a role gives a user the privilege, at whatever depth: their own, or a team's.

    Asked for one by name, the service counts the roles of teams (Microsoft docs:
    RetrieveUserPrivilegeByPrivilegeName). Raises RowMissing.
    """
    function = f"RetrieveUserPrivilegeByPrivilegeName(PrivilegeName={odata.literal(privilege)})"
    path = odata.row_path("systemusers", user_id)
    return bool(_reach(client, f"{path}/{_MESSAGES}{function}"))


def team_may(client: Client, team_id: UUID, privilege: str) -> bool:
    """Whether a role of the team itself gives the privilege, at whatever depth.

    Raises RowMissing.
    """
    wanted = _privilege_ids(client, [privilege]).get(privilege.lower())
    path = odata.row_path("teams", team_id)
    held = _reach(client, f"{path}/{_MESSAGES}RetrieveTeamPrivileges()")
    return wanted is not None and wanted in held


def _privilege_ids(client: Client, names: Sequence[str]) -> dict[str, UUID]:
    found: dict[str, UUID] = {}
    for start in range(0, len(names), _NAMES_PER_LOOKUP):
        chunk = names[start : start + _NAMES_PER_LOOKUP]
        where = odata.either("name", map(odata.literal, chunk))
        path = odata.query("privileges", {"$select": "name,privilegeid", "$filter": where})
        found |= dict(map(_privilege, client.every(path)))
    return found


@reads_an_answer
def _privilege(row: Row) -> tuple[str, UUID]:
    return row["name"].lower(), UUID(row["privilegeid"])


def _reach_by_privilege(client: Client, user_id: UUID) -> dict[UUID | None, int]:
    path = f"{odata.row_path('systemusers', user_id)}"
    return _reach(client, f"{path}/{_MESSAGES}RetrieveUserPrivileges()")


def _reach(client: Client, path: str) -> dict[UUID | None, int]:
    answer = client.channel.send("GET", path).json()
    reach: dict[UUID | None, int] = {}
    try:
        for held in answer["RolePrivileges"]:
            privilege_id = UUID(held["PrivilegeId"])
            reach[privilege_id] = max(reach.get(privilege_id, -1), Depth(held["Depth"]).reach)
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableAnswer("Sales does not say what the user may do.") from error
    return reach
