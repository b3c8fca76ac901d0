"""Which tables should be coupled first, because records of this one point to them."""

from collections.abc import Iterable

from coupling.candidates import compared, crm_candidates, ledger_candidates
from coupling.criteria import evidence_of
from coupling.likeness import Candidate, Criteria
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping


def parents_to_couple(mapping: str) -> list[tuple[str, int]]:
    """Needed mappings with the number of their uncoupled records that have a likely counterpart.

    Such a one shares an identifying value with an uncoupled row; records that have none cannot be
    coupled, and are no reason to wait. A table without any is not listed.
    """
    counts = ((name, _couplable(get_mapping(name))) for name in get_mapping(mapping).needs)
    return [(name, count) for name, count in counts if count]


def _couplable(mapping: TableMapping) -> int:
    names = evidence_of(mapping).identifying
    comparing = compared(mapping, Criteria(tuple((name,) for name in names)))
    there = {key for one in crm_candidates(comparing) for key in _keys(one, names)}
    return sum(1 for one in ledger_candidates(comparing) if not there.isdisjoint(_keys(one, names)))


def _keys(candidate: Candidate, names: Iterable[str]) -> set[tuple[str, str]]:
    return {(name, candidate.values[name]) for name in names if name in candidate.values}
