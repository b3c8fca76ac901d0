"""The records of one way of a job, by outcome: what was written, and what stands in the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crmsync.mapping.captions import caption_of
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.values import in_words
from crmsync.sync.models import Change, Job, Obstacle, Restoration
from crmsync.terms import NEEDS_ATTENTION, Outcome, PhaseName, Side
from fullsync.queries.attention import Attention, told
from fullsync.queries.names import Names, names_of
from fullsync.queries.phases import NOTHING, phases_of

PAGE_ROWS = 50
RESTORED = "restored"
WRITTEN = (Outcome.INSERTED, Outcome.MODIFIED, Outcome.DELETED, Outcome.COUPLED, Outcome.UNCOUPLED)


@dataclass(frozen=True, slots=True)
class FieldChange:
    caption: str
    stood: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record: what was written and when, or what stands in its way."""

    names: Names
    at: datetime
    changes: tuple[FieldChange, ...] = ()
    attention: Attention | None = None


@dataclass(frozen=True, slots=True)
class RecordPage:
    """``counts`` by outcome, of the whole way; ``outcome`` is the one that is shown.

    ``count`` is how many records had the outcome; ``next`` is where to go on.
    """

    job: Job
    way: PhaseName
    counts: Mapping[str, int]
    outcome: str
    count: int | None
    records: tuple[Record, ...]
    next: int | None


def record_page(
    job_id: int, way: PhaseName, *, outcome: str = "", after: int | None = None
) -> RecordPage | None:
    """Records of one way with one outcome, of the most telling without one. Four questions.

    None: there is no such job, or it does not go that way.
    """
    job = Job.objects.filter(pk=job_id).first()
    if job is None or way not in job.phases:
        return None
    counts = phases_of([job_id]).get((job_id, way), NOTHING).outcomes
    chosen = outcome if outcome in (*Outcome, RESTORED) else _most_telling(counts)
    records, following = _records(job, way, chosen, after)
    return RecordPage(
        job=job,
        way=way,
        counts=counts,
        outcome=chosen,
        count=None if chosen == RESTORED else counts.get(chosen, 0),
        records=tuple(records),
        next=following,
    )


def _most_telling(counts: Mapping[str, int]) -> str:
    order = (*sorted(NEEDS_ATTENTION), *WRITTEN, Outcome.UNCHANGED)
    return next((outcome.value for outcome in order if counts.get(outcome)), Outcome.INSERTED)


def _records(
    job: Job, way: PhaseName, outcome: str, after: int | None
) -> tuple[Sequence[Record], int | None]:
    if outcome in NEEDS_ATTENTION:
        return _page(_obstacles(job, way, outcome), after, _obstructed)
    if outcome == RESTORED:
        side = _written_side(way)
        restored = Restoration.objects.filter(job_id=job.pk, side=side)
        return _page(restored, after, lambda rows: _restored(rows, _walked_side(way)))
    if outcome == Outcome.UNCHANGED:
        return (), None
    changes = Change.objects.filter(job_id=job.pk, side=_written_side(way), outcome=outcome)
    return _page(changes, after, _changed)


def _page(
    rows: Any, after: int | None, tell: Callable[[Sequence[Any]], Sequence[Record]]
) -> tuple[Sequence[Record], int | None]:
    if after is not None:
        rows = rows.filter(pk__gt=after)
    found = list(rows.order_by("pk")[: PAGE_ROWS + 1])
    shown = found[:PAGE_ROWS]
    return tell(shown), shown[-1].pk if len(found) > PAGE_ROWS else None


def _written_side(way: PhaseName) -> Side:
    return Side.CRM if way is PhaseName.TO_CRM else Side.LEDGER


def _walked_side(way: PhaseName) -> Side:
    return Side.LEDGER if way is PhaseName.TO_CRM else Side.CRM


def _obstacles(job: Job, way: PhaseName, outcome: str) -> Any:
    """What this job met; what it skipped was met by an earlier one."""
    found = Obstacle.objects.filter(mapping=job.mapping, side=_walked_side(way))
    if outcome == Outcome.SKIPPED:
        return found.filter(outcome=Outcome.FAILED).exclude(job_id=job.pk)
    return found.filter(outcome=outcome, job_id=job.pk)


def _obstructed(rows: Sequence[Obstacle]) -> list[Record]:
    return [Record(names=one.names, at=one.since, attention=one) for one in told(rows)]


def _changed(rows: Sequence[Change]) -> list[Record]:
    names = names_of((one.mapping, Side.LEDGER, one.ledger_id) for one in rows)
    return [
        Record(
            names=names[one.mapping, Side.LEDGER, one.ledger_id],
            at=one.at,
            changes=_fields(one.mapping, one.fields),
        )
        for one in rows
    ]


def _fields(mapping: str, fields: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    declared = get_mapping(mapping)
    return tuple(
        FieldChange(
            caption_of(declared, name),
            in_words(declared, name, values.get("stood")),
            in_words(declared, name, values.get("becomes")),
        )
        for name, values in fields.items()
    )


def _restored(rows: Sequence[Restoration], side: Side) -> list[Record]:
    """A restoration names the record that was walked, which stands on the other side."""
    names = names_of((one.mapping, side, one.record_id) for one in rows)
    return [
        Record(
            names=names[one.mapping, side, one.record_id],
            at=one.at,
            changes=_fields(one.mapping, {one.field: {"stood": one.stood, "becomes": one.becomes}}),
        )
        for one in rows
    ]
