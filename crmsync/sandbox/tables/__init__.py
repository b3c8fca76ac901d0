"""Every table of the imitated environment."""

from typing import Final

from crmsync.sandbox.errors import unknown_segment
from crmsync.sandbox.schema import Column, Table
from crmsync.sandbox.tables.account import ACCOUNT
from crmsync.sandbox.tables.catalogue import ENTITYDEFINITION, SDKMESSAGE, SDKMESSAGEFILTER
from crmsync.sandbox.tables.contact import CONTACT
from crmsync.sandbox.tables.organization import ORGANIZATION
from crmsync.sandbox.tables.security import (
    BUSINESSUNIT,
    INTERSECTS,
    PRIVILEGE,
    ROLE,
    SYSTEMUSER,
    TEAM,
)
from crmsync.sandbox.tables.transactioncurrency import TRANSACTIONCURRENCY

TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        ACCOUNT,
        CONTACT,
        TRANSACTIONCURRENCY,
        ORGANIZATION,
        BUSINESSUNIT,
        SYSTEMUSER,
        TEAM,
        ROLE,
        PRIVILEGE,
        *INTERSECTS,
        ENTITYDEFINITION,
        SDKMESSAGE,
        SDKMESSAGEFILTER,
    )
}

_BY_ENTITY_SET: Final = {table.entity_set: table for table in TABLES.values()}


def table_of_set(entity_set: str) -> Table:
    """Return the table behind an entity set name, which is case-sensitive.

    Raises the service's own 404 for an unknown name.
    """
    try:
        return _BY_ENTITY_SET[entity_set]
    except KeyError:
        raise unknown_segment(entity_set) from None


def references_to(table: Table) -> list[tuple[Table, Column]]:
    """List the lookups, anywhere, that may name a row of `table`."""
    return [
        (other, column)
        for other in TABLES.values()
        for column in other.lookups
        if table.name in column.targets
    ]
