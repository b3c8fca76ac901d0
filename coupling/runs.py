"""Match-Based Coupling of a table as a run in the background; it suggests, and couples nothing.

The row says what is true: it is claimed by one guarded UPDATE, held by a lease on the database's
clock, fenced by an epoch. A message only wakes a worker up to look at it.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, When
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from coupling import criteria, suggestions
from coupling.candidates import compared, crm_candidates, ledger_candidates
from coupling.errors import AlreadyMatching, KeepsFailing, MatchingStopped
from coupling.matching import propose
from coupling.models import Matching
from crmsync.connections import services as connections
from crmsync.connections.errors import ConnectionProblem
from crmsync.dbclock import db_in
from crmsync.mapping.registry import get_mapping
from crmsync.sync import jobs
from crmsync.sync.exclusions import dismissed_pairs
from crmsync.sync.models import Job, Part
from crmsync.sync.nudges import nudge_matching
from crmsync.terms import ACTIVE_STATES, JobState, PhaseName

logger = logging.getLogger(__name__)

MOST_DEATHS = 5
# Between two looks at a run that waits or that a worker owns.
PAUSE_SECONDS = 0.2


class _LeaseLost(Exception):
    """Another worker owns the run now: this one must not write any more."""


@dataclass(frozen=True, slots=True)
class _Lease:
    matching_id: int
    epoch: int


def request_matching(*, mapping: str, by: str, reads_sales: bool = True) -> Matching:
    """Ask for suggestions by the criteria that hold now; with what Sales says now, or said last.

    Raises AlreadyMatching, or LookupError for the mapping's name.
    """
    used = criteria.stored(criteria.criteria_of(mapping=mapping))
    try:
        with transaction.atomic():
            matching = Matching.objects.create(
                mapping=mapping, criteria=used, reads_sales=reads_sales, requested_by=by
            )
            transaction.on_commit(lambda: nudge_matching(matching.pk))
    except IntegrityError as error:
        active = Matching.objects.filter(mapping=mapping, state__in=ACTIVE_STATES).first()
        if active is None:
            raise
        raise AlreadyMatching(active.pk) from error
    return matching


def find_matches(*, mapping: str, by: str) -> Matching:
    """Ask for suggestions with what Sales says now, if it can be asked.

    Raises AlreadyMatching, NotConnected, Disabled.
    """
    connections.get_connection()
    return request_matching(mapping=mapping, by=by)


def match_by(*, mapping: str, fields: Sequence[criteria.FieldCriterion], by: str) -> Matching:
    """Keep a person's criteria, then ask for suggestions by them.

    Raises NothingToMatchOn, FieldNotMatchable, PriorityOutOfRange; and AlreadyMatching,
    NotConnected, Disabled: then they are kept for the next run.
    """
    criteria.save_criteria(mapping=mapping, fields=fields, by=by)
    return find_matches(mapping=mapping, by=by)


def match_now(*, mapping: str, by: str) -> Matching:
    """Read Sales and find suggestions while the caller waits, beside whatever workers there are.

    A run that is under way is waited for. Raises MatchingStopped.
    """
    try:
        matching_id = request_matching(mapping=mapping, by=by).pk
    except AlreadyMatching as active:
        matching_id = active.matching_id
    while True:
        run_matching(matching_id=matching_id, worker=by)
        matching = Matching.objects.get(pk=matching_id)
        if matching.state == JobState.STOPPED:
            raise MatchingStopped(matching.error_sentence, matching.error_remedy)
        if matching.state not in ACTIVE_STATES:
            return matching
        time.sleep(PAUSE_SECONDS)


def run_matching(*, matching_id: int, worker: str) -> None:
    """Do the run, if nobody else does; an error that nobody foresaw counts like a death."""
    lease = _claim(matching_id, worker)
    if lease is None:
        return
    try:
        _run(lease, worker)
    except _LeaseLost:
        logger.info("Matching %s was taken over.", matching_id)
    except (ConnectionProblem, jobs.ReadingStopped, KeepsFailing) as error:
        _stop(lease, error)
    except (OperationalError, InterfaceError):
        # The database went away: nothing can be written now, the lease will run out.
        logger.exception("Matching %s is left to the sweep.", matching_id)
        connection.close()
    except Exception:
        logger.exception("Matching %s met an error nobody foresaw.", matching_id)
        _held(lease).update(lease_until=db_in(-1))


def sweep_matchings() -> None:
    """Wake workers up for runs that nobody works on."""
    for matching_id in _free().values_list("pk", flat=True):
        nudge_matching(matching_id)


def latest_matching(*, mapping: str) -> Matching | None:
    """The run that a page tells about."""
    return Matching.objects.filter(mapping=mapping).order_by("-pk").first()


def found_by(*, mapping: str) -> int:
    """The run whose suggestions are stored now; 0 before the first."""
    finished = Matching.objects.filter(mapping=mapping, state=JobState.FINISHED)
    return finished.order_by("-pk").values_list("pk", flat=True).first() or 0


def _run(lease: _Lease, worker: str) -> None:
    matching = Matching.objects.get(pk=lease.matching_id)
    if matching.deaths >= MOST_DEATHS:
        raise KeepsFailing
    if matching.reads_sales and not _read_sales(matching, worker):
        _wait(lease, _("Sales is being read for a synchronization of the table."))
        return

    def tick() -> None:
        _renew(lease)

    tick()
    mapping = get_mapping(matching.mapping)
    used = criteria.to_match_by(mapping, matching.criteria)
    comparing = compared(mapping, used)
    ledger, crm = ledger_candidates(comparing, tick), crm_candidates(comparing, tick)
    proposals = propose(
        ledger,
        crm,
        used,
        criteria.evidence_of(mapping),
        dismissed=dismissed_pairs(mapping),
        tick=tick,
    )
    rows = suggestions.rows_of(mapping, proposals)
    suggestions.store_keys(mapping, crm, tick)
    with transaction.atomic():
        _renew(lease)
        suggestions.replace(mapping, rows)
        _held(lease).update(state=JobState.FINISHED, finished_at=Now(), lease_until=None, worker="")


def _read_sales(matching: Matching, worker: str) -> bool:
    """True when Sales was read; False while a synchronization reads it.

    It is read in the name of who asked for suggestions. A reading that a dead worker left behind
    is brought to its end first. Raises ConnectionProblem, ReadingStopped.
    """
    mapping = matching.mapping
    for job in _reading(mapping).filter(phases=[PhaseName.REFRESH]):
        jobs.drive(job_id=job.pk, worker=worker, most_breaks=jobs.READING_BREAKS)
    jobs.read_sales(mapping=mapping, by=matching.requested_by, worker=worker)
    return not _reading(mapping).exists()


def _reading(mapping: str) -> QuerySet[Job]:
    return Job.objects.filter(mapping=mapping, state__in=ACTIVE_STATES, phase=PhaseName.REFRESH)


def _free() -> QuerySet[Matching]:
    """Queued runs, and those whose lease ran out and for which nobody reads Sales.

    The lease is not renewed while the run reads Sales: the part of that job is, by who reads.
    """
    read = Part.objects.filter(
        job__mapping=OuterRef("mapping"),
        job__state=JobState.RUNNING,
        phase=PhaseName.REFRESH,
        state=JobState.RUNNING,
        lease_until__gt=Now(),
    )
    expired = Q(state=JobState.RUNNING, lease_until__lt=Now())
    return Matching.objects.filter(Q(state=JobState.QUEUED) | (expired & Q(~Exists(read))))


def _claim(matching_id: int, worker: str) -> _Lease | None:
    claimed = (
        _free()
        .filter(pk=matching_id)
        .update(
            state=JobState.RUNNING,
            epoch=F("epoch") + 1,
            lease_until=db_in(settings.CRMSYNC_LEASE_SECONDS),
            worker=worker,
            waits_because="",
            deaths=Case(
                When(state=JobState.RUNNING, then=F("deaths") + 1),
                default=F("deaths"),
                output_field=IntegerField(),
            ),
        )
    )
    if not claimed:
        return None
    # Read after the claim: whoever claims later raises the epoch, and then our writes fail.
    return _Lease(matching_id, Matching.objects.values_list("epoch", flat=True).get(pk=matching_id))


def _held(lease: _Lease) -> QuerySet[Matching]:
    return Matching.objects.filter(pk=lease.matching_id, epoch=lease.epoch, state=JobState.RUNNING)


def _renew(lease: _Lease) -> None:
    if not _held(lease).update(lease_until=db_in(settings.CRMSYNC_LEASE_SECONDS)):
        raise _LeaseLost


def _wait(lease: _Lease, because: str) -> None:
    _held(lease).update(
        state=JobState.QUEUED, lease_until=None, worker="", waits_because=because[:200]
    )


def _stop(lease: _Lease, error: ConnectionProblem | jobs.ReadingStopped | KeepsFailing) -> None:
    _held(lease).update(
        state=JobState.STOPPED,
        finished_at=Now(),
        lease_until=None,
        worker="",
        error_code=error.code,
        error_service_code=error.service_code if isinstance(error, jobs.ReadingStopped) else "",
        error_sentence=str(error),
        error_remedy=str(error.remedy),
    )
