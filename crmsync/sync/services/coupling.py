"""Set Up Coupling, for one pair or thousands: one path, so that the same holds for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync.couplings import next_generations, revisit_children
from crmsync.sync.models import Coupling, CrmRecord, NotTheSame, Obstacle
from crmsync.sync.obstructions import in_the_way
from crmsync.sync.refusals import RowOutOfScope, UnableToCouple
from crmsync.sync.slices import chunks
from crmsync.terms import CouplingOrigin, FirstWinner

CHUNK_PAIRS = 500

Pair = tuple[UUID, UUID]


class RefusedPair(NamedTuple):
    ledger_id: UUID
    crm_id: UUID
    sentence: str
    error: type[UnableToCouple] = UnableToCouple


@dataclass(frozen=True, slots=True)
class CoupledMany:
    """Ids of the new couplings, and the pairs that could not be coupled, each with its reason."""

    coupled_ids: tuple[int, ...] = ()
    refused: tuple[RefusedPair, ...] = ()

    def __add__(self, other: "CoupledMany") -> "CoupledMany":
        return CoupledMany(self.coupled_ids + other.coupled_ids, self.refused + other.refused)


@dataclass(frozen=True, slots=True)
class _Act:
    """What is the same for all pairs of one request."""

    mapping: TableMapping
    first_winner: FirstWinner
    origin: CouplingOrigin
    by: str


def couple(
    *,
    mapping: str,
    ledger_id: UUID,
    crm_id: UUID,
    first_winner: FirstWinner,
    origin: CouplingOrigin,
    by: str,
) -> Coupling:
    """Tie one ledger record to one row there; who wins first is part of the act.

    Raises UnableToCouple when either is coupled already, and of these RecordLeftOut, RecordGone,
    RowNotRead, or RowOutOfScope when the row is inactive or of another type.
    """
    done = couple_many(
        mapping=mapping,
        pairs=[(ledger_id, crm_id)],
        first_winner=first_winner,
        origin=origin,
        by=by,
    )
    for refused in done.refused:
        raise refused.error(refused.sentence)
    return Coupling.objects.get(pk=done.coupled_ids[0])


def couple_many(
    *,
    mapping: str,
    pairs: Sequence[Pair],
    first_winner: FirstWinner,
    origin: CouplingOrigin,
    by: str,
) -> CoupledMany:
    """Couple pairs (ledger id, CRM id); those that cannot be coupled do not stop the others.

    Five hundred at a time, each in a transaction of its own.
    """
    act = _Act(get_mapping(mapping), first_winner, origin, by)
    done = CoupledMany()
    for some in chunks(pairs, CHUNK_PAIRS):
        done += _couple_some(act, some)
    return done


def _couple_some(act: _Act, pairs: Sequence[Pair]) -> CoupledMany:
    """Couple all or none of them at once; where somebody was faster, in ever smaller groups."""
    try:
        with transaction.atomic():
            return _couple_together(act, pairs)
    except IntegrityError:
        if len(pairs) == 1:
            sentence = _("One of the two was coupled by somebody else at this moment.")
            return CoupledMany(refused=(RefusedPair(*pairs[0], sentence),))
    half = len(pairs) // 2
    return _couple_some(act, pairs[:half]) + _couple_some(act, pairs[half:])


def _couple_together(act: _Act, pairs: Sequence[Pair]) -> CoupledMany:
    refused = _refused(act.mapping, pairs)
    # In one order for all, so that two who couple the same records never wait for each other.
    free = sorted(pair for place, pair in enumerate(pairs) if place not in refused)
    generations = next_generations(act.mapping.name, [pair[0] for pair in free])
    made = Coupling.objects.bulk_create(
        Coupling(
            mapping=act.mapping.name,
            ledger_id=ledger_id,
            crm_table=act.mapping.crm.logical_name,
            crm_id=crm_id,
            generation=generations.get(ledger_id, 1),
            origin=act.origin,
            first_winner=act.first_winner,
            coupled_by=act.by,
        )
        for ledger_id, crm_id in free
    )
    if free:
        forget_doubts(act.mapping, free)
        revisit_children(act.mapping.name)
    return CoupledMany(
        tuple(coupling.pk for coupling in made),
        tuple(refused.values()),
    )


def _refused(mapping: TableMapping, pairs: Sequence[Pair]) -> dict[int, RefusedPair]:
    """By place in ``pairs``: what cannot be coupled, and what no synchronization would walk."""
    refused = {
        place: RefusedPair(*pairs[place], found.sentence, found.error)
        for place, found in in_the_way(mapping, pairs).items()
    }
    outside = _out_of_scope(mapping, [crm_id for _ledger_id, crm_id in pairs])
    for place, pair in enumerate(pairs):
        if place not in refused and pair[1] in outside:
            sentence = _("The row in Sales is inactive or of another type.")
            refused[place] = RefusedPair(*pair, sentence, RowOutOfScope)
    return refused


def _out_of_scope(mapping: TableMapping, crm_ids: Sequence[UUID]) -> set[UUID]:
    """Rows that do not meet a condition of the mapping; a column never read is not held
    against them.
    """
    if not mapping.crm_scope:
        return set()
    rows = CrmRecord.objects.filter(table=mapping.crm.logical_name, crm_id__in=crm_ids)
    return {
        crm_id
        for crm_id, values in rows.values_list("crm_id", "values")
        if any(values.get(one.field, one.value) != one.value for one in mapping.crm_scope)
    }


def forget_doubts(mapping: TableMapping, pairs: Sequence[Pair]) -> None:
    """The pairs are coupled: what stood in their way is gone, nobody says they are two any more."""
    Obstacle.objects.filter(
        mapping=mapping.name, record_id__in=[one for pair in pairs for one in pair]
    ).delete()
    said = NotTheSame.objects.filter(
        mapping=mapping.name, ledger_id__in=[pair[0] for pair in pairs]
    )
    coupled = set(pairs)
    taken_back = [
        key
        for key, ledger_id, crm_id in said.values_list("pk", "ledger_id", "crm_id")
        if (ledger_id, crm_id) in coupled
    ]
    NotTheSame.objects.filter(pk__in=taken_back).delete()
