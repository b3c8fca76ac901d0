"""What a person does about records that need attention: retry, settle, leave out, uncouple.

Each takes ids of obstacles; one that is gone meanwhile counts for nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from crmsync.sync import jobs
from crmsync.sync.models import Coupling, Job, Obstacle
from crmsync.sync.refusals import Refused, UnableToSettle
from crmsync.sync.services import leave_out, remove_couplings, settle_conflict
from crmsync.sync.walk import MOST_CHOSEN, Only
from crmsync.terms import FirstWinner, Outcome, Side


@dataclass(frozen=True, slots=True)
class Busy:
    """A table whose job is under way; ``tries_them``: that job tries these records, too."""

    job: Job
    tries_them: bool


@dataclass(frozen=True, slots=True)
class Retried:
    """Jobs that were asked for, and tables where one was under way already."""

    records: int = 0
    jobs: tuple[Job, ...] = ()
    busy: tuple[Busy, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncoupled:
    """How many couplings were removed, and why others were not."""

    removed: int = 0
    refused: tuple[str, ...] = ()


class NothingChosen(Refused):
    code = "nothing_chosen"


def retry(*, obstacle_ids: Sequence[int], by: str) -> Retried:
    """Try these records again, whatever refused them; one job a table. Raises NothingChosen."""
    return _retry(chosen(obstacle_ids=obstacle_ids), by=by)


def retry_cause(*, mapping: str, code: str, by: str) -> Retried:
    """Try every record of a table with this cause again. Raises NothingChosen."""
    found = list(Obstacle.objects.filter(mapping=mapping, code=code))
    if not found:
        raise NothingChosen(_("No record has this cause any more."))
    return _retry(found, by=by)


def settle(*, obstacle_ids: Sequence[int], winner: FirstWinner, by: str) -> Retried:
    """Say which side is right about conflicts, then bring the records in line.

    Raises UnableToSettle and NothingChosen.
    """
    found = chosen(obstacle_ids=obstacle_ids)
    for one in found:
        coupling = Coupling.objects.filter(_pair_of(one), removed_at__isnull=True).first()
        if coupling is None:
            raise UnableToSettle(_("The two are not coupled any more."))
        settle_conflict(coupling_id=coupling.pk, winner=winner, by=by)
    return _retry(found, by=by)


def leave_out_many(*, obstacle_ids: Sequence[int], reason: str, by: str) -> int:
    """Leave these records out of synchronization. Raises ReasonMissing and NothingChosen."""
    count = 0
    for (mapping, side), ids in _by_side(chosen(obstacle_ids=obstacle_ids)).items():
        count += leave_out(mapping=mapping, side=side, record_ids=ids, reason=reason, by=by)
    return count


def uncouple(*, obstacle_ids: Sequence[int]) -> Uncoupled:
    """Delete Coupling of these records; both records stay. Raises NothingChosen."""
    pairs = Q()
    for one in chosen(obstacle_ids=obstacle_ids):
        pairs |= _pair_of(one)
    live = Coupling.objects.filter(pairs, removed_at__isnull=True)
    done = remove_couplings(coupling_ids=list(live.values_list("pk", flat=True)))
    return Uncoupled(len(done.removed_ids), tuple(refused.sentence for refused in done.refused))


def chosen(*, obstacle_ids: Sequence[int]) -> list[Obstacle]:
    """Those of them that still stand in the way. Raises NothingChosen when none does."""
    found = list(Obstacle.objects.filter(pk__in=obstacle_ids))
    if not found:
        raise NothingChosen(_("Choose records first. Those you chose may be settled already."))
    return found


def _pair_of(one: Obstacle) -> Q:
    if one.side == Side.LEDGER:
        return Q(mapping=one.mapping, ledger_id=one.record_id)
    return Q(mapping=one.mapping, crm_id=one.record_id)


def _by_side(obstacles: Iterable[Obstacle]) -> dict[tuple[str, Side], list[UUID]]:
    found: dict[tuple[str, Side], list[UUID]] = defaultdict(list)
    for one in obstacles:
        found[one.mapping, Side(one.side)].append(one.record_id)
    return found


def _retry(obstacles: Sequence[Obstacle], *, by: str) -> Retried:
    asked, busy = [], []
    for mapping in dict.fromkeys(one.mapping for one in obstacles):
        of_table = [one for one in obstacles if one.mapping == mapping]
        only = _only(of_table)
        try:
            asked.append(jobs.request(mapping=mapping, by=by, only=only, retries_failed=True))
        except jobs.AlreadyActive as active:
            busy.append(Busy(active.job, _tries(active.job, of_table)))
    return Retried(len(obstacles), tuple(asked), tuple(busy))


def _only(obstacles: Sequence[Obstacle]) -> Only | None:
    """Too many to name them: then the whole table is walked."""
    if len(obstacles) > MOST_CHOSEN:
        return None
    by_side = {side: ids for (_, side), ids in _by_side(obstacles).items()}
    return Only(ledger=by_side.get(Side.LEDGER, ()), crm=by_side.get(Side.CRM, ()))


def _tries(job: Job, obstacles: Sequence[Obstacle]) -> bool:
    """Whether a job that is under way walks all of these, refused ones too.

    One that has passed them already cannot be told from one that has not: it only began earlier.
    """
    if job.limit is not None or len(job.phases) == 1:
        return False
    if job.only is not None:
        named = {*job.only["ledger"], *job.only["crm"]}
        if not {str(one.record_id) for one in obstacles} <= named:
            return False
    refused = any(one.outcome in (Outcome.FAILED, Outcome.SKIPPED) for one in obstacles)
    return job.retries_failed or not refused
