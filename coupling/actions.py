"""What people do with records on lists and cards, for one record or a page of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from coupling.queries.lists import forget_counts
from coupling.scope import out_of_scope
from crmsync.connections import services as connections
from crmsync.mapping.registry import get_mapping
from crmsync.sync import jobs
from crmsync.sync import services as sync
from crmsync.sync.exclusions import included_rows
from crmsync.sync.models import Coupling, Job
from crmsync.sync.refusals import RecordOutOfScope, UnableToCouple
from crmsync.sync.walk import Only
from crmsync.terms import CouplingOrigin, FirstWinner, Side

# The most records that one form may name.
MOST_RECORDS = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a wish to synchronize: a job of its own, or one that is under way already."""

    job: Job
    is_new: bool


@dataclass(frozen=True, slots=True)
class Done:
    """Ids of the couplings it was done to, and sentences of those it could not be done to.

    ``left`` are the ids of the latter, where they can be tried again.
    """

    coupling_ids: tuple[int, ...]
    refused: tuple[str, ...] = ()
    left: tuple[int, ...] = ()


def known_ids(*, mapping: str, record_ids: Sequence[UUID]) -> list[UUID]:
    """Those that are records of the mapping, in the order of their numbers."""
    declared = get_mapping(mapping)
    records = declared.ledger._default_manager.filter(pk__in=record_ids)
    return list(records.order_by(declared.number).values_list("pk", flat=True))


def coupled_among(*, mapping: str, record_ids: Sequence[UUID]) -> list[UUID]:
    couplings = _live(mapping, record_ids)
    return list(couplings.values_list("ledger_id", flat=True))


def included_among(*, mapping: str, record_ids: Sequence[UUID]) -> list[UUID]:
    """Those that a synchronization walks: neither they nor their rows in Sales are left out."""
    declared = get_mapping(mapping)
    records = declared.ledger._default_manager.filter(pk__in=record_ids)
    return list(included_rows(declared, records).values_list("pk", flat=True))


def synchronize(*, mapping: str, record_ids: Sequence[UUID], by: str) -> Asked:
    """Synchronize Now for these records alone. Raises WrongSelection, NotConnected, Disabled.

    Who names a record wants it tried again, also where it was refused before: what was mended may
    be on the other side, or no value of the record at all. There is never a second job of a table:
    one that is under way is the answer then.
    """
    connections.get_connection()
    only = Only(ledger=tuple(record_ids))
    try:
        job = jobs.request(mapping=mapping, by=by, only=only, retries_failed=True)
    except jobs.AlreadyActive as error:
        return Asked(error.job, is_new=False)
    return Asked(job, is_new=True)


def read_sales(*, mapping: str, by: str) -> Asked:
    """Have Sales read by a job, without writing anything on either side.

    Raises NotConnected, Disabled.
    """
    connections.get_connection()
    try:
        job = jobs.request(mapping=mapping, by=by, refresh_only=True)
    except jobs.AlreadyActive as error:
        return Asked(error.job, is_new=False)
    return Asked(job, is_new=True)


def couple_record(
    *, mapping: str, record_id: UUID, crm_id: UUID, first_winner: FirstWinner, by: str
) -> Coupling:
    """Couple a pair that a person chose. Raises UnableToCouple."""
    coupling = sync.couple(
        mapping=mapping,
        ledger_id=record_id,
        crm_id=crm_id,
        first_winner=first_winner,
        origin=CouplingOrigin.PERSON,
        by=by,
    )
    forget_counts(mapping)
    return coupling


def create_in_sales(
    *, mapping: str, record_id: UUID, not_the_same: Sequence[UUID], by: str
) -> Asked:
    """Have the record created there, although these rows look like it.

    Raises RecordOutOfScope: no job would walk it. One that is gone meanwhile counts for nothing.
    Raises NotConnected, Disabled; nothing is kept then.
    """
    connections.get_connection()
    declared = get_mapping(mapping)
    for record in declared.ledger._default_manager.filter(pk=record_id):
        for sentence in out_of_scope(declared, record):
            raise RecordOutOfScope(sentence)
    if not_the_same:
        sync.say_not_the_same(mapping=mapping, ledger_id=record_id, crm_ids=not_the_same, by=by)
    forget_counts(mapping)
    return synchronize(mapping=mapping, record_ids=[record_id], by=by)


def uncouple(*, mapping: str, record_ids: Sequence[UUID]) -> Done:
    """Delete Coupling of these records; both sides' records stay."""
    ids = list(_live(mapping, record_ids).values_list("pk", flat=True))
    done = sync.remove_couplings(coupling_ids=ids)
    forget_counts(mapping)
    return Done(done.removed_ids, tuple(one.sentence for one in done.refused))


def restore(*, mapping: str, coupling_ids: Sequence[int], by: str) -> Done:
    """Take Delete Coupling back, one by one: what cannot come back does not keep the others."""
    restored: list[int] = []
    refused: dict[int, str] = {}
    known = Coupling.objects.filter(mapping=mapping, pk__in=coupling_ids, removed_at__isnull=False)
    for coupling_id in known.values_list("pk", flat=True):
        try:
            restored.append(sync.restore_coupling(coupling_id=coupling_id, by=by).pk)
        except UnableToCouple as error:
            refused[coupling_id] = str(error)
    forget_counts(mapping)
    return Done(tuple(restored), tuple(refused.values()), tuple(refused))


def leave_out(*, mapping: str, record_ids: Sequence[UUID], reason: str, by: str) -> int:
    """Returns how many were not left out before. Raises ReasonMissing."""
    count = sync.leave_out(
        mapping=mapping, side=Side.LEDGER, record_ids=record_ids, reason=reason, by=by
    )
    forget_counts(mapping)
    return count


def take_back_in(*, mapping: str, record_ids: Sequence[UUID]) -> int:
    """Also where the row that a record is coupled with was left out there."""
    rows = list(_live(mapping, record_ids).values_list("crm_id", flat=True))
    count = sync.take_back_in(mapping=mapping, side=Side.LEDGER, record_ids=record_ids)
    count += sync.take_back_in(mapping=mapping, side=Side.CRM, record_ids=rows)
    forget_counts(mapping)
    return count


def _live(mapping: str, record_ids: Sequence[UUID]) -> QuerySet[Coupling]:
    return Coupling.objects.filter(
        mapping=mapping, ledger_id__in=record_ids, removed_at__isnull=True
    )
