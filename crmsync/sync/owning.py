"""Who owns a row there, where its salesperson does not say it. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crmsync.connections.models import Connection
from crmsync.mapping.conversions import Owner
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Coupling


@dataclass(frozen=True, slots=True)
class CreatedOwner:
    """Entries for the request that creates the row.

    ``agreed`` is for its coupling: an owner whom we set ourselves is no edit of theirs.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    agreed: Mapping[str, str] = field(default_factory=dict)


def of_created(
    mapping: TableMapping, connection: Connection, *, is_said: Collection[str]
) -> CreatedOwner:
    """The team, or without a coupled salesperson the fallback; Sales takes the caller by itself.

    ``is_said`` names the fields of the record that say something.
    """
    field_name = _field_name(mapping)
    if not mapping.crm_owner or field_name in is_said:
        return CreatedOwner()
    owner_id = connection.owner_id or connection.integration_user_id
    agreed = {field_name: str(owner_id)} if field_name else {}
    if connection.owner_id is None:
        return CreatedOwner(agreed=agreed)
    return CreatedOwner(_binding(mapping, connection, connection.owner_id), agreed)


def team_of(connection: Connection) -> str:
    """The id of the team that owns what is created; blank where none does."""
    is_team = connection.ownership == Connection.Ownership.TEAM
    return str(connection.owner_id) if is_team and connection.owner_id else ""


def not_followed(
    mapping: TableMapping, coupling: Coupling, row: Mapping[str, Any], *, owners_follow: bool
) -> UUID | None:
    """The salesperson whom the owner of the row does not follow, by what the record holds now.

    While rows belong to a team, that is whoever the record has; afterwards the same one, until the
    record gets another.
    """
    name = _field_name(mapping)
    if not name:
        return None
    present: UUID | None = row[name]
    if not owners_follow:
        return present
    return present if present == coupling.not_followed else None


def without_not_followed(
    mapping: TableMapping, row: Mapping[str, Any], salesperson: UUID | None
) -> Mapping[str, Any]:
    """The record as it is compared: that salesperson says nothing of who owns the row."""
    name = _field_name(mapping)
    if not name or salesperson is None or row[name] != salesperson:
        return row
    return {**row, name: None}


def _binding(mapping: TableMapping, connection: Connection, owner_id: UUID) -> dict[str, str]:
    entity_set = "teams" if team_of(connection) else "systemusers"
    return {f"{mapping.crm_owner}@odata.bind": f"/{entity_set}({owner_id})"}


def _field_name(mapping: TableMapping) -> str:
    owners = (one.ledger for one in mapping.fields if isinstance(one.conversion, Owner))
    return next(owners, "")
