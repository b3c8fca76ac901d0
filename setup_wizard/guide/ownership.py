"""Who owns the records that are created in Sales, as it was chosen. No effects."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from crmsync.connections.models import Connection
from crmsync.mapping.registry import declared
from crmsync.mapping.types import TableMapping
from crmsync.terms import Scope

Ownership = Connection.Ownership


@dataclass(frozen=True, slots=True)
class OwnerChoice:
    """The team ``owner_id``, or the salesperson's user; then ``owner_id`` is the user who stands
    in for salespeople without one, None the integration user."""

    ownership: Connection.Ownership = Ownership.SALESPERSON
    owner_id: UUID | None = None
    name: str = ""

    @classmethod
    def of(cls, connection: Connection) -> "OwnerChoice":
        kind = Ownership(connection.ownership)
        return cls(kind, connection.owner_id, connection.owner_name)

    def __str__(self) -> str:
        return said(self.ownership, self.name)


@dataclass(frozen=True, slots=True)
class OwnerWish:
    """As it was asked for: ``named`` is the id or exact name of a team or user; blank: nobody."""

    ownership: Connection.Ownership = Ownership.SALESPERSON
    named: str = ""


# The salesperson's user, otherwise the integration user.
AS_SALES_DOES = OwnerChoice()
NOBODY_NAMED = OwnerWish()


def said(ownership: str, name: str) -> str:
    """As a sentence; a blank name is the integration user."""
    if ownership == Ownership.TEAM:
        return _("The team %(name)s owns them.") % {"name": name}
    if not name:
        return _("The user of the record's salesperson owns them, otherwise the integration user.")
    return _("The user of the record's salesperson owns them, otherwise %(name)s.") % {"name": name}


def creates_owned_rows(scopes: Iterable[Scope]) -> bool:
    """Whether rows are created in Sales that belong to somebody."""
    return bool(owned(scopes))


def owned(scopes: Iterable[Scope]) -> tuple[TableMapping, ...]:
    """The tables of which rows are created in Sales that belong to somebody."""
    chosen = set(scopes)
    return tuple(
        one for one in declared() if one.scope in chosen and one.creates_in_crm and one.crm_owner
    )
