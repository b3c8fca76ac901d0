"""Which record here is which record there: proposals with reasons, for a person to accept.

Pure: values in, proposals out. *Criteria* say what leads to a pair and may be anything a person
picks. *Evidence* is declared with the table and alone makes a pair *certain*: two independent
agreements, one of them identifying, and nobody else on either side with as many. *Likely* is a
pair without a rival; *ambiguous* has rivals.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from coupling.likeness import Candidate, Criteria, Evidence, Likeness, Reasons, compare
from coupling.meetings import Doubted, meetings

# As many rivals as a person can look at are told.
MOST_RIVALS = 5
# Between two signs of life.
RECORDS_A_TICK = 2000


class Certainty(StrEnum):
    CERTAIN = "certain"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pair; its rivals are the other rows for the record, and other records for the row."""

    ledger: Candidate
    crm: Candidate
    certainty: Certainty
    reasons: Reasons
    crm_rivals: tuple[Candidate, ...] = ()
    ledger_rivals: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pair:
    here: int
    there: int
    likeness: Likeness


def propose(
    ledger: Sequence[Candidate],
    crm: Sequence[Candidate],
    criteria: Criteria,
    evidence: Evidence,
    *,
    dismissed: Collection[tuple[UUID, UUID]] = frozenset(),
    tick: Callable[[], None] = lambda: None,
) -> list[Proposal]:
    """One proposal a ledger record at most, its best one; in time linear in the records.

    ``dismissed`` pairs, ledger id first, do not exist. ``tick`` is called every few thousand
    records: what it raises ends the work.
    """
    met, doubted = meetings(ledger, crm, criteria, evidence, tick)
    pairs: dict[int, list[_Pair]] = {}
    there: dict[int, _Standing] = defaultdict(_Standing)
    for count, here in enumerate(sorted(met)):
        pairs[here] = [
            _Pair(here, other, compare(ledger[here], crm[other], criteria, evidence))
            for other in met[here]
            if (ledger[here].record_id, crm[other].record_id) not in dismissed
        ]
        for pair in pairs[here]:
            there[pair.there].take(pair)
        if count % RECORDS_A_TICK == 0:
            tick()
    found = (_proposal(own, there, ledger, crm, doubted) for own in pairs.values())
    return [proposal for proposal in found if proposal is not None]


@dataclass(slots=True)
class _Standing:
    """What was heard about one record so far: enough to know whether a pair has rivals.

    ``loudest`` are some of the pairs with the highest weight, ``proven`` is how many pairs have
    the most agreements.
    """

    loudest: list[_Pair] = field(default_factory=list)
    most: int = -1
    proven: int = 0

    def take(self, pair: _Pair) -> None:
        weight = self.loudest[0].likeness.weight if self.loudest else -1
        if pair.likeness.weight > weight:
            self.loudest = [pair]
        elif pair.likeness.weight == weight and len(self.loudest) <= MOST_RIVALS:
            self.loudest.append(pair)
        if pair.likeness.agreements > self.most:
            self.most, self.proven = pair.likeness.agreements, 0
        self.proven += pair.likeness.agreements == self.most

    def rivals(self, best: _Pair) -> list[_Pair]:
        """Pairs that speak as loudly as this one, or louder."""
        return [pair for pair in self.loudest if pair is not best][:MOST_RIVALS]

    def is_beyond_doubt(self, best: _Pair) -> bool:
        return self.most == best.likeness.agreements and self.proven == 1


def _proposal(
    pairs: Sequence[_Pair],
    there: Mapping[int, _Standing],
    ledger: Sequence[Candidate],
    crm: Sequence[Candidate],
    doubted: Doubted,
) -> Proposal | None:
    led = [pair for pair in pairs if pair.likeness.group is not None]
    if not led:
        return None
    best = min(led, key=lambda pair: (*_order(pair.likeness), crm[pair.there].record_id))
    here, row = _Standing(), there[best.there]
    for pair in pairs:
        here.take(pair)
    crm_rivals = tuple(crm[pair.there] for pair in here.rivals(best))
    ledger_rivals = tuple(ledger[pair.here] for pair in row.rivals(best))
    if crm_rivals or ledger_rivals:
        certainty = Certainty.AMBIGUOUS
    elif _is_certain(best, (here, row), doubted):
        certainty = Certainty.CERTAIN
    else:
        certainty = Certainty.LIKELY
    return Proposal(
        ledger[best.here],
        crm[best.there],
        certainty,
        best.likeness.reasons,
        crm_rivals,
        ledger_rivals,
    )


def _order(likeness: Likeness) -> tuple[int, int]:
    """What speaks louder first; among equals what a person wants to be tried first."""
    return -likeness.weight, likeness.group or 0


def _is_certain(best: _Pair, standings: Iterable[_Standing], doubted: Doubted) -> bool:
    return (
        best.likeness.is_certain_alone
        and all(standing.is_beyond_doubt(best) for standing in standings)
        and best.here not in doubted.here
        and best.there not in doubted.there
    )
