"""A job's phases: opened one after the other, each cut into parts, until the job ends."""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Sum
from django.db.models.functions import Now

from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import obstacles, walk
from crmsync.sync.models import CrmRecord, Job, Part
from crmsync.sync.nudges import nudge_full_synchronizations, nudge_parts
from crmsync.terms import ACTIVE_STATES, JobState, PhaseName

# Parts are key ranges, and keys are spread evenly over 128 bits: no query is needed to cut them.
ROWS_PER_PART = 1250
MOST_PARTS = 16
_KEY_SPACE = 1 << 128


def phases_of(mapping: TableMapping) -> list[PhaseName]:
    """What a pass consists of: what came from there first, so that one pass settles both ways."""
    phases = [PhaseName.REFRESH]
    if mapping.direction.writes_ledger:
        phases.append(PhaseName.FROM_CRM)
    if mapping.direction.writes_crm:
        phases += [PhaseName.TO_CRM, PhaseName.ABSORB]
    return phases


def open_phase(job: Job, phase: PhaseName) -> None:
    """Cut the phase into parts and wake workers up. Only inside a transaction."""
    Job.objects.filter(pk=job.pk).update(
        phase_began_at=Now(), phase_rows=walk.count(get_mapping(job.mapping), job, phase)
    )
    bounds = _bounds(job, phase)
    parts = [
        Part(job=job, phase=phase, ordinal=ordinal, low=low, high=high)
        for ordinal, (low, high) in enumerate(bounds)
    ]
    Part.objects.bulk_create(parts)
    ids = list(Part.objects.filter(job=job, phase=phase).values_list("pk", flat=True))
    transaction.on_commit(lambda: nudge_parts(ids))


def _bounds(job: Job, phase: PhaseName) -> list[tuple[UUID | None, UUID | None]]:
    """Even cuts through the key space; the first and the last range are open."""
    if phase in (PhaseName.REFRESH, PhaseName.ABSORB) or job.limit or job.only:
        return [(None, None)]
    mapping = get_mapping(job.mapping)
    if phase is PhaseName.TO_CRM:
        rows = mapping.ledger._default_manager.count()
    else:
        rows = CrmRecord.objects.filter(table=mapping.crm.logical_name).count()
    count = min(MOST_PARTS, max(1, -(-rows // ROWS_PER_PART)))
    cuts = [UUID(int=_KEY_SPACE * number // count) for number in range(1, count)]
    return list(zip([None, *cuts], [*cuts, None], strict=True))


def advance(*, job_id: int) -> None:
    """Open the next phase when all parts of the present one are finished; safe to call any time."""
    job = Job.objects.filter(pk=job_id, state=JobState.RUNNING).first()
    if job is None:
        return
    following = _next_phase(job)
    unfinished = Part.objects.filter(job=OuterRef("pk"), phase=OuterRef("phase")).exclude(
        state=JobState.FINISHED
    )
    ready = Job.objects.filter(
        ~Exists(unfinished), pk=job_id, phase=job.phase, state=JobState.RUNNING
    )
    if following is None:
        if ready.exists():
            obstacles.forget_gone(get_mapping(job.mapping))
            end(job_id, JobState.FINISHED)
        return
    with transaction.atomic():
        if ready.update(phase=following):
            open_phase(job, following)


def _next_phase(job: Job) -> PhaseName | None:
    phases = [PhaseName(name) for name in job.phases]
    remaining = phases[phases.index(PhaseName(job.phase)) + 1 :]
    if remaining[:1] == [PhaseName.ABSORB] and not _has_written_there(job):
        return None
    return remaining[0] if remaining else None


def _has_written_there(job: Job) -> bool:
    """Whether rows there changed by our hand, so that reading them again is worth a request."""
    parts = job.parts.filter(phase=PhaseName.TO_CRM)
    total = parts.aggregate(n=Sum(F("inserted") + F("modified") + F("coupled")))
    return bool(total["n"])


def end(job_id: int, state: JobState, **facts: str) -> bool:
    """Bring a job to a final state and fence its workers off. True when it was active."""
    with transaction.atomic():
        ended = Job.objects.filter(pk=job_id, state__in=ACTIVE_STATES).update(
            state=state, finished_at=Now(), **facts
        )
        if ended and state is not JobState.FINISHED:
            Part.objects.filter(job_id=job_id).exclude(state=JobState.FINISHED).update(
                state=state, epoch=F("epoch") + 1, lease_until=None
            )
    if ended:
        nudge_full_synchronizations()
    return bool(ended)
