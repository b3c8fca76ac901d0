"""Who owns a row that we create there, where its salesperson does not say it. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crmsync.connections.models import Connection
from crmsync.mapping.conversions import Owner
from crmsync.mapping.types import TableMapping


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


def _binding(mapping: TableMapping, connection: Connection, owner_id: UUID) -> dict[str, str]:
    is_team = connection.ownership == Connection.Ownership.TEAM
    entity_set = "teams" if is_team else "systemusers"
    return {f"{mapping.crm_owner}@odata.bind": f"/{entity_set}({owner_id})"}


def _field_name(mapping: TableMapping) -> str:
    owners = (one.ledger for one in mapping.fields if isinstance(one.conversion, Owner))
    return next(owners, "")
