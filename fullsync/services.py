"""A full synchronization: begun once, advanced by whoever looks, cancelled, begun again."""

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from crmsync.connections import services as connections
from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.sync import jobs, phases
from crmsync.sync.deferrals import has_ready_deferrals
from crmsync.sync.models import Job
from crmsync.terms import ACTIVE_STATES, JobState
from fullsync.models import FullSync, ReviewLine
from fullsync.plan import PlannedLine, startable, verdict

# A line is walked again when records that it had to defer can be done after all.
MOST_ATTEMPTS = 3


class AlreadyRunning(Exception):
    """There is one run at a time; this is it."""

    def __init__(self, full_sync: FullSync) -> None:
        super().__init__(f"Full synchronization {full_sync.pk} is under way.")
        self.full_sync = full_sync


class NothingToRestart(Exception):
    code = "nothing_to_restart"
    remedy = "Start a full synchronization with 'manage.py fullsync start'."


def start(*, by: str, limit: int | None = None) -> FullSync:
    """Begin a run over all tables in scope, in dependency order.

    ``limit`` takes at most so many records a table. Raises AlreadyRunning, NotConnected, Disabled.
    """
    scopes = set(connections.get_connection().scopes)
    mappings = [mapping for mapping in all_mappings() if mapping.scope in scopes]
    try:
        with transaction.atomic():
            full_sync = FullSync.objects.create(started_by=by, limit=limit)
            ReviewLine.objects.bulk_create(
                ReviewLine(
                    full_sync=full_sync,
                    mapping=mapping.name,
                    ordinal=ordinal,
                    needs=list(mapping.needs),
                )
                for ordinal, mapping in enumerate(mappings)
            )
    except IntegrityError as error:
        running = FullSync.objects.filter(state__in=ACTIVE_STATES).first()
        if running is None:
            raise
        raise AlreadyRunning(running) from error
    advance()
    return full_sync


def advance() -> None:
    """Take note of finished jobs, begin lines that may, end the run; safe to call any time."""
    full_sync = FullSync.objects.filter(state__in=ACTIVE_STATES).first()
    if full_sync is None:
        return
    for line in full_sync.lines.filter(state=JobState.RUNNING).select_related("job"):
        _follow_job(line)
    for name in startable(_planned(full_sync)):
        _begin(full_sync, name)
    ended = verdict(_planned(full_sync))
    if ended is not JobState.RUNNING:
        FullSync.objects.filter(pk=full_sync.pk, state__in=ACTIVE_STATES).update(
            state=ended, finished_at=Now()
        )


def _follow_job(line: ReviewLine) -> None:
    state = JobState(line.job.state) if line.job else JobState.STOPPED
    if state in ACTIVE_STATES:
        return
    if (
        state is JobState.FINISHED
        and line.attempt < MOST_ATTEMPTS
        and has_ready_deferrals(mapping=line.mapping)
    ):
        state = JobState.WAITING
    ReviewLine.objects.filter(pk=line.pk, state=JobState.RUNNING).update(state=state)


def _begin(full_sync: FullSync, name: str) -> None:
    """Request the line's job; one that is under way for another reason becomes the line's."""
    line = full_sync.lines.get(mapping=name)
    with transaction.atomic():
        if not _lock(full_sync):
            return
        mine = ReviewLine.objects.filter(pk=line.pk, state=JobState.WAITING)
        if not mine.update(state=JobState.RUNNING, attempt=line.attempt + 1):
            return
        job = _job_for(full_sync, line)
        state = JobState.RUNNING if job else JobState.WAITING
        attempt = line.attempt + 1 if job else line.attempt
        ReviewLine.objects.filter(pk=line.pk).update(job=job, state=state, attempt=attempt)


def _lock(full_sync: FullSync) -> bool:
    """Hold the run against a cancel in another process; False when it is over already."""
    held = FullSync.objects.select_for_update().filter(pk=full_sync.pk, state__in=ACTIVE_STATES)
    return held.first() is not None


def _job_for(full_sync: FullSync, line: ReviewLine) -> Job | None:
    """A job of the line's own, or one under way that does the same; None: wait for the other."""
    try:
        return jobs.request(
            mapping=line.mapping,
            by=f"full synchronization {full_sync.pk}",
            limit=full_sync.limit,
            retries_failed=line.retries_failed,
        )
    except jobs.AlreadyActive as active:
        wanted = (phases.phases_of(get_mapping(line.mapping)), full_sync.limit, line.retries_failed)
        offered = (active.job.phases, active.job.limit, active.job.retries_failed)
        return active.job if offered == wanted else None


def cancel() -> FullSync | None:
    """Stop the run and its jobs; what was written stays written. None when nothing ran."""
    with transaction.atomic():
        active = FullSync.objects.select_for_update().filter(state__in=ACTIVE_STATES)
        full_sync = active.first()
        if full_sync is None:
            return None
        lines = full_sync.lines.filter(state__in=ACTIVE_STATES)
        job_ids = list(lines.filter(job__isnull=False).values_list("job_id", flat=True))
        lines.update(state=JobState.CANCELLED)
        FullSync.objects.filter(pk=full_sync.pk).update(state=JobState.CANCELLED, finished_at=Now())
    for job_id in job_ids:
        jobs.cancel(job_id=job_id)
    full_sync.refresh_from_db()
    return full_sync


def restart() -> FullSync:
    """Make a new attempt of what stopped, failed or was deferred in the latest run.

    Raises NothingToRestart when there is none, AlreadyRunning when it still runs.
    """
    full_sync = FullSync.objects.order_by("-pk").first()
    if full_sync is None:
        raise NothingToRestart("There was no full synchronization yet.")
    if full_sync.state in ACTIVE_STATES:
        raise AlreadyRunning(full_sync)
    with transaction.atomic():
        full_sync.lines.update(state=JobState.WAITING, job=None, retries_failed=True, attempt=0)
        FullSync.objects.filter(pk=full_sync.pk).update(state=JobState.RUNNING, finished_at=None)
    advance()
    full_sync.refresh_from_db()
    return full_sync


def _planned(full_sync: FullSync) -> list[PlannedLine]:
    return [
        PlannedLine(line.mapping, tuple(line.needs), JobState(line.state))
        for line in full_sync.lines.order_by("ordinal")
    ]
