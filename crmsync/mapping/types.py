"""The shape of a declaration: which table of ours stands beside which of theirs, and how.

A value passes through three forms. *Common*: cleaned, but as people typed it; this is what gets
written to the other side. *Canonical*: what is compared and kept as agreed, so that a format is
not a change. *Raw*: what a side stores.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Expression, Subquery
from django.utils.functional import Promise

from crmsync.dataverse.client import Table
from crmsync.ledger.models import LedgerRecord
from crmsync.terms import ConflictPolicy, Direction, Scope

Common = str | int | bool | None
Canonical = str | int | bool | None


class ConversionError(ValueError):
    """A value that the other side cannot take; ``details`` are the sentence's facts."""

    def __init__(self, code: str, sentence: str, **details: str | int) -> None:
        super().__init__(sentence)
        self.code = code
        self.details = details


class ParentNotCoupled(Exception):
    """A lookup points to a record that is not coupled (yet)."""

    def __init__(self, parent: str, record_id: UUID) -> None:
        super().__init__(f"{parent} {record_id} is not coupled.")
        self.parent = parent
        self.record_id = record_id


class LeftOut(Exception):
    """The field takes no part this time: a blank here says nothing about the value there."""


class Resolver(Protocol):
    """Knows which record here is which record there.

    ``owners_follow``: the owner of a row there follows its salesperson here.
    """

    base_currency_id: UUID
    owners_follow: bool

    def crm_id(self, parent: str, ledger_id: UUID) -> UUID | None:
        """The row there of a ledger record of the parent mapping, if coupled."""

    def ledger_id(self, parent: str, crm_id: UUID) -> UUID | None:
        """The ledger record of a row there, if coupled by the parent mapping."""


class Conversion(Protocol):
    """How one kind of value passes between the sides.

    Raises ConversionError for a value that the other side cannot take, and ParentNotCoupled for
    a lookup that cannot be followed, LeftOut for a value that says nothing.
    """

    def from_ledger(self, value: Any, resolver: Resolver) -> Common:
        """Raw of ours to common."""

    def from_crm(self, value: Any, resolver: Resolver) -> Common:
        """Raw of theirs to common."""

    def canonical(self, value: Common) -> Canonical:
        """Common to what is compared."""

    def body(self, column: str, value: Common) -> dict[str, Any]:
        """Common to entries of a request body."""

    def to_ledger(self, value: Common, resolver: Resolver) -> Any:
        """Common to raw of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMapping:
    """A column of ours beside one of theirs.

    ``ledger`` is an attribute (``currency_id`` for a lookup) and names the field in agreed values
    and errors; ``crm`` is the column as it is read. ``is_required``: without a value there is no
    record on the other side, so the record is refused (text) or waits (lookup). ``caption`` is
    for values that are no field of the model, which brings its own. ``takes_part``: False where an
    administrator switched the field off, or narrowed the table to the other way; its column is
    still read and can be matched by, but no value of it is brought over. ``is_hidden``: the
    integration user may not read the column; then it is not read and takes no part.
    """

    ledger: str
    crm: str
    direction: Direction
    conversion: Conversion
    is_required: bool = False
    caption: str | Promise = ""
    takes_part: bool = True
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """``field`` equals ``value``; a record is in scope when all conditions hold."""

    field: str
    value: str | int | bool | None


@dataclass(frozen=True, slots=True)
class Group:
    """Fields of the model that stand together on a card, under their caption."""

    caption: str | Promise
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """A table of ours beside one of theirs; everything else follows from this declaration.

    ``caption`` names the list of our records, ``crm_caption`` one row there (an account).
    ``listed`` are the columns of the list besides number and title. ``groups`` arrange the card:
    they may name fields of the model that are not mapped; mapped ones that no group names follow.
    """

    name: str
    caption: str | Promise
    crm_caption: str | Promise
    scope: Scope
    ledger: type[LedgerRecord]
    number: str
    title: str
    crm: Table
    crm_title: str
    direction: Direction
    fields: tuple[FieldMapping, ...]
    needs: tuple[str, ...] = ()
    ledger_scope: tuple[Condition, ...] = ()
    crm_scope: tuple[Condition, ...] = ()
    # Columns that say a row was merged away, and into which row, where the table has them.
    crm_merge: tuple[str, str] | None = None
    # The name that writes who owns a row there; blank where the whole organization does.
    crm_owner: str = ""
    crm_constants: Mapping[str, Any] = field(default_factory=dict)
    computed: Mapping[str, Expression | Subquery] = field(default_factory=dict)
    creates_in_crm: bool = False
    creates_in_ledger: bool = False
    number_series: str = ""
    unique_key: str = ""
    match_on: tuple[str, ...] = ()
    match_confirmed_by: tuple[str, ...] = ()
    conflict_policy: ConflictPolicy = ConflictPolicy.ASK
    listed: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()

    def field(self, ledger: str) -> FieldMapping:
        return next(mapped for mapped in self.fields if mapped.ledger == ledger)

    @property
    def exchanged(self) -> tuple[FieldMapping, ...]:
        """The fields whose values are brought over."""
        return tuple(mapped for mapped in self.fields if mapped.takes_part)

    @property
    def crm_columns(self) -> tuple[str, ...]:
        """Every column that is read, in a stable order, the primary key first.

        Those of fields that are switched off, too: switching costs no full read of the table, and
        what stands there is known when the field is switched on again. Not those that are hidden:
        they would look empty.
        """
        scoped = (condition.field for condition in self.crm_scope)
        mapped = (mapped.crm for mapped in self.fields if not mapped.is_hidden)
        extra = (self.crm_title, "modifiedon", *(self.crm_merge or ()))
        return tuple(dict.fromkeys((self.crm.primary_key, *mapped, *scoped, *extra)))

    @property
    def ledger_columns(self) -> tuple[str, ...]:
        mapped = (mapped.ledger for mapped in self.fields)
        return tuple(dict.fromkeys(("id", "stamp", self.number, *mapped)))
