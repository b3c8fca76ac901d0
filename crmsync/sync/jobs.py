"""A job's life: requested once a mapping, walked phase by phase in slices, swept when left behind.

The rows say what is true. Messages only wake somebody up to look at them.
"""

import logging
import time
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Now

from crmsync.connections import services as connections
from crmsync.connections.errors import ConnectionProblem
from crmsync.dataverse.errors import DataverseError, Throttled, TransientError
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import leases, obstacles, pull, push, refresh
from crmsync.sync.couplings import CouplingChanged
from crmsync.sync.leases import Lease, LeaseLost
from crmsync.sync.models import CrmRecord, Job, Part
from crmsync.sync.nudges import nudge_full_synchronizations, nudge_parts
from crmsync.sync.slices import Slice
from crmsync.terms import ACTIVE_STATES, JobState, PhaseName

logger = logging.getLogger(__name__)

# Parts are key ranges, and keys are spread evenly over 128 bits: no query is needed to cut them.
ROWS_PER_PART = 1250
MOST_PARTS = 16
_KEY_SPACE = 1 << 128

# Between two looks at parts that wait or that another worker owns.
DRIVE_PAUSE_SECONDS = 0.2
# A person waits for this: after so many failures in a row it is better to say so.
READING_BREAKS = 3
# Caution names a culprit by the third; what goes on after that has another cause.
MOST_DEATHS = 12
BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)


class AlreadyActive(Exception):
    """The mapping has a job under way: there is never a second one."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"Job {job.pk} of {job.mapping} is under way.")
        self.job = job


class KeepsFailing(Exception):
    """Neither caution nor patience helped: a person must look."""

    code = "keeps_failing"
    remedy = "Look at the worker's log, mend the cause, then 'manage.py fullsync restart'."


class ReadingStopped(Exception):
    """Sales could not be read; ``str()`` says why."""

    code = "reading_stopped"

    def __init__(self, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.remedy = remedy


def request(
    *,
    mapping: str,
    by: str,
    limit: int | None = None,
    retries_failed: bool = False,
    refresh_only: bool = False,
) -> Job:
    """Ask for one pass over a mapping. Raises AlreadyActive, or LookupError for its name."""
    declared = get_mapping(mapping)
    phases = [PhaseName.REFRESH] if refresh_only else phases_of(declared)
    try:
        with transaction.atomic():
            job = Job.objects.create(
                mapping=mapping,
                state=JobState.RUNNING,
                phases=phases,
                phase=phases[0],
                limit=limit,
                retries_failed=retries_failed,
                requested_by=by,
            )
            _open_phase(job, PhaseName(phases[0]))
    except IntegrityError as error:
        active = Job.objects.filter(mapping=mapping, state__in=ACTIVE_STATES).first()
        if active is None:
            raise
        raise AlreadyActive(active) from error
    return job


def phases_of(mapping: TableMapping) -> list[PhaseName]:
    """What a pass consists of: what came from there first, so that one pass settles both ways."""
    phases = [PhaseName.REFRESH]
    if mapping.direction.writes_ledger:
        phases.append(PhaseName.FROM_CRM)
    if mapping.direction.writes_crm:
        phases += [PhaseName.TO_CRM, PhaseName.ABSORB]
    return phases


def cancel(*, job_id: int) -> bool:
    """Stop at once: no worker of the job passes its next fence. True when it was active."""
    return _end(job_id, JobState.CANCELLED)


def _end(job_id: int, state: JobState, **facts: str) -> bool:
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


def drive(*, job_id: int, worker: str, most_breaks: int | None = None) -> Job:
    """Work on a job here and now until it is over, beside whatever workers there are.

    With ``most_breaks`` it is cancelled when Sales breaks off that often in a row.
    """
    while True:
        if most_breaks and Part.objects.filter(job_id=job_id, breaks__gte=most_breaks).exists():
            cancel(job_id=job_id)
        job = Job.objects.get(pk=job_id)
        if job.state not in ACTIVE_STATES:
            return job
        part_ids = job.parts.filter(phase=job.phase).exclude(state=JobState.FINISHED)
        for part_id in part_ids.values_list("pk", flat=True):
            run_slice(part_id=part_id, worker=worker)
        advance(job_id=job_id)
        if Job.objects.filter(pk=job_id, phase=job.phase, state=JobState.RUNNING).exists():
            time.sleep(DRIVE_PAUSE_SECONDS)


def read_sales(*, mapping: str, by: str) -> None:
    """Bring what we know of the mapping's table there up to date, here and now.

    A job of the mapping that is under way has read Sales itself: then nothing is done here. Raises
    NotConnected, Disabled, ReadingStopped.
    """
    connections.get_connection()
    try:
        job = request(mapping=mapping, by=by, refresh_only=True)
    except AlreadyActive:
        return
    job = drive(job_id=job.pk, worker=by, most_breaks=READING_BREAKS)
    if job.state == JobState.STOPPED:
        raise ReadingStopped(job.error_sentence, job.error_remedy)
    if job.state != JobState.FINISHED:
        because = job.parts.order_by("-breaks").values_list("waits_because", flat=True).first()
        raise ReadingStopped(
            because or "Reading Sales was cancelled.",
            "Check with 'manage.py doctor' whether Sales can be reached, then try again.",
        )


# Slices


def run_slice(*, part_id: int, worker: str) -> None:
    """Work on a part for about fifteen seconds, if nobody else does."""
    lease = leases.claim(part_id, worker=worker)
    if lease is None:
        return
    try:
        _work(lease)
    except LeaseLost:
        logger.info("Part %s was taken over or ended.", part_id)
        return
    except TransientError as error:
        _break_off(lease, error)
    except (pull.LedgerChanged, CouplingChanged, IntegrityError):
        leases.wait(lease, seconds=0, because="a record was edited meanwhile", is_break=False)
    except (DataverseError, ConnectionProblem, KeepsFailing) as error:
        _stop(lease, error)
    except (OperationalError, InterfaceError):
        # The database went away: nothing can be written now, the lease will run out.
        logger.exception("Part %s is left to the sweep.", part_id)
        connection.close()
        return
    except Exception:
        logger.exception("Part %s met an error nobody foresaw.", part_id)
        leases.stumble(lease)
    after_slice(part_id)


def _work(lease: Lease) -> None:
    work = _open_slice(lease)
    run_page = _page_runner(work)
    while work.allowance != 0 and run_page(work):
        if work.is_over:
            leases.release(lease)
            return
        work.part.refresh_from_db(fields=["deaths", "breaks"])
    with leases.fenced(lease):
        leases.finish(lease)


def _open_slice(lease: Lease) -> Slice:
    part = Part.objects.select_related("job").get(pk=lease.part_id)
    if part.deaths >= MOST_DEATHS:
        raise KeepsFailing("Work on this table failed again and again at the same place.")
    found = connections.get_connection()
    client = connections.open_client(connection=found)
    leases.renew(lease)
    mapping = get_mapping(part.job.mapping)
    return Slice(lease, part, part.job, mapping, found, client, _allowance(part))


def _allowance(part: Part) -> int | None:
    """What is left of the job's limit: records touched in any phase count against it.

    Where both ways are walked, the first one takes half at most, so that both are seen.
    """
    job = part.job
    if job.limit is None or part.phase in (PhaseName.REFRESH, PhaseName.ABSORB):
        return None
    limit = job.limit
    if part.phase == PhaseName.FROM_CRM and PhaseName.TO_CRM in job.phases:
        limit = -(-limit // 2)
    touched = job.parts.aggregate(n=Sum(F("seen") - F("unchanged")))["n"] or 0
    return max(0, limit - touched)


def _page_runner(work: Slice) -> Callable[[Slice], bool]:
    if work.part.phase == PhaseName.TO_CRM:
        to_crm = push.start(work)
        return lambda work: push.run_page(work, to_crm)
    if work.part.phase == PhaseName.FROM_CRM:
        from_crm = pull.start(work)
        return lambda work: pull.run_page(work, from_crm)
    return refresh.run_page


def _break_off(lease: Lease, error: TransientError) -> None:
    """Try again later; nothing is marked failed. A wait that Sales asked for is no break."""
    logger.warning("Part %s waits: %s", lease.part_id, error)
    if isinstance(error, Throttled):
        seconds, is_break = error.retry_after, False
        connections.close_gate(seconds=seconds)
    else:
        breaks = Part.objects.values_list("breaks", flat=True).get(pk=lease.part_id)
        seconds, is_break = BACKOFF_SECONDS[min(breaks, len(BACKOFF_SECONDS) - 1)], True
    leases.wait(lease, seconds=seconds, because=str(error), is_break=is_break)


def _stop(lease: Lease, error: DataverseError | ConnectionProblem | KeepsFailing) -> None:
    """The table or the whole connection is refused: one message, not one a record."""
    try:
        leases.renew(lease)
    except LeaseLost:
        return
    job_id = Part.objects.values_list("job_id", flat=True).get(pk=lease.part_id)
    logger.error("Job %s stops: %s", job_id, error)
    _end(
        job_id,
        JobState.STOPPED,
        error_code=error.code,
        error_sentence=str(error),
        error_remedy=error.remedy,
    )


# Phases


def after_slice(part_id: int) -> None:
    """What one slice makes possible: its next one, or the next phase."""
    part = Part.objects.filter(pk=part_id).first()
    if part is None:
        return
    if part.state == JobState.QUEUED:
        nudge_parts([part_id])
    elif part.state == JobState.FINISHED:
        advance(job_id=part.job_id)


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
            _end(job_id, JobState.FINISHED)
        return
    with transaction.atomic():
        if ready.update(phase=following):
            _open_phase(job, following)


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


def _open_phase(job: Job, phase: PhaseName) -> None:
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
    if phase in (PhaseName.REFRESH, PhaseName.ABSORB) or job.limit is not None:
        return [(None, None)]
    mapping = get_mapping(job.mapping)
    if phase is PhaseName.TO_CRM:
        rows = mapping.ledger._default_manager.count()
    else:
        rows = CrmRecord.objects.filter(table=mapping.crm.logical_name).count()
    count = min(MOST_PARTS, max(1, -(-rows // ROWS_PER_PART)))
    cuts = [UUID(int=_KEY_SPACE * number // count) for number in range(1, count)]
    return list(zip([None, *cuts], [*cuts, None], strict=True))


# The sweep


def sweep() -> None:
    """Wake up whatever was left behind: parts nobody works on, phases nobody opened."""
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=Now())
    due = Q(not_before__isnull=True) | Q(not_before__lte=Now())
    left = Part.objects.filter(free & due, leases.in_present_phase())
    nudge_parts(list(left.values_list("pk", flat=True)[: settings.CRMSYNC_WORKER_THREADS * 8]))
    for job_id in Job.objects.filter(state=JobState.RUNNING).values_list("pk", flat=True):
        advance(job_id=job_id)
