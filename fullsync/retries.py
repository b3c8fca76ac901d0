"""What a person does about records that need attention: retry, settle, leave out, uncouple.

Each takes ids of obstacles; one that is gone meanwhile counts for nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from crmsync.connections import services as connections
from crmsync.mapping.registry import get_mapping
from crmsync.sync import jobs
from crmsync.sync.models import Coupling, Job, Obstacle
from crmsync.sync.obstructions import in_the_way
from crmsync.sync.refusals import Refused, UnableToSettle
from crmsync.sync.services import (
    leave_out,
    remove_coupling,
    restore_coupling,
    settle_conflict,
)
from crmsync.sync.walk import MOST_CHOSEN, Only, tries
from crmsync.terms import FirstWinner, Outcome, Side
from fullsync.queries.names import Key, names_of


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
class RefusedAnswer:
    """An answer that was not taken: about which record, and why."""

    record: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Settled:
    """How many answers were taken, what was asked for so that they are written, and the others."""

    answers: int = 0
    retried: Retried = Retried()
    refused: tuple[RefusedAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncoupled:
    """A coupling that was removed; ``can_come_back`` while both of its records are there."""

    coupling_id: int
    can_come_back: bool


class NothingChosen(Refused):
    code = "nothing_chosen"


def retry(*, obstacle_ids: Sequence[int], by: str) -> Retried:
    """Try these records again, whatever refused them; one job a table.

    Raises NothingChosen, NotConnected, Disabled.
    """
    return _retry(chosen(obstacle_ids=obstacle_ids), by=by)


def retry_cause(*, mapping: str, code: str, by: str) -> Retried:
    """Try every record of a table with this cause again.

    Raises NothingChosen, NotConnected, Disabled.
    """
    found = list(Obstacle.objects.filter(mapping=mapping, code=code))
    if not found:
        raise NothingChosen(_("No record has this cause any more."))
    return _retry(found, by=by)


def settle(*, answers: Mapping[int, str], winner: FirstWinner, by: str) -> Settled:
    """Say which side is right about conflicts, then bring the settled ones in line.

    ``answers``: the fingerprint that was shown, by id of the obstacle. Each is taken or refused
    by itself. Raises NothingChosen, and NotConnected or Disabled: then none is taken.
    """
    found = chosen(obstacle_ids=list(answers))
    connections.get_connection()
    settled, refused = [], []
    for one in found:
        try:
            _settle(one, winner, answers[one.pk], by)
            settled.append(one)
        except UnableToSettle as problem:
            refused.append((one, problem))
    return Settled(len(settled), _retry(settled, by=by), _named(refused))


def _settle(one: Obstacle, winner: FirstWinner, shown: str, by: str) -> None:
    coupling = Coupling.objects.filter(_pair_of(one), removed_at__isnull=True).first()
    if coupling is None:
        raise UnableToSettle(_("The two are not coupled any more."))
    settle_conflict(coupling_id=coupling.pk, winner=winner, expected=shown, by=by)


def _named(refused: Sequence[tuple[Obstacle, Refused]]) -> tuple[RefusedAnswer, ...]:
    names = names_of(_key(one) for one, _ in refused)
    return tuple(
        RefusedAnswer(names[_key(one)].label, str(problem), str(problem.remedy))
        for one, problem in refused
    )


def _key(one: Obstacle) -> Key:
    return one.mapping, one.side, one.record_id


def leave_out_many(*, obstacle_ids: Sequence[int], reason: str, by: str) -> int:
    """Leave these records out of synchronization. Raises ReasonMissing and NothingChosen."""
    count = 0
    for (mapping, side), ids in _by_side(chosen(obstacle_ids=obstacle_ids)).items():
        count += leave_out(mapping=mapping, side=side, record_ids=ids, reason=reason, by=by)
    return count


def uncouple(*, obstacle_id: int) -> Uncoupled | None:
    """Delete Coupling of this record; no record is changed. None when it was not coupled any more.

    Raises NothingChosen and UnableToUncouple.
    """
    (one,) = chosen(obstacle_ids=[obstacle_id])
    coupling = Coupling.objects.filter(_pair_of(one), removed_at__isnull=True).first()
    if coupling is None or not remove_coupling(coupling_id=coupling.pk):
        return None
    pair = (coupling.ledger_id, coupling.crm_id)
    return Uncoupled(coupling.pk, not in_the_way(get_mapping(coupling.mapping), [pair]))


def couple_again(*, coupling_id: int, by: str) -> None:
    """Take Delete Coupling back. Raises UnableToCouple."""
    restore_coupling(coupling_id=coupling_id, by=by)


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
    connections.get_connection()
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
    refused = any(one.outcome in (Outcome.FAILED, Outcome.SKIPPED) for one in obstacles)
    return tries(job, [one.record_id for one in obstacles], are_refused=refused)
