"""One slice of work on a part, from the claim to what it makes possible."""

import logging
from collections.abc import Callable

from django.db import IntegrityError, InterfaceError, OperationalError, connection
from django.db.models import F, Sum
from django.utils.translation import gettext_noop

from crmsync.audit.actors import of_worker
from crmsync.connections import services as connections
from crmsync.connections.errors import ConnectionProblem
from crmsync.connections.models import Connection
from crmsync.dataverse.errors import DataverseError, Throttled, TransientError
from crmsync.mapping import in_force
from crmsync.mapping.registry import get_mapping
from crmsync.sync import disabling, leases, phases, pull, push, refresh
from crmsync.sync.couplings import CouplingChanged
from crmsync.sync.leases import Lease, LeaseLost
from crmsync.sync.models import Part
from crmsync.sync.nudges import nudge_parts
from crmsync.sync.slices import Slice
from crmsync.terms import JobState, PhaseName

logger = logging.getLogger(__name__)

# Caution names a culprit by the third; what goes on after that has another cause.
MOST_DEATHS = 12
BACKOFF_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)


EDITED_MEANWHILE = "edited_meanwhile"


class KeepsFailing(Exception):
    """Neither caution nor patience helped: a person must look."""

    code = "keeps_failing"
    remedy = gettext_noop("Look at the worker's log, mend the cause, then use Restart.")

    def __init__(self) -> None:
        super().__init__(
            gettext_noop("Work on this table failed again and again at the same place.")
        )


def run_slice(*, part_id: int, worker: str) -> None:
    """Work on a part for about fifteen seconds, if nobody else does."""
    lease = leases.claim(part_id, worker=worker)
    if lease is None:
        return
    try:
        _work(lease, worker)
    except LeaseLost:
        logger.info("Part %s was taken over or ended.", part_id)
        return
    except TransientError as error:
        _break_off(lease, error)
    except (pull.LedgerChanged, CouplingChanged, IntegrityError):
        edited = gettext_noop("A record was edited meanwhile.")
        leases.wait(lease, seconds=0, code=EDITED_MEANWHILE, because=edited, is_break=False)
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
    _after_slice(part_id)


def _work(lease: Lease, worker: str) -> None:
    """What concerns the connection, not this table, may disable it."""
    part = Part.objects.select_related("job").get(pk=lease.part_id)
    if part.deaths >= MOST_DEATHS:
        raise KeepsFailing
    found = connections.get_connection()
    try:
        work = _open_slice(lease, part, found)
        try:
            _walk(work, lease)
        finally:
            # Once a slice, whatever became of it; its own transactions need not wait for the row.
            if work.has_answers:
                connections.note_answer(connection=found)
    except disabling.OF_THE_CONNECTION:
        disabling.disable_if_refused(worked_with=found, by=of_worker(worker))
        raise


def _walk(work: Slice, lease: Lease) -> None:
    run_page = _page_runner(work)
    while work.allowance != 0 and run_page(work):
        if work.is_over:
            leases.release(lease)
            return
        work.part.refresh_from_db(fields=["deaths", "broken_off"])
    with leases.fenced(lease):
        leases.finish(lease)


def _open_slice(lease: Lease, part: Part, found: Connection) -> Slice:
    client = connections.open_client(connection=found)
    leases.renew(lease)
    # For this slice: records of a page are all decided by the same settings.
    in_force.take_up()
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
    leases.wait(lease, seconds=seconds, code=error.code, because=str(error), is_break=is_break)


def _stop(lease: Lease, error: DataverseError | ConnectionProblem | KeepsFailing) -> None:
    """The table or the whole connection is refused: one message, not one a record."""
    try:
        leases.renew(lease)
    except LeaseLost:
        return
    job_id = Part.objects.values_list("job_id", flat=True).get(pk=lease.part_id)
    logger.error("Job %s stops: %s", job_id, error)
    if not isinstance(error, KeepsFailing):
        disabling.stop(job_id, error)
        return
    phases.end(
        job_id,
        JobState.STOPPED,
        error_code=error.code,
        error_sentence=str(error),
        error_remedy=str(error.remedy),
    )


def _after_slice(part_id: int) -> None:
    """What one slice makes possible: its next one, or the next phase."""
    part = Part.objects.filter(pk=part_id).first()
    if part is None:
        return
    if part.state == JobState.QUEUED:
        nudge_parts([part_id])
    elif part.state == JobState.FINISHED:
        phases.advance(job_id=part.job_id)
