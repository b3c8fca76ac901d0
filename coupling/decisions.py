"""What a person decides on a page of suggestions: the ticks are kept, then one thing is done."""

from dataclasses import dataclass

from coupling.acceptance import Accepted, Seen, accept_chosen, dismiss
from coupling.matching import Certainty
from coupling.queries.lists import forget_counts
from coupling.suggestions import Pair, choose, choose_all
from crmsync.connections import services as connections
from crmsync.connections.errors import ConnectionProblem
from crmsync.sync import jobs
from crmsync.terms import FirstWinner


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Couple what is ticked, as it was seen; afterwards synchronize the table, if so wished."""

    seen: Seen
    first_winner: FirstWinner
    synchronizes: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """The pairs that a page showed, those ticked, and what its button said."""

    shown: tuple[Pair, ...]
    chosen: frozenset[Pair]
    tick_all: Certainty | None = None
    untick_all: Certainty | None = None
    dismissed: Pair | None = None
    acceptance: Acceptance | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """``gone`` counts pairs of the page that are not suggested any more: nothing became of them.

    ``is_synchronized`` is None when nobody asked for it, False when a job was under way, or when
    there is no connection to synchronize over: that is the ``problem``.
    """

    gone: int
    is_dismissed: bool = False
    accepted: Accepted | None = None
    is_synchronized: bool | None = None
    problem: ConnectionProblem | None = None


def decide(*, mapping: str, decision: Decision, by: str) -> Decided:
    """Raises NoSuggestion, NewSuggestions or OthersTicked; the ticks are kept all the same."""
    gone = choose(mapping=mapping, shown=decision.shown, chosen=decision.chosen)
    if decision.tick_all:
        choose_all(mapping=mapping, certainty=decision.tick_all, is_chosen=True)
    if decision.untick_all:
        choose_all(mapping=mapping, certainty=decision.untick_all, is_chosen=False)
    if decision.dismissed:
        ledger_id, crm_id = decision.dismissed
        dismiss(mapping=mapping, ledger_id=ledger_id, crm_id=crm_id, by=by)
        forget_counts(mapping)
        return Decided(gone, is_dismissed=True)
    if decision.acceptance:
        return _accept(mapping, decision.acceptance, gone, by)
    return Decided(gone)


def _accept(mapping: str, acceptance: Acceptance, gone: int, by: str) -> Decided:
    accepted = accept_chosen(
        mapping=mapping, first_winner=acceptance.first_winner, by=by, seen=acceptance.seen
    )
    forget_counts(mapping)
    if not (acceptance.synchronizes and accepted.coupled):
        return Decided(gone, accepted=accepted)
    try:
        is_synchronized = _synchronize(mapping, by)
    except ConnectionProblem as problem:
        return Decided(gone, accepted=accepted, is_synchronized=False, problem=problem)
    return Decided(gone, accepted=accepted, is_synchronized=is_synchronized)


def _synchronize(mapping: str, by: str) -> bool:
    connections.get_connection()
    try:
        jobs.request(mapping=mapping, by=by)
    except jobs.AlreadyActive:
        return False
    return True
