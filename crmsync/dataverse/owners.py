"""Who can own rows in an environment: its users, and its owner teams."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crmsync.dataverse import odata
from crmsync.dataverse.administration import AccessMode
from crmsync.dataverse.client import Client, Row, Table
from crmsync.dataverse.shapes import reads_an_answer

_USERS = Table("systemuser", "systemusers", "systemuserid")
_TEAMS = Table("team", "teams", "teamid")
# ``team.teamtype`` (Microsoft's Common Data Model, team): an access team owns nothing, and groups
# of Microsoft Entra own as other owner teams do.
_ACCESS_TEAM = 1


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or a team, by the name that people know."""

    row_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Team:
    """``roles`` are the names of the roles that the team itself holds."""

    row_id: UUID
    name: str
    is_owner_team: bool
    roles: tuple[str, ...]


def owning_users(client: Client, *, most: int) -> tuple[Principal, ...] | None:
    """Enabled users with a licence, by name; None where there are more than ``most``."""
    where = f"isdisabled eq false and islicensed eq true and accessmode ne {AccessMode.SUPPORT:d}"
    return _principals(client, _USERS, "fullname", where, most)


def owning_teams(client: Client, *, most: int) -> tuple[Principal, ...] | None:
    """Teams that can own rows, by name; None where there are more than ``most``."""
    return _principals(client, _TEAMS, "name", f"teamtype ne {_ACCESS_TEAM}", most)


def users_named(client: Client, name: str) -> tuple[UUID, ...]:
    """Users with this full or user name."""
    wanted = odata.literal(name)
    return _ids(client, _USERS, f"fullname eq {wanted} or domainname eq {wanted}")


def teams_named(client: Client, name: str) -> tuple[UUID, ...]:
    return _ids(client, _TEAMS, f"name eq {odata.literal(name)}")


def team(client: Client, team_id: UUID) -> Team:
    """One team with the roles that it holds itself. Raises RowMissing."""
    path = odata.row_path("teams", team_id)
    row = client.channel.send("GET", f"{path}?$select=name,teamtype").json()
    roles = client.every(f"{path}/teamroles_association?$select=name")
    return _team(team_id, row, tuple(roles))


@reads_an_answer
def _team(team_id: UUID, row: Mapping[str, Any], roles: tuple[Row, ...]) -> Team:
    names = tuple(sorted(str(role["name"]) for role in roles))
    return Team(team_id, str(row["name"]), row["teamtype"] != _ACCESS_TEAM, names)


def _principals(
    client: Client, table: Table, title: str, where: str, most: int
) -> tuple[Principal, ...] | None:
    page = client.first_page(
        table, columns=[table.primary_key, title], where=where, page_size=most + 1
    )
    if page.next_link or len(page.rows) > most:
        return None
    found = [_principal(row, table.primary_key, title) for row in page.rows]
    return tuple(sorted(found, key=lambda one: one.name.casefold()))


@reads_an_answer
def _principal(row: Row, key: str, title: str) -> Principal:
    return Principal(UUID(row[key]), str(row[title] or ""))


def _ids(client: Client, table: Table, where: str) -> tuple[UUID, ...]:
    page = client.first_page(table, columns=[table.primary_key], where=where, page_size=2)
    return tuple(_principal_id(row, table.primary_key) for row in page.rows)


@reads_an_answer
def _principal_id(row: Row, key: str) -> UUID:
    return UUID(row[key])
