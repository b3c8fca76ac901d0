"""What an environment has beyond the declared tables: added tables and columns, secured columns.

Kept as plain data beside the rows, so that it survives a restart and a reset can forget it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

from crmsync.sandbox.schema import Access, Column, Kind, Ownership, Table
from crmsync.sandbox.tables import TABLES, Schema
from crmsync.sandbox.tables.declare import (
    ACTIVE_INACTIVE,
    INTEGER_LIMIT,
    lookup,
    owner_columns,
    primary_key,
    standard_columns,
    state_columns,
)

FIRST_CUSTOM_TYPE_CODE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedColumn:
    """A column of plain values, under its logical name. `kind` is the name of a Kind."""

    name: str
    kind: str
    length: int = 0
    required: bool = False

    def column(self) -> Column:
        return Column(
            name=self.name,
            kind=Kind[self.kind],
            length=self.length,
            minimum=-INTEGER_LIMIT,
            maximum=INTEGER_LIMIT,
            precision=2,
            options={0: "No", 1: "Yes"} if self.kind == "BOOLEAN" else {},
            required=self.required,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedTable:
    """A custom table. `ownership` is the value of an Ownership."""

    name: str
    schema_name: str
    display_name: str
    entity_set: str
    primary_name: str
    ownership: str
    type_code: int
    columns: tuple[AddedColumn, ...]

    def table(self) -> Table:
        is_owned = self.ownership == Ownership.USER.value
        organization = lookup("organizationid", "organization", access=Access.READ_ONLY)
        return Table(
            name=self.name,
            schema_name=self.schema_name,
            display_name=self.display_name,
            entity_set=self.entity_set,
            type_code=self.type_code,
            primary_id=f"{self.name}id",
            primary_name=self.primary_name,
            ownership=Ownership(self.ownership),
            states=ACTIVE_INACTIVE,
            is_custom=True,
            columns=(
                primary_key(f"{self.name}id"),
                *(column.column() for column in self.columns),
                *state_columns(ACTIVE_INACTIVE),
                *(owner_columns() if is_owned else (organization,)),
                *standard_columns(),
            ),
        )


@dataclass(frozen=True, slots=True)
class Added:
    """Additions by table name; `secured` holds "table.column" names."""

    tables: Mapping[str, AddedTable] = field(default_factory=dict)
    columns: Mapping[str, tuple[AddedColumn, ...]] = field(default_factory=dict)
    secured: tuple[str, ...] = ()

    @classmethod
    def from_kept(cls, kept: object) -> Self:
        """Read what `kept()` returned; nothing at all means no additions."""
        if not isinstance(kept, Mapping):
            return cls()
        return cls(
            {name: _table(table) for name, table in kept["tables"].items()},
            {name: _columns(columns) for name, columns in kept["columns"].items()},
            tuple(kept["secured"]),
        )

    def kept(self) -> dict[str, object]:
        return asdict(self)

    def schema(self) -> Schema:
        """Return the environment's tables, additions included."""
        tables = {name: self._extended(table) for name, table in TABLES.items()}
        tables.update({name: added.table() for name, added in self.tables.items()})
        pairs = (name.partition(".") for name in self.secured)
        return Schema(tables, frozenset((table, column) for table, _, column in pairs))

    def _extended(self, table: Table) -> Table:
        more = self.columns.get(table.name)
        if not more:
            return table
        return replace(table, columns=(*table.columns, *(c.column() for c in more)))

    def with_table(self, table: AddedTable) -> Self:
        return replace(self, tables={**self.tables, table.name: table})

    def with_columns(self, table: str, columns: tuple[AddedColumn, ...]) -> Self:
        """Add columns to a table, custom or not; a column of the same name is replaced."""
        custom = self.tables.get(table)
        known = custom.columns if custom else self.columns.get(table, ())
        merged = tuple({column.name: column for column in (*known, *columns)}.values())
        if custom:
            return self.with_table(replace(custom, columns=merged))
        return replace(self, columns={**self.columns, table: merged})

    def without_table(self, table: str) -> Self:
        return replace(self, tables={n: t for n, t in self.tables.items() if n != table})

    def without_column(self, table: str, column: str) -> Self:
        left = tuple(c for c in self.columns.get(table, ()) if c.name != column)
        return replace(self, columns={**self.columns, table: left})

    def securing(self, table: str, column: str, *, secured: bool) -> Self:
        name = f"{table}.{column}"
        others = tuple(other for other in self.secured if other != name)
        return replace(self, secured=(*others, name) if secured else others)


def _table(kept: Mapping[str, Any]) -> AddedTable:
    return AddedTable(**{**kept, "columns": _columns(kept["columns"])})


def _columns(kept: Any) -> tuple[AddedColumn, ...]:
    return tuple(AddedColumn(**column) for column in kept)
