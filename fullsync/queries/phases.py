"""How far the phases of jobs are: sums over their parts, of which there are few."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any

from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Now

from crmsync.connections.wording import Wording, of_kept, of_wait
from crmsync.sync.models import Job, Part
from crmsync.terms import JobState, Outcome, PhaseName
from fullsync.models import ReviewLine
from fullsync.queries.facts import Facts
from fullsync.status import Hands, phase_state

COUNTERS = [outcome.value for outcome in Outcome]
WAYS = (PhaseName.FROM_CRM, PhaseName.TO_CRM)
# What leaves a record to somebody, or to a later run.
LEFT = (Outcome.DEFERRED, Outcome.UNDECIDED, Outcome.FAILED, Outcome.SKIPPED)


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a job: how many records had which outcome, and who works on it."""

    seen: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    parts: int = 0
    finished_parts: int = 0
    working: int = 0
    waits_until: datetime | None = None
    waits_because: str = ""

    @property
    def failed(self) -> int:
        """Refused this time, or set aside after an earlier refusal."""
        return self.outcomes.get(Outcome.FAILED, 0) + self.outcomes.get(Outcome.SKIPPED, 0)

    @property
    def attention(self) -> int:
        return sum(self.outcomes.get(outcome, 0) for outcome in LEFT)


NOTHING = Phase()
Phases = Mapping[tuple[int, str], Phase]


def phases_of(job_ids: Collection[int]) -> Phases:
    """By job and phase name; a phase that has not begun is absent. One question."""
    if not job_ids:
        return {}
    held = Q(state=JobState.RUNNING, lease_until__gt=Now())
    waits = Q(state=JobState.QUEUED, not_before__gt=Now())
    rows = (
        Part.objects.filter(job_id__in=job_ids)
        .order_by()
        .values("job_id", "phase")
        .annotate(
            records=Sum("seen"),
            parts=Count("pk"),
            finished_parts=Count("pk", filter=Q(state=JobState.FINISHED)),
            working=Count("pk", filter=held),
            waits_until=Min("not_before", filter=waits),
            because=Max("waits_because", filter=waits),
            waits_code=Max("waits_code", filter=waits),
            **{f"n_{name}": Sum(name) for name in COUNTERS},
        )
    )
    return {(row["job_id"], row["phase"]): _phase(row) for row in rows}


def phase_of(parts: Sequence[Part]) -> Phase:
    """One phase from its parts, without a question; who holds them is not looked at."""
    sums = {name: sum(getattr(part, name) for part in parts) for name in COUNTERS}
    return Phase(
        seen=sum(part.seen for part in parts),
        outcomes={name: n for name, n in sums.items() if n},
        parts=len(parts),
        finished_parts=sum(part.state == JobState.FINISHED for part in parts),
    )


def _phase(row: Mapping[str, Any]) -> Phase:
    return Phase(
        seen=row["records"] or 0,
        outcomes={name: row[f"n_{name}"] for name in COUNTERS if row[f"n_{name}"]},
        parts=row["parts"],
        finished_parts=row["finished_parts"],
        working=row["working"],
        waits_until=row["waits_until"],
        waits_because=of_wait(code=row["waits_code"] or "", because=row["because"] or ""),
    )


def hands_of(job: Job, phases: Phases, facts: Facts) -> Hands:
    """Who works on the job's present phase, or why nobody does."""
    phase = phases.get((job.pk, job.phase), NOTHING)
    return Hands(
        working=phase.working,
        alive=facts.alive,
        waits_until=phase.waits_until,
        waits_because=phase.waits_because,
        idle_since=facts.idle_since(job.requested_at),
    )


def why_stopped(job: Job | None) -> Wording:
    """Blank for a job that did not stop."""
    if job is None:
        return Wording("", "")
    return of_kept(
        code=job.error_code,
        service_code=job.error_service_code,
        sentence=job.error_sentence,
        remedy=job.error_remedy,
    )


def as_they_were(facts: Facts, lines: Iterable[ReviewLine], phases: Phases) -> Facts:
    """The facts of a run that another has followed: who needs attention now is not its doing."""
    return Facts(
        alive=facts.alive,
        last_sign_at=facts.last_sign_at,
        attention={
            line.mapping: sum(phases.get((line.job_id, way), NOTHING).attention for way in WAYS)
            for line in lines
            if line.job_id
        },
    )


def left_by_job() -> Subquery:
    """Of a row with a job, how many records it left to somebody or to a later run."""
    parts = Part.objects.filter(job_id=OuterRef("job_id"), phase__in=WAYS).order_by()
    left = reduce(add, (F(outcome.value) for outcome in LEFT))
    return Subquery(parts.values("job_id").annotate(n=Sum(left)).values("n"))


def state_of(job: Job, phase: PhaseName) -> JobState | None:
    """Where a phase of the job stands; None when the job has no such phase."""
    names = [PhaseName(name) for name in job.phases]
    if phase not in names:
        return None
    return phase_state(names, PhaseName(job.phase), phase, JobState(job.state))


def total(phases: Iterable[Phase]) -> dict[str, int]:
    """Outcomes of several phases together, in the order in which outcomes are told."""
    found = list(phases)
    sums = {name: sum(phase.outcomes.get(name, 0) for phase in found) for name in COUNTERS}
    return {name: n for name, n in sums.items() if n}
