"""A full synchronization: begun once, advanced by whoever looks, cancelled, begun again."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import jobs, phases
from crmsync.sync.deferrals import has_ready_deferrals
from crmsync.sync.models import Job, Obstacle
from crmsync.terms import ACTIVE_STATES, JobState
from fullsync.errors import AlreadyRunning, NothingToRestart, NothingToSynchronize, StillRunning
from fullsync.models import FullSync, ReviewLine
from fullsync.plan import PlannedLine, startable, verdict
from fullsync.requests import name_of_run

# A line is walked again when records that it had to defer can be done after all.
MOST_ATTEMPTS = 3


def start(*, by: str, limit: int | None = None, modified_only: bool = False) -> FullSync:
    """Begin a run over all tables in scope, in dependency order.

    ``limit`` takes at most so many records a table; ``modified_only`` those that are coupled, and
    of them writes what was changed since. Raises AlreadyRunning, NothingToSynchronize,
    NotConnected, Disabled.
    """
    connection = connections.get_connection()
    mappings = _tables_of(connection)
    try:
        with transaction.atomic():
            full_sync = FullSync.objects.create(
                organization_id=connection.organization_id,
                started_by=by,
                limit=limit,
                modified_only=modified_only,
            )
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


def _tables_of(connection: Connection) -> list[TableMapping]:
    mappings = mappings_in_scope(connection.scopes)
    if not mappings:
        raise NothingToSynchronize(_("No table is in scope of the connection."))
    return mappings


def mappings_in_scope(scopes: Sequence[str]) -> list[TableMapping]:
    """The tables that a run walks, each after those it needs."""
    return [mapping for mapping in all_mappings() if mapping.scope in scopes]


def advance() -> None:
    """Take note of finished jobs, begin lines that may, end the run; safe to call any time.

    A run whose organization is not the connected one any more begins nothing: it is over, and put
    aside, so that the review shows fresh lines.
    """
    full_sync = FullSync.objects.filter(state__in=ACTIVE_STATES).first()
    if full_sync is None:
        return
    for line in full_sync.lines.filter(state=JobState.RUNNING).select_related("job"):
        _follow_job(line)
    if _is_of_another_organization(full_sync):
        _give_up(full_sync)
        return
    for name in startable(_planned(full_sync)):
        _begin(full_sync, name)
    ended = verdict(_planned(full_sync))
    if ended is not JobState.RUNNING:
        FullSync.objects.filter(pk=full_sync.pk, state__in=ACTIVE_STATES).update(
            state=ended, finished_at=Now()
        )


def _is_of_another_organization(full_sync: FullSync) -> bool:
    connected = Connection.objects.filter(is_being_set_up=False)
    present = connected.values_list("organization_id", flat=True).first()
    return present is not None and full_sync.organization_id not in (None, present)


def _give_up(full_sync: FullSync) -> None:
    with transaction.atomic():
        if _lock(full_sync):
            full_sync.lines.filter(state__in=ACTIVE_STATES).update(state=JobState.CANCELLED)
            FullSync.objects.filter(pk=full_sync.pk).update(
                state=JobState.CANCELLED, finished_at=Now(), put_aside_at=Now()
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
            by=name_of_run(full_sync.pk),
            limit=full_sync.limit,
            retries_failed=line.retries_failed,
            modified_only=full_sync.modified_only,
        )
    except jobs.AlreadyActive as active:
        job, walked = active.job, phases.phases_of(get_mapping(line.mapping))
        wanted = (walked, full_sync.limit, line.retries_failed, full_sync.modified_only, None)
        offered = (job.phases, job.limit, job.retries_failed, job.modified_only, job.only)
        return job if offered == wanted else None


def cancel(*, by: str = "") -> FullSync | None:
    """Stop the run and its jobs; what was written stays written. None when nothing ran."""
    with transaction.atomic():
        active = FullSync.objects.select_for_update().filter(state__in=ACTIVE_STATES)
        full_sync = active.first()
        if full_sync is None:
            return None
        lines = full_sync.lines.filter(state__in=ACTIVE_STATES)
        job_ids = list(lines.filter(job__isnull=False).values_list("job_id", flat=True))
        lines.update(state=JobState.CANCELLED)
        FullSync.objects.filter(pk=full_sync.pk).update(
            state=JobState.CANCELLED, cancelled_by=by, finished_at=Now()
        )
    for job_id in job_ids:
        jobs.cancel(job_id=job_id)
    full_sync.refresh_from_db()
    return full_sync


def restart(*, mapping: str = "") -> FullSync:
    """Make a new attempt of what stopped, failed or was deferred in the latest run.

    With ``mapping`` of this table alone, also while other tables are under way. Raises
    NothingToRestart, AlreadyRunning when all of it still runs, StillRunning for one table,
    NothingToSynchronize, NotConnected, Disabled; the run stays as it was then.
    """
    _tables_of(connections.get_connection())
    with transaction.atomic():
        full_sync = _latest()
        if _is_of_another_organization(full_sync):
            raise NothingToRestart(_("The latest run was of another organization."))
        if mapping:
            _wait_again(_line_to_restart(full_sync, mapping))
        elif full_sync.state in ACTIVE_STATES:
            raise AlreadyRunning(full_sync)
        else:
            _wait_again(_unfinished(full_sync))
        # Two runs at once are kept apart by the constraint: the latest is the only one restarted.
        FullSync.objects.filter(pk=full_sync.pk).update(
            state=JobState.RUNNING, cancelled_by="", finished_at=None
        )
    advance()
    full_sync.refresh_from_db()
    return full_sync


def _latest() -> FullSync:
    full_sync = FullSync.objects.select_for_update().order_by("-pk").first()
    if full_sync is None or full_sync.put_aside_at is not None:
        raise NothingToRestart(_("There was no full synchronization yet."))
    return full_sync


def _line_to_restart(full_sync: FullSync, mapping: str) -> "QuerySet[ReviewLine]":
    line = full_sync.lines.filter(mapping=mapping)
    if not line.exists():
        raise NothingToRestart(_("The table is not part of the latest full synchronization."))
    over = line.exclude(state__in=[JobState.RUNNING, JobState.QUEUED])
    if not over.exists():
        raise StillRunning(_("The table is being synchronized."))
    # A run that took only some records left the others.
    return over if full_sync.limit else over.filter(_left_something())


def _unfinished(full_sync: FullSync) -> "QuerySet[ReviewLine]":
    """Lines that did not come to their end, or left records that wait or were refused."""
    return full_sync.lines.filter(_left_something())


def _left_something() -> Q:
    left = Obstacle.objects.values("mapping")
    return ~Q(state=JobState.FINISHED) | Q(mapping__in=left)


def _wait_again(lines: "QuerySet[ReviewLine]") -> None:
    if not lines.update(state=JobState.WAITING, job=None, retries_failed=True, attempt=0):
        raise NothingToRestart(_("All of it is finished, and no record needs attention."))


def reset() -> FullSync:
    """Put the latest run aside, so that the review shows fresh lines; couplings stay.

    Raises NothingToRestart when there is none, AlreadyRunning when it still runs.
    """
    with transaction.atomic():
        full_sync = _latest()
        if full_sync.state in ACTIVE_STATES:
            raise AlreadyRunning(full_sync)
        FullSync.objects.filter(pk=full_sync.pk).update(put_aside_at=Now())
    full_sync.refresh_from_db()
    return full_sync


def _planned(full_sync: FullSync) -> list[PlannedLine]:
    return [
        PlannedLine(line.mapping, tuple(line.needs), JobState(line.state))
        for line in full_sync.lines.order_by("ordinal")
    ]
