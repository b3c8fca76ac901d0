"""Every table of the imitated environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Final

from crmsync.sandbox.errors import unknown_segment
from crmsync.sandbox.schema import Column, Table
from crmsync.sandbox.tables.account import ACCOUNT
from crmsync.sandbox.tables.automation import DUPLICATERULE, PROCESSINGSTEP, WORKFLOW
from crmsync.sandbox.tables.catalogue import ENTITYDEFINITION, SDKMESSAGE, SDKMESSAGEFILTER
from crmsync.sandbox.tables.columnsecurity import (
    FIELDPERMISSION,
    FIELDSECURITYPROFILE,
    PROFILE_INTERSECTS,
)
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
from crmsync.sandbox.tables.solutions import (
    ASYNCOPERATION,
    IMPORTJOB,
    PUBLISHER,
    SOLUTION,
    SOLUTIONCOMPONENT,
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
        PROCESSINGSTEP,
        WORKFLOW,
        DUPLICATERULE,
        FIELDSECURITYPROFILE,
        FIELDPERMISSION,
        *PROFILE_INTERSECTS,
        PUBLISHER,
        SOLUTION,
        SOLUTIONCOMPONENT,
        IMPORTJOB,
        ASYNCOPERATION,
    )
}


@dataclass(frozen=True)
class Schema:
    """The tables of one environment: those above, and what imported solutions added.

    `secured` names (table, column) pairs that only some callers may read or write.
    """

    tables: Mapping[str, Table]
    secured: frozenset[tuple[str, str]] = frozenset()

    def of_set(self, entity_set: str) -> Table:
        """Return the table behind an entity set name, which is case-sensitive.

        Raises the service's own 404 for an unknown name.
        """
        try:
            return self._by_entity_set[entity_set]
        except KeyError:
            raise unknown_segment(entity_set) from None

    @cached_property
    def _by_entity_set(self) -> dict[str, Table]:
        return {table.entity_set: table for table in self.tables.values()}


BUILT_IN: Final = Schema(MappingProxyType(TABLES))


def references_to(table: Table) -> list[tuple[Table, Column]]:
    """List the lookups, anywhere, that may name a row of `table`."""
    return [
        (other, column)
        for other in TABLES.values()
        for column in other.lookups
        if table.name in column.targets
    ]
