"""What a Dataverse table is: its columns, their rules and its relations.

The tables themselves are declared in `crmsync.sandbox.tables`, one file each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Final

LOOKUP_TYPE_SUFFIX: Final = "@Microsoft.Dynamics.CRM.lookuplogicalname"
VERSION_COLUMN: Final = "versionnumber"


class Kind(StrEnum):
    """The type of a column; the value is the OData type that a wrong literal is compared with."""

    TEXT = "Edm.String"
    INTEGER = "Edm.Int32"
    BIG_INTEGER = "Edm.Int64"
    DECIMAL = "Edm.Decimal"
    MONEY = "Edm.Decimal (money)"
    BOOLEAN = "Edm.Boolean"
    DATE_TIME = "Edm.DateTimeOffset"
    DATE = "Edm.Date"
    GUID = "Edm.Guid"
    CHOICE = "Edm.Int32 (choice)"
    LOOKUP = "Edm.Guid (lookup)"

    @property
    def edm(self) -> str:
        return self.value.split(" ")[0]


class Access(StrEnum):
    """When a column takes a value from a client; at other times the value is ignored."""

    FREE = "free"
    CREATE_ONLY = "create_only"
    UPDATE_ONLY = "update_only"
    READ_ONLY = "read_only"


class OnDelete(StrEnum):
    """What the deletion of the row that a lookup names does to the row holding the lookup."""

    REMOVE_LINK = "remove_link"
    RESTRICT = "restrict"
    CASCADE = "cascade"


class Ownership(StrEnum):
    USER = "UserOwned"
    ORGANIZATION = "OrganizationOwned"
    NONE = "None"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column under its Web API reading name (`_x_value` for a lookup).

    `navigations` maps the navigation property used for writing a lookup to the tables it may name.
    `required` means SystemRequired: the API itself insists. Limits are inclusive.
    """

    name: str
    kind: Kind
    length: int = 0
    minimum: float = 0
    maximum: float = 0
    precision: int = 0
    options: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    navigations: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    on_delete: OnDelete = OnDelete.REMOVE_LINK
    required: bool = False
    access: Access = Access.FREE
    default: object = None

    @cached_property
    def targets(self) -> tuple[str, ...]:
        return tuple(table for tables in self.navigations.values() for table in tables)

    @cached_property
    def type_column(self) -> str | None:
        """The stored companion that says which table a many-table lookup names."""
        return self.name + LOOKUP_TYPE_SUFFIX if len(self.targets) > 1 else None

    @property
    def attribute_name(self) -> str:
        """The logical name: what metadata and error messages call the column."""
        if self.kind is Kind.LOOKUP:
            return self.name.removeprefix("_").removesuffix("_value")
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    label: str
    statuses: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyToMany:
    """A relation kept in an intersect table; its navigation has the same name on both sides."""

    navigation: str
    intersect: str
    ends: tuple[tuple[str, str], tuple[str, str]]

    def seen_from(self, table: str) -> tuple[str, str, str]:
        """Return (own column, other column, other table) of the intersect table."""
        (first, first_column), (second, second_column) = self.ends
        if table == first:
            return first_column, second_column, second
        return second_column, first_column, first


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table: what it is called, what it holds and what may be done with it."""

    name: str
    schema_name: str
    entity_set: str
    type_code: int
    primary_id: str
    primary_name: str | None
    columns: tuple[Column, ...]
    display_name: str
    ownership: Ownership = Ownership.ORGANIZATION
    states: Mapping[int, State] = field(default_factory=lambda: MappingProxyType({}))
    change_tracking: bool = False
    bulk_messages: frozenset[str] = frozenset()
    many_to_many: tuple[ManyToMany, ...] = ()
    privilege_noun: str = ""
    is_secured: bool = True
    is_custom: bool = False
    is_creatable: bool = True
    is_updatable: bool = True
    is_deletable: bool = True

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def by_navigation(self) -> dict[str, Column]:
        return {nav: column for column in self.columns for nav in column.navigations}

    @cached_property
    def relations(self) -> dict[str, ManyToMany]:
        return {relation.navigation: relation for relation in self.many_to_many}

    @cached_property
    def lookups(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.kind is Kind.LOOKUP)

    @cached_property
    def required(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.required)

    @cached_property
    def newborn(self) -> dict[str, object]:
        """The values a new row has where nobody gave any."""
        values = {c.name: c.default for c in self.columns if c.default is not None}
        if self.states:
            state, described = next(iter(self.states.items()))
            values.update(statecode=state, statuscode=next(iter(described.statuses)))
        return values

    @cached_property
    def booleans(self) -> frozenset[str]:
        return frozenset(c.name for c in self.columns if c.kind is Kind.BOOLEAN)

    @cached_property
    def money(self) -> tuple[Column, ...]:
        """The money columns that have a computed `_base` twin."""
        return tuple(
            c for c in self.columns if c.kind is Kind.MONEY and not c.name.endswith("_base")
        )

    @cached_property
    def stored_names(self) -> tuple[str, ...]:
        """Every column of the SQL table, companions of many-table lookups included."""
        companions = (c.type_column for c in self.columns)
        return (*self.by_name, *(name for name in companions if name))

    def privilege(self, verb: str) -> str:
        """Return the privilege that `verb` (Read, Create, Write, Delete...) needs here."""
        return f"prv{verb}{self.privilege_noun or self.schema_name}"
