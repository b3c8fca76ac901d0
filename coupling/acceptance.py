"""From suggestions to couplings: what a person accepts is coupled, the rest says why not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from coupling.errors import NewSuggestions, NoSuggestion, OthersTicked
from coupling.matching import Certainty
from coupling.models import Suggestion
from coupling.runs import found_by
from coupling.suggestions import IDS_A_QUERY, Pair, open_suggestions
from crmsync.sync import services as sync
from crmsync.sync.services import RefusedPair
from crmsync.sync.slices import chunks
from crmsync.terms import CouplingOrigin, FirstWinner

BATCH = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person had before the eyes when saying yes.

    ``matching_id`` is the run that found the suggestions, ``shown`` the pairs of the page;
    ``elsewhere`` is how many pairs the page said to be ticked on other pages, by certainty.
    """

    matching_id: int
    shown: frozenset[Pair]
    elsewhere: Mapping[Certainty, int]


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
    *, mapping: str, first_winner: FirstWinner, by: str, seen: Seen, limit: int = 5000
) -> Accepted:
    """Couple the ticked open suggestions that a person was told about, at most ``limit`` a call.

    A refused one is unticked and keeps its reason, so that a caller may go on until none is left.
    Raises NewSuggestions or OthersTicked: then nothing is coupled.
    """
    rows = open_suggestions(mapping).filter(is_chosen=True).order_by("number", "pk")
    chosen = list(rows.values_list("ledger_id", "crm_id", "certainty"))
    # Asked after the pairs were read: a run that ends in between is noticed, too.
    if found_by(mapping=mapping) != seen.matching_id:
        raise NewSuggestions
    elsewhere = Counter(
        Certainty(certainty) for *pair, certainty in chosen if tuple(pair) not in seen.shown
    )
    if elsewhere != Counter(seen.elsewhere):
        raise OthersTicked
    pairs = [(ledger_id, crm_id) for ledger_id, crm_id, _ in chosen]
    accepted = _accept(mapping, pairs[:limit], first_winner, by)
    return Accepted(accepted.coupling_ids, accepted.refused, max(0, len(pairs) - limit))


def accept_these(
    *, mapping: str, pairs: Sequence[Pair], first_winner: FirstWinner, by: str
) -> Accepted:
    """Couple those of the pairs that are open suggestions, ticked or not; the rest is refused."""
    still_open = _still_open(mapping, pairs)
    accepted = _accept(mapping, [pair for pair in pairs if pair in still_open], first_winner, by)
    gone = [RefusedPair(*pair, str(NoSuggestion())) for pair in pairs if pair not in still_open]
    return Accepted(accepted.coupling_ids, (*accepted.refused, *gone))


def accept_one(
    *, mapping: str, ledger_id: UUID, crm_id: UUID, first_winner: FirstWinner, by: str
) -> int:
    """Couple the suggested pair that a person saw; returns the coupling's id.

    Raises NoSuggestion, also when another row is suggested by now, or UnableToCouple.
    """
    pair = (ledger_id, crm_id)
    if not _still_open(mapping, [pair]):
        raise NoSuggestion
    accepted = _accept(mapping, [pair], first_winner, by)
    for refused in accepted.refused:
        raise refused.error(refused.sentence)
    return accepted.coupling_ids[0]


def dismiss(*, mapping: str, ledger_id: UUID, crm_id: UUID, by: str) -> None:
    """Say that the suggested two are not the same; they are not suggested again.

    Raises NoSuggestion, also when another row is suggested by now.
    """
    if not _still_open(mapping, [(ledger_id, crm_id)]):
        raise NoSuggestion
    sync.say_not_the_same(mapping=mapping, ledger_id=ledger_id, crm_ids=[crm_id], by=by)
    # It stays open to nobody; a tick on it would still be counted.
    Suggestion.objects.filter(mapping=mapping, ledger_id=ledger_id, crm_id=crm_id).delete()


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


def _still_open(mapping: str, pairs: Sequence[Pair]) -> set[Pair]:
    found: set[Pair] = set()
    for some in chunks(pairs, IDS_A_QUERY):
        named = open_suggestions(mapping).filter(ledger_id__in=[ledger_id for ledger_id, _ in some])
        found |= set(named.values_list("ledger_id", "crm_id"))
    return found & set(pairs)


def _accept(mapping: str, pairs: Sequence[Pair], first_winner: FirstWinner, by: str) -> Accepted:
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
