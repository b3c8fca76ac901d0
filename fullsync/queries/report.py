"""What a run looks like right now: true also when nobody works on it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, Subquery
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Job
from crmsync.sync.phases import phases_of as walked_by
from crmsync.terms import ACTIVE_STATES, Direction, JobState, PhaseName
from fullsync import pace, status
from fullsync.models import FullSync, ReviewLine
from fullsync.queries.facts import Facts, look_around
from fullsync.queries.phases import (
    NOTHING,
    Phases,
    as_they_were,
    hands_of,
    phases_of,
    state_of,
    total,
    why_stopped,
)
from fullsync.status import Hands, LineFacts, Said

# Reading again what was written there is no share of the way that anybody waits for.
WALKED = (PhaseName.REFRESH, PhaseName.FROM_CRM, PhaseName.TO_CRM)


@dataclass(frozen=True, slots=True)
class PhaseReport:
    """One phase of a line: its state and how many records had which outcome."""

    state: str
    seen: int
    outcomes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Need:
    """A table that must be finished first, by its caption."""

    mapping: str
    caption: str
    is_met: bool


@dataclass(frozen=True, slots=True)
class LineReport:
    """One table of the run. ``rate`` is records a second, ``done`` from 0 to 1."""

    mapping: str
    caption: str
    state: str
    says: str
    job_status: Said
    to_crm: Said
    from_crm: Said
    attempt: int
    job_id: int | None
    waits_for_job: int | None
    direction: Direction
    needs: tuple[Need, ...]
    phases: dict[str, PhaseReport]
    outcomes: dict[str, int]
    needs_attention: int
    error_sentence: str
    error_remedy: str
    rate: float | None
    seconds_left: float | None
    seconds: float | None
    done: float

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES

    @property
    def left_something(self) -> bool:
        """Restart has something to do: it did not come to its end, or left records behind."""
        return self.state != JobState.FINISHED or bool(self.needs_attention)

    @property
    def seen(self) -> int:
        return sum(phase.seen for phase in self.phases.values())


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run; ``as_json`` gives plain values.

    Of the latest is told who needs attention now, of others whom they left behind then.
    """

    id: int
    state: str
    said: Said
    limit: int | None
    modified_only: bool
    started_by: str
    cancelled_by: str
    started_at: datetime
    finished_at: datetime | None
    seconds: float
    is_put_aside: bool
    workers_alive: int
    done: float
    is_latest: bool
    lines: tuple[LineReport, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES

    @property
    def finished_lines(self) -> int:
        return sum(line.state == JobState.FINISHED for line in self.lines)

    @property
    def needs_attention(self) -> int:
        return sum(line.needs_attention for line in self.lines)

    @property
    def stopped(self) -> tuple[LineReport, ...]:
        return tuple(line for line in self.lines if line.state == JobState.STOPPED)

    @property
    def worst_first(self) -> tuple[LineReport, ...]:
        """What needs somebody stands on top; else the order in which tables run."""
        ranks = {"bad": 0, "warn": 1}
        return tuple(sorted(self.lines, key=lambda line: ranks.get(line.job_status.tone, 2)))


def latest() -> FullSync | None:
    return FullSync.objects.order_by("-pk").first()


def is_over(full_sync: FullSync) -> bool:
    return not FullSync.objects.filter(pk=full_sync.pk, state__in=ACTIVE_STATES).exists()


def report(full_sync: FullSync) -> Report:
    found = report_of(full_sync.pk)
    now = full_sync.started_at
    return found or _report(full_sync, [], {}, look_around(), now, is_latest=True)


def report_of(run_id: int | None = None) -> Report | None:
    """A run, or without a number the latest that was not put aside. Three questions.

    None: there is no such run, or it has no lines.
    """
    lines = ReviewLine.objects.select_related("full_sync", "job").order_by("ordinal")
    if run_id is None:
        shown = FullSync.objects.order_by("-pk")
        lines = lines.filter(full_sync_id=shown.values("pk")[:1], full_sync__put_aside_at=None)
    else:
        lines = lines.filter(full_sync_id=run_id)
    now = ExpressionWrapper(Now(), output_field=DateTimeField())
    newest = FullSync.objects.order_by("-pk").values("pk")[:1]
    found: list[Any] = list(lines.annotate(db_now=now, latest_id=Subquery(newest)))
    if not found:
        return None
    phases = phases_of([line.job_id for line in found if line.job_id])
    run, facts, now_there = found[0].full_sync, look_around(), found[0].db_now
    is_latest = found[0].latest_id == run.pk
    facts = facts if is_latest else as_they_were(facts, found, phases)
    return _report(run, found, phases, facts, now_there, is_latest=is_latest)


def _report(
    run: FullSync,
    lines: list[ReviewLine],
    phases: Phases,
    facts: Facts,
    now: datetime,
    *,
    is_latest: bool,
) -> Report:
    states = {line.mapping: JobState(line.state) for line in lines}
    reported = tuple(_line(line, states, phases, facts, now) for line in lines)
    works = facts.alive > 0 and any(
        phases.get((line.job.pk, line.job.phase), NOTHING).working for line in lines if line.job
    )
    attention = sum(line.needs_attention for line in reported)
    return Report(
        id=run.pk,
        state=run.state,
        said=status.of_run(JobState(run.state), attention, works=works),
        limit=run.limit,
        modified_only=run.modified_only,
        started_by=run.started_by,
        cancelled_by=run.cancelled_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
        seconds=((run.finished_at or now) - run.started_at).total_seconds(),
        is_put_aside=run.put_aside_at is not None,
        workers_alive=facts.alive,
        done=pace.overall([line.done for line in reported]),
        is_latest=is_latest,
        lines=reported,
    )


def _line(
    line: ReviewLine,
    states: Mapping[str, JobState],
    phases: Phases,
    facts: Facts,
    now: datetime,
) -> LineReport:
    job, mapping, stopped = line.job, get_mapping(line.mapping), why_stopped(line.job)
    needs = tuple(_need(name, states) for name in line.needs)
    known = _line_facts(line, needs, phases, facts)
    return LineReport(
        mapping=line.mapping,
        caption=str(mapping.caption),
        state=line.state,
        says=status.of_line(known).whole,
        job_status=status.of_line(known),
        to_crm=_way(job, PhaseName.TO_CRM, mapping, phases, known.hands),
        from_crm=_way(job, PhaseName.FROM_CRM, mapping, phases, known.hands),
        attempt=line.attempt,
        job_id=line.job_id,
        waits_for_job=known.waits_for_job,
        direction=mapping.direction,
        needs=needs,
        phases=_phases(job, phases) if job else {},
        outcomes=_outcomes(job, phases) if job else {},
        needs_attention=known.attention,
        error_sentence=stopped.in_short,
        error_remedy=stopped.remedy,
        **_pace(job, phases, now),
    )


def _line_facts(
    line: ReviewLine, needs: tuple[Need, ...], phases: Phases, facts: Facts
) -> LineFacts:
    """What its status is told from."""
    job, table = line.job, get_mapping(line.mapping).crm.logical_name
    return LineFacts(
        state=JobState(line.state),
        run_is_active=line.full_sync.state in ACTIVE_STATES,
        hands=_hands(line, phases, facts),
        unmet=tuple(need.caption for need in needs if not need.is_met),
        waits_for_job=None if job else facts.active_jobs.get(line.mapping),
        because=why_stopped(job).in_short,
        attention=facts.attention.get(line.mapping, 0) if job else 0,
        full_read_because=_(facts.full_reads.get(table, "")),
    )


def _hands(line: ReviewLine, phases: Phases, facts: Facts) -> Hands:
    if line.job:
        return hands_of(line.job, phases, facts)
    return Hands(alive=facts.alive, idle_since=facts.idle_since(line.full_sync.started_at))


def _need(name: str, states: Mapping[str, JobState]) -> Need:
    is_met = states.get(name, JobState.FINISHED) is JobState.FINISHED
    return Need(name, str(get_mapping(name).caption), is_met)


def _way(
    job: Job | None, name: PhaseName, mapping: TableMapping, phases: Phases, hands: Hands
) -> Said:
    is_walked = name in walked_by(mapping)
    if job is None or not is_walked:
        state = JobState.WAITING if is_walked else None
        return status.of_phase(state, seen=0, failed=0, hands=hands)
    phase = phases.get((job.pk, name), NOTHING)
    return status.of_phase(state_of(job, name), seen=phase.seen, failed=phase.failed, hands=hands)


def _phases(job: Job, phases: Phases) -> dict[str, PhaseReport]:
    found = {}
    for name in job.phases:
        phase = phases.get((job.pk, name), NOTHING)
        state = state_of(job, PhaseName(name)) or JobState.WAITING
        found[name] = PhaseReport(state.value, phase.seen, dict(phase.outcomes))
    return found


def _outcomes(job: Job, phases: Phases) -> dict[str, int]:
    """Of the two ways together: what was read is no outcome."""
    return total(phases.get((job.pk, name), NOTHING) for name in WALKED[1:])


def _pace(job: Job | None, phases: Phases, now: datetime) -> dict[str, Any]:
    """Speed, time left and share of a line, as fields of its report."""
    if job is None:
        return {"rate": None, "seconds_left": None, "seconds": None, "done": 0.0}
    seconds = ((job.finished_at or now) - job.requested_at).total_seconds()
    walked = [name for name in WALKED if name in job.phases]
    if job.state not in ACTIVE_STATES:
        share = 1.0 if job.state == JobState.FINISHED else 0.0
        return {"rate": None, "seconds_left": None, "seconds": seconds, "done": share}
    phase = phases.get((job.pk, job.phase), NOTHING)
    since = (now - job.phase_began_at).total_seconds() if job.phase_began_at else None
    going = pace.pace(seen=phase.seen, seconds=since, rows=job.phase_rows)
    finished = sum(state_of(job, name) is JobState.FINISHED for name in walked)
    share = pace.done(finished=finished, phases=len(walked), seen=phase.seen, rows=job.phase_rows)
    return {
        "rate": going.rate if phase.working else None,
        "seconds_left": going.seconds_left if phase.working else None,
        "seconds": seconds,
        "done": share,
    }
