"""From suggestions to couplings: what a person accepts is coupled, the rest says why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from coupling.errors import NoSuggestion
from coupling.matching import Certainty
from coupling.models import Suggestion
from coupling.suggestions import open_suggestions
from crmsync.sync import services as sync
from crmsync.sync.services import RefusedPair, UnableToCouple
from crmsync.sync.slices import chunks
from crmsync.terms import CouplingOrigin, FirstWinner

# Databases take so many values in a statement without complaint.
IDS_A_QUERY = 500

Pair = tuple[UUID, UUID]
BATCH = 500


@dataclass(frozen=True, slots=True)
class Accepted:
    """The couplings made, by id; pairs refused; ``left`` chosen ones that are still to do."""

    coupling_ids: tuple[int, ...]
    refused: tuple[RefusedPair, ...]
    left: int = 0

    @property
    def coupled(self) -> int:
        return len(self.coupling_ids)


def accept_chosen(
    *,
    mapping: str,
    first_winner: FirstWinner,
    by: str,
    certainty: Certainty | None = None,
    limit: int = 5000,
) -> Accepted:
    """Couple the ticked open suggestions, of one certainty or of all, at most ``limit`` a call.

    A refused one is unticked and keeps its reason, so that a caller may go on until none is left.
    """
    chosen = open_suggestions(mapping).filter(is_chosen=True)
    if certainty:
        chosen = chosen.filter(certainty=certainty)
    accepted = _accept(mapping, chosen.order_by("number", "pk")[:limit], first_winner, by)
    return Accepted(accepted.coupling_ids, accepted.refused, chosen.count())


def accept_these(
    *, mapping: str, ledger_ids: Sequence[UUID], first_winner: FirstWinner, by: str
) -> Accepted:
    """Couple the open suggestions of these ledger records, ticked or not."""
    done: list[int] = []
    refused: list[RefusedPair] = []
    for some in chunks(ledger_ids, IDS_A_QUERY):
        named = open_suggestions(mapping).filter(ledger_id__in=some).order_by("number", "pk")
        accepted = _accept(mapping, named, first_winner, by)
        done += accepted.coupling_ids
        refused += accepted.refused
    return Accepted(tuple(done), tuple(refused))


def accept_one(*, mapping: str, ledger_id: UUID, first_winner: FirstWinner, by: str) -> int:
    """Couple one suggested pair; returns the coupling's id. Raises NoSuggestion, UnableToCouple."""
    accepted = accept_these(
        mapping=mapping, ledger_ids=[ledger_id], first_winner=first_winner, by=by
    )
    for refused in accepted.refused:
        raise UnableToCouple(refused.sentence)
    if not accepted.coupling_ids:
        raise NoSuggestion
    return accepted.coupling_ids[0]


def dismiss(*, mapping: str, ledger_id: UUID, by: str) -> None:
    """Say that the suggested two are not the same; they are not suggested again.

    Raises NoSuggestion.
    """
    suggestion = open_suggestions(mapping).filter(ledger_id=ledger_id).first()
    if suggestion is None:
        raise NoSuggestion
    sync.say_not_the_same(mapping=mapping, ledger_id=ledger_id, crm_ids=[suggestion.crm_id], by=by)


def couple_pairs(
    *, mapping: str, pairs: Sequence[Pair], first_winner: FirstWinner, by: str
) -> Accepted:
    """Couple approved pairs, ledger id first; a pair that cannot be coupled says why."""
    done = sync.couple_many(
        mapping=mapping,
        pairs=pairs,
        first_winner=first_winner,
        origin=CouplingOrigin.MATCH,
        by=by,
    )
    return Accepted(done.coupled_ids, done.refused)


def _accept(
    mapping: str, chosen: QuerySet[Suggestion], first_winner: FirstWinner, by: str
) -> Accepted:
    pairs = list(chosen.values_list("ledger_id", "crm_id"))
    accepted = couple_pairs(mapping=mapping, pairs=pairs, first_winner=first_winner, by=by)
    # What is coupled is no suggestion any more; a hundred thousand of them would slow every list.
    refused = {one.ledger_id for one in accepted.refused}
    done = [ledger_id for ledger_id, _ in pairs if ledger_id not in refused]
    for batch in (done[at : at + BATCH] for at in range(0, len(done), BATCH)):
        Suggestion.objects.filter(mapping=mapping, ledger_id__in=batch).delete()
    for one in accepted.refused:
        Suggestion.objects.filter(
            mapping=mapping, ledger_id=one.ledger_id, crm_id=one.crm_id
        ).update(is_chosen=False, refusal=one.sentence)
    return accepted
