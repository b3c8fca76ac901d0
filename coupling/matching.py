"""Which record here is which record there: proposals with reasons, for a person to accept.

Pure: values in, proposals out. *Certain* needs two independent agreements and no rival on either
side; *likely* one; *ambiguous* has rivals.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from rapidfuzz import fuzz

from crmsync.sync.likeness import fold


class Certainty(StrEnum):
    CERTAIN = "certain"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One uncoupled record of either side; ``values`` are canonical, by field."""

    record_id: UUID
    label: str
    values: Mapping[str, object]
    number: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    ledger: Candidate
    crm: Candidate
    certainty: Certainty
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """How a table is matched.

    ``identifying`` fields lead to pairs; a pair is certain with one of them and one more field of
    ``confirming`` (or a second identifying one). A name alone is never enough.
    """

    identifying: tuple[str, ...]
    confirming: tuple[str, ...]
    exact: frozenset[str] = frozenset()


# A name that differs in a word or a legal form only.
SIMILAR_NAME = 90.0


def propose(
    ledger: Sequence[Candidate], crm: Sequence[Candidate], criteria: Criteria
) -> list[Proposal]:
    """One proposal a ledger record at most, its best one; ties are ambiguous."""
    pairs = _pairs(ledger, crm, criteria)
    best_here = _best(pairs, key=lambda pair: pair.ledger)
    best_there = _best(pairs, key=lambda pair: pair.crm)
    proposals = []
    for ledger_index in sorted(best_here):
        rivals = best_here[ledger_index]
        pair = rivals[0]
        is_alone = len(rivals) == 1 and best_there[pair.crm] == [pair]
        certainty = Certainty.AMBIGUOUS
        if is_alone:
            certainty = Certainty.CERTAIN if _is_certain(pair, criteria) else Certainty.LIKELY
        proposals.append(Proposal(ledger[pair.ledger], crm[pair.crm], certainty, _reasons(pair)))
    return proposals


@dataclass(frozen=True, slots=True)
class _Pair:
    ledger: int
    crm: int
    agreeing: frozenset[str]
    similar_name: bool

    @property
    def weight(self) -> int:
        return len(self.agreeing) * 2 + self.similar_name


def _pairs(
    ledger: Sequence[Candidate], crm: Sequence[Candidate], criteria: Criteria
) -> list[_Pair]:
    """Only records that share an identifying value are compared: no quadratic walk."""
    index: dict[tuple[str, str], list[int]] = defaultdict(list)
    for position, candidate in enumerate(crm):
        for key in _keys(candidate, criteria):
            index[key].append(position)
    found: dict[tuple[int, int], _Pair] = {}
    for here, candidate in enumerate(ledger):
        for key in _keys(candidate, criteria):
            for there in index.get(key, ()):
                if (here, there) not in found:
                    found[here, there] = _compare(here, candidate, there, crm[there], criteria)
    return list(found.values())


def _keys(candidate: Candidate, criteria: Criteria) -> Iterable[tuple[str, str]]:
    for name in criteria.identifying:
        if folded := _folded(candidate, name, criteria):
            yield name, folded


def _folded(candidate: Candidate, name: str, criteria: Criteria) -> str:
    value = candidate.values.get(name)
    if value is None:
        return ""
    return str(value).strip() if name in criteria.exact else fold(value)


def _compare(
    here: int, ours: Candidate, there: int, theirs: Candidate, criteria: Criteria
) -> _Pair:
    fields = dict.fromkeys((*criteria.identifying, *criteria.confirming))
    agreeing = frozenset(
        name
        for name in fields
        if (folded := _folded(ours, name, criteria)) and folded == _folded(theirs, name, criteria)
    )
    similar = fuzz.token_set_ratio(fold(ours.label), fold(theirs.label)) >= SIMILAR_NAME
    return _Pair(here, there, agreeing, similar)


def _best(pairs: Iterable[_Pair], key: Callable[[_Pair], int]) -> dict[int, list[_Pair]]:
    """Per record the pairs of the highest weight."""
    best: dict[int, list[_Pair]] = {}
    for pair in pairs:
        known = best.get(key(pair), [])
        if not known or pair.weight > known[0].weight:
            best[key(pair)] = [pair]
        elif pair.weight == known[0].weight:
            known.append(pair)
    return best


def _is_certain(pair: _Pair, criteria: Criteria) -> bool:
    identified = [name for name in criteria.identifying if name in pair.agreeing]
    confirmed = [name for name in criteria.confirming if name in pair.agreeing]
    return bool(identified) and len(set(identified) | set(confirmed)) >= 2


def _reasons(pair: _Pair) -> tuple[str, ...]:
    same = tuple(f"same {name}" for name in sorted(pair.agreeing))
    is_similar = pair.similar_name and "name" not in pair.agreeing
    return (*same, "similar name") if is_similar else same
