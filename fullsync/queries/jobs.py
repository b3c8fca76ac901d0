"""Jobs: all of them by state, and one with its phases and parts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    DateTimeField,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Now

from crmsync.connections.wording import Wording, of_wait
from crmsync.mapping.registry import get_mapping
from crmsync.sync.models import Job
from crmsync.terms import ACTIVE_STATES, JobState, PhaseName
from fullsync import pace, status
from fullsync.models import ReviewLine
from fullsync.queries.attention import CauseGroup, causes_of_job, waiting_of_job
from fullsync.queries.facts import Facts, look_around
from fullsync.queries.phases import (
    NOTHING,
    Phase,
    Phases,
    hands_of,
    phase_of,
    phases_of,
    state_of,
    total,
    why_stopped,
)
from fullsync.requests import run_of_name
from fullsync.status import Hands, Said

PAGE_ROWS = 25
TABS: Mapping[str, tuple[JobState, ...]] = {
    "active": tuple(sorted(ACTIVE_STATES)),
    "finished": (JobState.FINISHED,),
    "stopped": (JobState.STOPPED,),
    "cancelled": (JobState.CANCELLED,),
}


@dataclass(frozen=True, slots=True)
class JobSummary:
    """One job in a list. ``seconds`` is how long it took, or takes so far."""

    id: int
    mapping: str
    table: str
    said: Said
    requested_by: str
    requested_by_run: int | None
    requested_at: datetime
    seconds: float
    outcomes: dict[str, int]
    limit: int | None
    is_partial: bool
    modified_only: bool
    is_reading: bool


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, how many there are by tab ("" is all), and where to go on."""

    jobs: tuple[JobSummary, ...]
    counts: Mapping[str, int]
    next: int | None


@dataclass(frozen=True, slots=True)
class PhaseOfJob:
    name: PhaseName
    said: Said
    seen: int
    outcomes: Mapping[str, int]
    parts: int
    finished_parts: int
    done: float | None


@dataclass(frozen=True, slots=True)
class PartOfJob:
    """One range of a phase: who works on it, or why it waits. ``number`` counts from one."""

    number: int
    phase: PhaseName
    said: Said
    worker: str
    seen: int
    deaths: int
    breaks: int


@dataclass(frozen=True, slots=True)
class JobReport:
    """``stopped`` says why the job stopped; its sentence is blank when it did not."""

    job: Job
    summary: JobSummary
    run_id: int | None
    phases: tuple[PhaseOfJob, ...]
    parts: tuple[PartOfJob, ...]
    causes: tuple[CauseGroup, ...]
    stopped: Wording
    rate: float | None
    seconds_left: float | None

    @property
    def is_active(self) -> bool:
        return self.job.state in ACTIVE_STATES

    def ways(self) -> tuple[PhaseName, ...]:
        """The phases that bring records somewhere."""
        return tuple(
            phase.name
            for phase in self.phases
            if phase.name in (PhaseName.TO_CRM, PhaseName.FROM_CRM)
        )


def job_page(*, tab: str = "", mapping: str = "", before: int | None = None) -> JobPage:
    """Newest first, a page at a time. Four questions."""
    jobs = Job.objects.filter(mapping=mapping) if mapping else Job.objects.all()
    counts = _counts(jobs)
    if tab:
        jobs = jobs.filter(state__in=TABS[tab])
    if before is not None:
        jobs = jobs.filter(pk__lt=before)
    found = list(
        _with_now(jobs).annotate(waiting=waiting_of_job()).order_by("-pk")[: PAGE_ROWS + 1]
    )
    shown = found[:PAGE_ROWS]
    phases, facts = phases_of([job.pk for job in shown]), look_around()
    return JobPage(
        tuple(_summary(job, phases, facts, job.waiting or 0) for job in shown),
        counts,
        shown[-1].pk if len(found) > PAGE_ROWS else None,
    )


def _counts(jobs: "QuerySet[Job]") -> dict[str, int]:
    by_state = Counter(dict(jobs.order_by().values_list("state").annotate(n=Count("pk"))))
    counts = {tab: sum(by_state[state] for state in states) for tab, states in TABS.items()}
    return {"": by_state.total(), **counts}


def _with_now(jobs: "QuerySet[Job]") -> "QuerySet[Any, Any]":
    return jobs.annotate(db_now=ExpressionWrapper(Now(), output_field=DateTimeField()))


def _summary(job: Any, phases: Phases, facts: Facts, attention: int) -> JobSummary:
    ways = [phases.get((job.pk, name), NOTHING) for name in (PhaseName.FROM_CRM, PhaseName.TO_CRM)]
    hands, stopped = hands_of(job, phases, facts), why_stopped(job)
    return JobSummary(
        id=job.pk,
        mapping=job.mapping,
        table=str(get_mapping(job.mapping).caption),
        said=status.of_job(
            JobState(job.state), hands, because=stopped.in_short, attention=attention
        ),
        requested_by=job.requested_by,
        requested_by_run=run_of_name(job.requested_by),
        requested_at=job.requested_at,
        seconds=((job.finished_at or job.db_now) - job.requested_at).total_seconds(),
        outcomes=total(ways),
        limit=job.limit,
        is_partial=job.only is not None,
        modified_only=job.modified_only,
        is_reading=list(job.phases) == [PhaseName.REFRESH],
    )


def job_report(job_id: int) -> JobReport | None:
    """One job as it stands; None when there is none. Four questions."""
    runs = ReviewLine.objects.filter(job_id=OuterRef("pk")).values("full_sync_id")[:1]
    job = _with_now(Job.objects.filter(pk=job_id)).annotate(run_id=Subquery(runs)).first()
    if job is None:
        return None
    parts, facts, causes = _held_parts(job), look_around(), causes_of_job(job)
    phases = _phases(job, parts)
    hands = hands_of(job, phases, facts)
    present = phases.get((job.pk, job.phase), NOTHING)
    since = (job.db_now - job.phase_began_at).total_seconds() if job.phase_began_at else None
    going = pace.Pace()
    if job.state in ACTIVE_STATES and present.working:
        going = pace.pace(seen=present.seen, seconds=since, rows=job.phase_rows)
    return JobReport(
        job=job,
        summary=_summary(job, phases, facts, sum(cause.count for cause in causes)),
        run_id=job.run_id,
        phases=tuple(_phase(job, PhaseName(name), phases, hands) for name in job.phases),
        parts=tuple(_part(job, part, facts) for part in parts),
        causes=causes,
        stopped=why_stopped(job),
        rate=going.rate,
        seconds_left=going.seconds_left,
    )


def _phase(job: Job, name: PhaseName, phases: Phases, hands: Hands) -> PhaseOfJob:
    phase: Phase = phases.get((job.pk, name), NOTHING)
    is_present = job.phase == name and job.state in ACTIVE_STATES
    share = min(1.0, phase.seen / job.phase_rows) if is_present and job.phase_rows else None
    said = status.of_phase(state_of(job, name), seen=phase.seen, failed=phase.failed, hands=hands)
    if job.state == JobState.FINISHED and not phase.parts:
        said = status.not_needed()
    return PhaseOfJob(
        name, said, phase.seen, phase.outcomes, phase.parts, phase.finished_parts, share
    )


def _held_parts(job: Job) -> list[Any]:
    """In the order in which they are walked; whether a lease holds is for the database to say."""
    held = Case(
        When(Q(state=JobState.RUNNING, lease_until__gt=Now()), then=Value("held")),
        When(Q(state=JobState.QUEUED, not_before__gt=Now()), then=Value("waits")),
        default=Value(""),
        output_field=CharField(),
    )
    places = {name: place for place, name in enumerate(job.phases)}
    parts: list[Any] = list(job.parts.annotate(is_held=held))
    parts.sort(key=lambda part: (places[part.phase], part.ordinal))
    return parts


def _phases(job: Job, parts: Sequence[Any]) -> Phases:
    found: dict[tuple[int, str], Phase] = {}
    for name in job.phases:
        of_phase = [part for part in parts if part.phase == name]
        waiting = [part for part in of_phase if part.is_held == "waits"]
        found[job.pk, name] = replace(
            phase_of(of_phase),
            working=sum(part.is_held == "held" for part in of_phase),
            waits_until=min((part.not_before for part in waiting), default=None),
            waits_because=max((_waits_because(part) for part in waiting), default=""),
        )
    return found


def _waits_because(part: Any) -> str:
    return of_wait(code=part.waits_code, because=part.waits_because)


def _part(job: Job, part: Any, facts: Facts) -> PartOfJob:
    hands = Hands(
        working=int(part.is_held == "held"),
        alive=facts.alive,
        waits_until=part.not_before if part.is_held == "waits" else None,
        waits_because=_waits_because(part),
        idle_since=facts.idle_since(job.requested_at),
    )
    said = status.of_part(JobState(part.state), JobState(job.state), hands)
    return PartOfJob(
        number=part.ordinal + 1,
        phase=PhaseName(part.phase),
        said=said,
        worker=part.worker,
        seen=part.seen,
        deaths=part.deaths,
        breaks=part.breaks,
    )
