"""Who is compared with whom, so that the work grows with the records and not with their square.

Pure: positions in two lists in and out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from coupling.likeness import Candidate, Criteria, Evidence

# A value that more records than this share on both sides says nothing about who is who; without
# this bound a town or a country would be compared each with each.
MOST_ALIKE = 10


@dataclass(frozen=True, slots=True)
class Bucket:
    """The records of either side that share a value, by position."""

    here: list[int] = field(default_factory=list)
    there: list[int] = field(default_factory=list)

    @property
    def is_crowded(self) -> bool:
        return min(len(self.here), len(self.there)) > MOST_ALIKE


@dataclass(frozen=True, slots=True)
class Doubted:
    """Records that look twice like too many others to be compared with all of them."""

    here: set[int] = field(default_factory=set)
    there: set[int] = field(default_factory=set)


def meetings(
    ledger: Sequence[Candidate],
    crm: Sequence[Candidate],
    criteria: Criteria,
    evidence: Evidence,
    tick: Callable[[], None],
) -> tuple[dict[int, set[int]], Doubted]:
    """Who is compared with whom: by the criteria's groups, and always by what identifies.

    The latter finds rivals that the criteria would not lead to.
    """
    proofs = (*evidence.identifying, *evidence.confirming)
    keys = dict.fromkeys([*((name,) for name in evidence.identifying), *criteria.groups])
    found: dict[int, set[int]] = defaultdict(set)
    doubted = Doubted()
    everybody = Bucket(list(range(len(ledger))), list(range(len(crm))))
    for names in keys:
        for bucket in _buckets(everybody, names, ledger, crm):
            if not bucket.is_crowded:
                _meet(bucket, found)
            elif names[0] in evidence.identifying and len(names) == 1:
                _part_crowd(
                    bucket, [p for p in proofs if p != names[0]], ledger, crm, found, doubted
                )
        tick()
    return found, doubted


def _buckets(
    bucket: Bucket, names: Sequence[str], ledger: Sequence[Candidate], crm: Sequence[Candidate]
) -> Iterator[Bucket]:
    shared: dict[tuple[str, ...], Bucket] = {}
    for position in bucket.there:
        if key := _key(crm[position], names):
            shared.setdefault(key, Bucket()).there.append(position)
    for position in bucket.here:
        key = _key(ledger[position], names)
        if key and key in shared:
            shared[key].here.append(position)
    return (one for one in shared.values() if one.here)


def _key(candidate: Candidate, names: Sequence[str]) -> tuple[str, ...] | None:
    values = tuple(candidate.values.get(name, "") for name in names)
    return values if all(values) else None


def _meet(bucket: Bucket, found: dict[int, set[int]]) -> None:
    for position in bucket.here:
        found[position].update(bucket.there)


def _part_crowd(
    crowd: Bucket,
    names: Sequence[str],
    ledger: Sequence[Candidate],
    crm: Sequence[Candidate],
    found: dict[int, set[int]],
    doubted: Doubted,
) -> None:
    """Of a crowd with one value only those meet who share another one, too."""
    for name in names:
        for bucket in _buckets(crowd, (name,), ledger, crm):
            if bucket.is_crowded:
                doubted.here.update(bucket.here)
                doubted.there.update(bucket.there)
            else:
                _meet(bucket, found)
