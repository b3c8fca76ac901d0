"""Functions and actions of one row: what a user or team may do, who is in a team."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from crmsync.sandbox.callers import HeldRole, roles_of, roles_of_team
from crmsync.sandbox.calls import Call
from crmsync.sandbox.errors import DUPLICATE_RECORD, DataverseError, bad_payload, not_implemented
from crmsync.sandbox.functions import complex_answer
from crmsync.sandbox.messages import Request, Response
from crmsync.sandbox.payloads import TYPE_PREFIX, json_object
from crmsync.sandbox.query import Query
from crmsync.sandbox.reading import Reader
from crmsync.sandbox.store import Snapshot, among, value_list
from crmsync.sandbox.tables import TABLES
from crmsync.sandbox.values import canonical_guid
from crmsync.sandbox.writing import Writer

_DEPTHS: Final = {8: "Global", 4: "Deep", 2: "Local", 1: "Basic"}
_USER: Final = TABLES["systemuser"]
_TEAM: Final = TABLES["team"]
_CALL: Final = re.compile(r"(?P<name>\w+)(?:\((?P<arguments>.*)\))?")

Bound = Callable[[Call, Request, str, str], Response]


def answer(call: Call, request: Request, table: str, row_id: str, segment: str) -> Response:
    """Carry out a function or action that is bound to a row of `table`."""
    match = _CALL.fullmatch(segment.removeprefix(TYPE_PREFIX))
    found = _BOUND.get((request.method, table, match["name"])) if match else None
    if match is None or found is None:
        raise not_implemented(f"{request.method} of the message '{segment}'")
    return found(call, request, row_id, match["arguments"] or "")


def _privileges(call: Call, request: Request, user_id: str, arguments: str) -> Response:
    del arguments
    with call.reading(request) as reader:
        privileges = _held(reader, user_id, None)
    return complex_answer(request, "RetrieveUserPrivilegesResponse", {"RolePrivileges": privileges})


def _privilege_by_name(call: Call, request: Request, user_id: str, arguments: str) -> Response:
    match = re.fullmatch(r"PrivilegeName='(\w+)'", arguments)
    if match is None:
        raise bad_payload("systemusers", "The function needs the parameter PrivilegeName.")
    with call.reading(request) as reader:
        privileges = _held(reader, user_id, match[1])
    return complex_answer(
        request,
        "RetrieveUserPrivilegeByPrivilegeNameResponse",
        {"RolePrivileges": privileges},
    )


def _held(reader: Reader, user_id: str, name: str | None) -> list[dict[str, object]]:
    """List the privileges of a user's roles, at the widest depth that any role gives.

    Asked for all privileges, the service leaves out the roles of teams; asked for one by name, it
    counts them (Microsoft docs of the two functions).
    """
    reader.one(_USER, user_id, Query(select=("systemuserid", "_businessunitid_value")))
    snapshot = reader.snapshot
    roles = roles_of(snapshot, user_id, through_teams=name is not None)
    unit = snapshot.one(
        "SELECT _businessunitid_value FROM systemuser WHERE systemuserid = ?", (user_id,)
    )
    return _given(snapshot, roles, unit, name)


def _team_privileges(call: Call, request: Request, team_id: str, arguments: str) -> Response:
    """List what the roles of a team itself give (Microsoft docs: RetrieveTeamPrivileges)."""
    del arguments
    with call.reading(request) as reader:
        reader.one(_TEAM, team_id, Query(select=("teamid", "_businessunitid_value")))
        roles = roles_of_team(reader.snapshot, team_id)
        unit = reader.snapshot.one(
            "SELECT _businessunitid_value FROM team WHERE teamid = ?", (team_id,)
        )
        privileges = _given(reader.snapshot, roles, unit, None)
    return complex_answer(request, "RetrieveTeamPrivilegesResponse", {"RolePrivileges": privileges})


def _given(
    snapshot: Snapshot, roles: list[HeldRole], unit: tuple[object, ...] | None, name: str | None
) -> list[dict[str, object]]:
    is_all = any(role.is_administrator for role in roles)
    found = _all_privileges(snapshot) if is_all else _granted(snapshot, [r.root_id for r in roles])
    return [
        {
            "Depth": _DEPTHS[mask],
            "PrivilegeId": privilege_id,
            "BusinessUnitId": unit[0] if unit else None,
        }
        for privilege_id, (label, mask) in found.items()
        if name is None or label.lower() == name.lower()
    ]


def _all_privileges(snapshot: Snapshot) -> dict[str, tuple[str, int]]:
    rows = snapshot.all("SELECT privilegeid, name FROM privilege ORDER BY name")
    return {str(privilege_id): (str(name), 8) for privilege_id, name in rows}


def _granted(snapshot: Snapshot, role_ids: list[str]) -> dict[str, tuple[str, int]]:
    sql = (
        "SELECT privilegeid, name, max(coalesce(privilegedepthmask, 8)) FROM roleprivileges"
        f" JOIN privilege USING (privilegeid) WHERE {among('roleid')}"
        " GROUP BY privilegeid, name ORDER BY name"
    )
    return {
        str(privilege_id): (str(name), int(str(mask)))
        for privilege_id, name, mask in snapshot.all(sql, (value_list(role_ids),))
    }


def _add_members(call: Call, request: Request, team_id: str, arguments: str) -> Response:
    """Add users to a team; who is a member already stays one (a guess)."""
    del arguments
    with call.writing() as writer:
        for user_id in _members(json_object(request, "teams")):
            _add_member(writer, team_id, user_id)
    return Response(204)


def _add_member(writer: Writer, team_id: str, user_id: str) -> None:
    relation = _TEAM.relations["teammembership_association"]
    try:
        writer.associate(_TEAM, team_id, relation, user_id)
    except DataverseError as error:
        if error.code != DUPLICATE_RECORD:
            raise


def _remove_members(call: Call, request: Request, team_id: str, arguments: str) -> Response:
    del arguments
    relation = _TEAM.relations["teammembership_association"]
    with call.writing() as writer:
        for user_id in _members(json_object(request, "teams")):
            writer.dissociate(_TEAM, team_id, relation, user_id)
    return Response(204)


def _members(body: Mapping[str, object]) -> list[str]:
    members = body.get("Members")
    if not isinstance(members, list) or not members:
        raise bad_payload("teams", "The parameter 'Members' must be a collection.")
    return [_member(member) for member in members]


def _member(member: object) -> str:
    """Read a member: `ownerid` is the key of users in the service's type system."""
    described = member if isinstance(member, dict) else {}
    if described.get("@odata.type") not in {
        f"{TYPE_PREFIX}systemuser",
        f"#{TYPE_PREFIX}systemuser",
    }:
        raise bad_payload("teams", "Every member must state its '@odata.type'.")
    found = canonical_guid(described.get("ownerid") or described.get("systemuserid"))
    if found is None:
        raise bad_payload("teams", "Every member must state its 'ownerid'.")
    return found


_BOUND: Final[dict[tuple[str, str, str], Bound]] = {
    ("GET", "systemuser", "RetrieveUserPrivileges"): _privileges,
    ("GET", "systemuser", "RetrieveUserPrivilegeByPrivilegeName"): _privilege_by_name,
    ("GET", "team", "RetrieveTeamPrivileges"): _team_privileges,
    ("POST", "team", "AddMembersTeam"): _add_members,
    ("POST", "team", "RemoveMembersTeam"): _remove_members,
}
