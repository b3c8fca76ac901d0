"""Both sides of a pair as comparable values, through the mapping's conversions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crmsync.connections.models import Connection
from crmsync.mapping.conversions import Lookup
from crmsync.mapping.types import (
    Canonical,
    Common,
    Condition,
    ConversionError,
    FieldMapping,
    LeftOut,
    ParentNotCoupled,
    TableMapping,
)
from crmsync.sync.decide import FieldRule
from crmsync.sync.models import Coupling


class FieldProblem(Exception):
    """A field of the record cannot be brought to the other side."""

    def __init__(
        self, code: str, field_name: str, sentence: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{field_name}: {sentence}")
        self.code = code
        self.field_name = field_name
        self.details = details or {}


class ParentMissing(Exception):
    """A required parent is not coupled: the record waits for it."""

    def __init__(self, field_name: str, parent: str, record_id: UUID) -> None:
        super().__init__(f"{field_name}: its record of {parent} is not coupled yet.")
        self.field_name = field_name
        self.parent = parent
        self.record_id = record_id


@dataclass(frozen=True, slots=True)
class SideValues:
    """Common values to write, canonical values to compare, and fields that could not be read."""

    common: Mapping[str, Common]
    canonical: Mapping[str, Canonical]
    unresolved: frozenset[str] = frozenset()


@dataclass(slots=True)
class CouplingResolver:
    """Looks up parents by their couplings; asks the database once a page."""

    base_currency_id: UUID
    owners_follow: bool = True
    _crm_ids: dict[tuple[str, UUID], UUID | None] = field(default_factory=dict)
    _ledger_ids: dict[tuple[str, UUID], UUID | None] = field(default_factory=dict)

    @classmethod
    def of(cls, connection: Connection) -> "CouplingResolver":
        follows = connection.ownership == Connection.Ownership.SALESPERSON
        return cls(connection.base_currency_id, owners_follow=follows)

    def crm_id(self, parent: str, ledger_id: UUID) -> UUID | None:
        if (parent, ledger_id) not in self._crm_ids:
            self.prefetch(parent, [ledger_id])
        return self._crm_ids[parent, ledger_id]

    def ledger_id(self, parent: str, crm_id: UUID) -> UUID | None:
        if (parent, crm_id) not in self._ledger_ids:
            found = _live(parent).filter(crm_id=crm_id).values_list("ledger_id", flat=True)
            self._ledger_ids[parent, crm_id] = found.first()
        return self._ledger_ids[parent, crm_id]

    def prefetch(self, parent: str, ledger_ids: Iterable[UUID]) -> None:
        wanted = [one for one in set(ledger_ids) if (parent, one) not in self._crm_ids]
        pairs = _live(parent).filter(ledger_id__in=wanted).values_list("ledger_id", "crm_id")
        found = dict(pairs)
        self._crm_ids |= {(parent, one): found.get(one) for one in wanted}

    def assume(self, parent: str, ledger_id: UUID, crm_id: UUID) -> None:
        """Take a parent as coupled that is not: a preview looks at what will be."""
        self._crm_ids[parent, ledger_id] = crm_id
        self._ledger_ids[parent, crm_id] = ledger_id

    def learn(
        self,
        parent: str,
        *,
        crm_ids: Mapping[UUID, UUID | None] | None = None,
        ledger_ids: Mapping[UUID, UUID | None] | None = None,
    ) -> None:
        """Take over what was found elsewhere, so that it is not asked again."""
        self._crm_ids |= {(parent, one): other for one, other in (crm_ids or {}).items()}
        self._ledger_ids |= {(parent, one): other for one, other in (ledger_ids or {}).items()}

    def prefetch_page(self, mapping: TableMapping, rows: Sequence[Mapping[str, Any]]) -> None:
        for mapped in mapping.exchanged:
            if isinstance(mapped.conversion, Lookup):
                ids = [row[mapped.ledger] for row in rows if row[mapped.ledger] is not None]
                self.prefetch(mapped.conversion.parent, ids)


def _live(parent: str) -> Any:
    return Coupling.objects.filter(mapping=parent, removed_at__isnull=True, is_intent=False)


def rules(mapping: TableMapping) -> list[FieldRule]:
    return [FieldRule(mapped.ledger, mapped.direction) for mapped in mapping.exchanged]


def ledger_side(
    mapping: TableMapping, row: Mapping[str, Any], resolver: CouplingResolver
) -> SideValues:
    """The values of a ledger row. Raises FieldProblem or ParentMissing."""
    return _side(
        mapping, lambda mapped: mapped.conversion.from_ledger(row[mapped.ledger], resolver)
    )


def crm_side(
    mapping: TableMapping, values: Mapping[str, Any], resolver: CouplingResolver
) -> SideValues:
    """The values of a row there; a column that was not read takes no part."""

    def read(mapped: FieldMapping) -> Common:
        if mapped.crm not in values:
            raise LeftOut
        return mapped.conversion.from_crm(values[mapped.crm], resolver)

    return _side(mapping, read)


def _side(mapping: TableMapping, read: Any) -> SideValues:
    common: dict[str, Common] = {}
    unresolved: set[str] = set()
    for mapped in mapping.fields:
        # What records are matched by is known of each, also where it is not brought over.
        if not mapped.takes_part and mapped.ledger not in mapping.match_on:
            continue
        try:
            common[mapped.ledger] = read(mapped)
        except LeftOut:
            continue
        except ConversionError as error:
            raise FieldProblem(error.code, mapped.ledger, str(error), error.details) from error
        except ParentNotCoupled as error:
            if mapped.is_required:
                raise ParentMissing(mapped.ledger, error.parent, error.record_id) from error
            unresolved.add(mapped.ledger)
    canonical = {
        name: mapping.field(name).conversion.canonical(value) for name, value in common.items()
    }
    return SideValues(common, canonical, frozenset(unresolved))


def request_body(
    mapping: TableMapping, common: Mapping[str, Common], names: Iterable[str]
) -> dict[str, Any]:
    """The body that writes these fields there. Raises FieldProblem."""
    body: dict[str, Any] = {}
    for name in sorted(names):
        mapped = mapping.field(name)
        if mapped.is_required and common[name] is None:
            raise FieldProblem("required_value_missing", name, "It is empty.")
        try:
            body |= mapped.conversion.body(mapped.crm, common[name])
        except ConversionError as error:
            raise FieldProblem(error.code, name, str(error), error.details) from error
    return body


def ledger_values(
    mapping: TableMapping,
    common: Mapping[str, Common],
    names: Iterable[str],
    resolver: CouplingResolver,
) -> tuple[dict[str, Any], frozenset[str]]:
    """The attributes that write these fields here, and the optional lookups left out.

    Raises FieldProblem or ParentMissing.
    """
    written: dict[str, Any] = {}
    unresolved: set[str] = set()
    for name in sorted(names):
        mapped = mapping.field(name)
        if mapped.is_required and common[name] is None:
            raise FieldProblem("required_value_missing", name, "It is empty.")
        try:
            written[name] = mapped.conversion.to_ledger(common[name], resolver)
        except ConversionError as error:
            raise FieldProblem(error.code, name, str(error), error.details) from error
        except ParentNotCoupled as error:
            if mapped.is_required:
                raise ParentMissing(name, error.parent, error.record_id) from error
            unresolved.add(name)
    return written, frozenset(unresolved)


def in_scope(conditions: Iterable[Condition], values: Mapping[str, Any]) -> bool:
    return all(values.get(condition.field) == condition.value for condition in conditions)


def scope_filter(conditions: Iterable[Condition]) -> dict[str, Any]:
    return {condition.field: condition.value for condition in conditions}
