"""The synchronization log of a record: what was written, what was restored, when it was coupled."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Change, Coupling, Restoration
from crmsync.terms import Outcome, Side

PAGE_ENTRIES = 30


class Kind(StrEnum):
    """What an entry is about; among entries of one moment the order of these letters counts."""

    CHANGE = "change"
    COUPLED = "coupled"
    RESTORED = "restored"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    field: str
    stood: Any
    becomes: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. ``side`` is where it was written, None for couplings."""

    kind: Kind
    at: datetime
    key: int
    side: Side | None = None
    outcome: Outcome | None = None
    fields: tuple[FieldChange, ...] = ()
    job_id: int | None = None
    by: str = ""
    origin: str = ""
    crm_id: UUID | None = None

    @property
    def place(self) -> tuple[datetime, str, int]:
        return self.at, self.kind.value, self.key


@dataclass(frozen=True, slots=True)
class Log:
    """Newest first; ``following`` is where older entries begin, blank at the end."""

    entries: tuple[Entry, ...]
    following: str


def read_log(mapping: TableMapping, record_id: UUID, crm_id: UUID | None, before: str) -> Log:
    """Three questions, each for one page at most. ``before`` is an earlier ``following``."""
    place = _read_place(before)
    changes = Change.objects.filter(mapping=mapping.name, ledger_id=record_id)
    restored = Restoration.objects.filter(
        mapping=mapping.name, record_id__in=[one for one in (record_id, crm_id) if one]
    )
    couplings = Coupling.objects.filter(mapping=mapping.name, ledger_id=record_id)
    found = [
        *change_entries(_older(changes, "at", place)),
        *_restored(_older(restored, "at", place)),
        *_couplings(couplings),
    ]
    found.sort(key=lambda entry: entry.place, reverse=True)
    if place:
        found = [entry for entry in found if entry.place < place]
    shown = tuple(found[:PAGE_ENTRIES])
    return Log(shown, _write_place(shown[-1]) if len(found) > PAGE_ENTRIES else "")


def _older(
    rows: QuerySet[Any], column: str, place: tuple[datetime, str, int] | None
) -> Iterable[Any]:
    if place:
        rows = rows.filter(Q(**{f"{column}__lte": place[0]}))
    # Entries of the very moment may have been shown: so many more are read.
    return rows.order_by(f"-{column}", "-pk")[: 2 * PAGE_ENTRIES + 1]


def change_entries(rows: Iterable[Change]) -> Iterator[Entry]:
    for row in rows:
        yield Entry(
            Kind.CHANGE,
            row.at,
            row.pk,
            side=Side(row.side),
            outcome=Outcome(row.outcome),
            fields=tuple(_fields(row.fields)),
            job_id=row.job_id,
            crm_id=row.crm_id,
        )


def _fields(fields: Mapping[str, Mapping[str, Any]]) -> Iterator[FieldChange]:
    for name, values in fields.items():
        yield FieldChange(name, values.get("stood"), values.get("becomes"))


def _restored(rows: Iterable[Restoration]) -> Iterator[Entry]:
    for row in rows:
        fields = (FieldChange(row.field, row.stood, row.becomes),)
        yield Entry(
            Kind.RESTORED, row.at, row.pk, side=Side(row.side), fields=fields, job_id=row.job_id
        )


def _couplings(rows: Iterable[Coupling]) -> Iterator[Entry]:
    """Generations of one record are few: all are read."""
    for row in rows:
        yield Entry(
            Kind.COUPLED,
            row.coupled_at,
            row.pk,
            crm_id=row.crm_id,
            by=row.coupled_by,
            origin=row.origin,
        )
        if row.removed_at:
            yield Entry(Kind.REMOVED, row.removed_at, row.pk, crm_id=row.crm_id)


def _write_place(entry: Entry) -> str:
    return f"{entry.at.timestamp():.6f}~{entry.kind}~{entry.key}"


def _read_place(said: str) -> tuple[datetime, str, int] | None:
    """None, the first page, for anything but what ``_write_place`` wrote."""
    try:
        at, kind, key = said.split("~")
        return datetime.fromtimestamp(float(at), UTC), Kind(kind).value, int(key)
    except (ValueError, OverflowError, OSError):
        return None
