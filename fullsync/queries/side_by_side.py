"""The records that a run wrote, with their fields on both sides, from what was last read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Subquery

from crmsync.connections.models import Connection
from crmsync.mapping.captions import caption_of
from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import (
    Common,
    ConversionError,
    FieldMapping,
    LeftOut,
    ParentNotCoupled,
    TableMapping,
)
from crmsync.mapping.values import in_words
from crmsync.sync import owning
from crmsync.sync.models import Change, Coupling, CrmRecord
from crmsync.terms import ACTIVE_STATES
from fullsync.models import FullSync, ReviewLine

# A run that was started with ten touches ten records a table.
MOST_PAIRS = 50
MOST_CHANGES = 600

Row = Mapping[str, Any]
Value = Common | LeftOut


@dataclass(frozen=True, slots=True)
class FieldPair:
    """One field of both records; one that says nothing on a side takes no part."""

    caption: str
    ledger: str
    crm: str
    differs: bool
    takes_part: bool = True


@dataclass(frozen=True, slots=True)
class RecordPair:
    """Two coupled records; ``is_known`` is False when one of them is gone or was not read yet."""

    ledger_id: UUID
    number: str
    title: str
    crm_title: str
    outcome: str
    is_known: bool
    fields: tuple[FieldPair, ...]

    @property
    def differences(self) -> int:
        return sum(one.differs for one in self.fields)


@dataclass(frozen=True, slots=True)
class SideBySide:
    """``tables``: mapping and caption of each table of which the run wrote something."""

    run_id: int
    limit: int | None
    is_active: bool
    tables: tuple[tuple[str, str], ...]
    mapping: str
    pairs: tuple[RecordPair, ...]


@dataclass(slots=True)
class _KnownParents:
    """A resolver that knows what was read for this page, and asks nobody."""

    base_currency_id: UUID
    owners_follow: bool
    crm_ids: dict[tuple[str, UUID], UUID | None] = field(default_factory=dict)

    def crm_id(self, parent: str, ledger_id: UUID) -> UUID | None:
        return self.crm_ids.get((parent, ledger_id))

    def ledger_id(self, parent: str, crm_id: UUID) -> UUID | None:
        found = (known[1] for known, one in self.crm_ids.items() if one == crm_id)
        return next(found, None)


def side_by_side(run_id: int, *, table: str = "") -> SideBySide | None:
    """Pairs of one table, of the last without a name; None when there is no such run.

    Four questions, whatever the number of records.
    """
    changes = _changes(run_id)
    if not changes:
        run = FullSync.objects.filter(pk=run_id).first()
        if run is None:
            return None
        return SideBySide(run.pk, run.limit, run.state in ACTIVE_STATES, (), "", ())
    first = changes[0]
    names = list(dict.fromkeys(change.mapping for change in changes))
    chosen = table if table in names else names[-1]
    outcomes: dict[tuple[UUID, UUID], str] = {
        (change.ledger_id, change.crm_id): change.outcome
        for change in changes
        if change.mapping == chosen
    }
    return SideBySide(
        run_id=run_id,
        limit=first.run_limit,
        is_active=first.run_state in ACTIVE_STATES,
        tables=tuple((name, str(get_mapping(name).caption)) for name in names),
        mapping=chosen,
        pairs=tuple(_pairs(_known_nobody(first), chosen, outcomes)),
    )


def _changes(run_id: int) -> list[Any]:
    """What the run's jobs wrote, in order, each with the facts of the run that the page needs."""
    jobs = ReviewLine.objects.filter(full_sync_id=run_id, job__isnull=False).values("job_id")
    run = FullSync.objects.filter(pk=run_id)
    changes = Change.objects.filter(job_id__in=jobs).annotate(
        base=Subquery(Connection.objects.values("base_currency_id")[:1]),
        ownership=Subquery(Connection.objects.values("ownership")[:1]),
        run_limit=Subquery(run.values("limit")[:1]),
        run_state=Subquery(run.values("state")[:1]),
    )
    return list(changes.order_by("pk")[:MOST_CHANGES])


def _known_nobody(change: Any) -> _KnownParents:
    follows = change.ownership == Connection.Ownership.SALESPERSON
    return _KnownParents(change.base, owners_follow=follows)


def _pairs(
    known: _KnownParents, name: str, outcomes: Mapping[tuple[UUID, UUID], str]
) -> Iterable[RecordPair]:
    mapping, pairs = get_mapping(name), list(outcomes)[:MOST_PAIRS]
    rows = {row["id"]: row for row in _rows(mapping, [ours for ours, _ in pairs])}
    table = mapping.crm.logical_name
    there = CrmRecord.objects.filter(table=table, crm_id__in=[theirs for _, theirs in pairs])
    records = {record.crm_id: record for record in there}
    _learn_parents(known, mapping, rows.values())
    titles = _titles(mapping, records.values())
    for ours, theirs in pairs:
        row, record = rows.get(ours), records.get(theirs)
        is_known = bool(row and record and not record.is_deleted)
        yield RecordPair(
            ledger_id=ours,
            number=str(row[mapping.number]) if row else "",
            title=str(row[mapping.title]) if row else "",
            crm_title=record.title if record else "",
            outcome=outcomes[ours, theirs],
            is_known=is_known,
            fields=_fields(mapping, row, record, known, titles) if row and record else (),
        )


def _rows(mapping: TableMapping, ids: Sequence[UUID]) -> Any:
    """Ledger rows; for each lookup also its record's number, and the row that is coupled with."""
    extra: dict[str, Any] = {}
    for one, conversion in _lookups(mapping):
        parent = get_mapping(conversion.parent)
        live = Coupling.objects.filter(
            mapping=parent.name, ledger_id=OuterRef(one.ledger), removed_at__isnull=True
        )
        extra[f"shown_{one.ledger}"] = F(f"{one.ledger.removesuffix('_id')}__{parent.number}")
        extra[f"coupled_{one.ledger}"] = Subquery(live.values("crm_id")[:1])
    own = Coupling.objects.filter(
        mapping=mapping.name, ledger_id=OuterRef("pk"), removed_at__isnull=True
    )
    extra["own_not_followed"] = Subquery(own.values("not_followed")[:1])
    rows: Any = mapping.ledger._default_manager.filter(pk__in=ids)
    columns = dict.fromkeys((*mapping.ledger_columns, mapping.title, *extra))
    return rows.annotate(**mapping.computed, **extra).values(*columns)


def _lookups(mapping: TableMapping) -> list[tuple[FieldMapping, Lookup]]:
    return [(one, one.conversion) for one in mapping.fields if isinstance(one.conversion, Lookup)]


def _learn_parents(known: _KnownParents, mapping: TableMapping, rows: Iterable[Row]) -> None:
    for row in rows:
        for one, conversion in _lookups(mapping):
            if row[one.ledger] is not None:
                known.crm_ids[conversion.parent, row[one.ledger]] = row[f"coupled_{one.ledger}"]


def _titles(mapping: TableMapping, records: Iterable[CrmRecord]) -> dict[str, str]:
    """What the rows are called that lookups there point to, by id as text."""
    lookups = _lookups(mapping)
    found = {record.values.get(one.crm) for record in records for one, _ in lookups} - {None}
    if not found:
        return {}
    tables = {get_mapping(conversion.parent).crm.logical_name for _, conversion in lookups}
    rows = CrmRecord.objects.filter(table__in=tables, crm_id__in=found)
    return {str(crm_id): title for crm_id, title in rows.values_list("crm_id", "title")}


def _fields(
    mapping: TableMapping,
    row: Row,
    record: CrmRecord,
    known: _KnownParents,
    titles: Mapping[str, str],
) -> tuple[FieldPair, ...]:
    return tuple(_field(mapping, one, row, record, known, titles) for one in mapping.fields)


def _field(
    mapping: TableMapping,
    one: FieldMapping,
    row: Row,
    record: CrmRecord,
    known: _KnownParents,
    titles: Mapping[str, str],
) -> FieldPair:
    compared = owning.without_not_followed(mapping, row, row["own_not_followed"])
    ours = _read(lambda: one.conversion.from_ledger(compared[one.ledger], known))
    theirs = _read(lambda: one.conversion.from_crm(record.values[one.crm], known))
    shown_here, shown_there = _shown(ours, row[one.ledger]), _shown(theirs, None)
    if isinstance(one.conversion, Lookup):
        shown_here = row[f"shown_{one.ledger}"]
        shown_there = titles.get(str(shown_there), shown_there)
    is_said = not (isinstance(ours, LeftOut) or isinstance(theirs, LeftOut))
    takes_part = one.takes_part and is_said
    return FieldPair(
        caption=caption_of(mapping, one.ledger),
        ledger=in_words(mapping, one.ledger, shown_here),
        crm=in_words(mapping, one.ledger, shown_there),
        differs=takes_part and _differ(one, ours, theirs),
        takes_part=takes_part,
    )


def _read(read: Callable[[], Common]) -> Value:
    """A value, or LeftOut when it says nothing or cannot be brought over."""
    try:
        return read()
    except LeftOut as nothing:
        return nothing
    except (ConversionError, ParentNotCoupled, KeyError):
        return LeftOut()


def _shown(value: Value, otherwise: Any) -> Common:
    return otherwise if isinstance(value, LeftOut) else value


def _differ(one: FieldMapping, ours: Value, theirs: Value) -> bool:
    if isinstance(ours, LeftOut) or isinstance(theirs, LeftOut):
        return False
    return one.conversion.canonical(ours) != one.conversion.canonical(theirs)
