"""What speaks for two records being one. Pure: values in, reasons out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from rapidfuzz import fuzz

# A name that differs in a word or a legal form only.
SIMILAR_NAME = 90.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One uncoupled record of either side.

    ``values`` are what is compared, by field, blanks absent; ``typed`` the same as people typed
    it, for fields in which letter case counts; ``name`` is its title, folded; ``number`` is what
    people know a ledger record by.
    """

    record_id: UUID
    label: str
    values: Mapping[str, str]
    name: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    number: str = ""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What leads to pairs: groups of fields, the first one first; all fields of one must agree."""

    groups: tuple[tuple[str, ...], ...]
    case_sensitive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What makes a pair certain; ``title`` is the field that ``Candidate.name`` comes from."""

    identifying: tuple[str, ...]
    confirming: tuple[str, ...] = ()
    title: str = "name"


@dataclass(frozen=True, slots=True)
class Reasons:
    """The fields in which a pair agrees, and whether its names only look alike."""

    same: tuple[str, ...]
    is_similar_name: bool = False


@dataclass(frozen=True, slots=True)
class Likeness:
    """What speaks for one pair. ``agreements`` counts evidence only, ``weight`` everything."""

    agreements: int
    weight: int
    is_certain_alone: bool
    group: int | None
    reasons: Reasons


def compare(ours: Candidate, theirs: Candidate, criteria: Criteria, evidence: Evidence) -> Likeness:
    """What speaks for a pair, whatever led to it."""
    same = {name for name, value in ours.values.items() if theirs.values.get(name) == value}
    strictly = {
        name
        for name in same
        if name not in criteria.case_sensitive or ours.typed.get(name) == theirs.typed.get(name)
    }
    proofs = {*evidence.identifying, *evidence.confirming}
    is_similar = evidence.title not in same and is_similar_name(ours, theirs)
    groups = (n for n, names in enumerate(criteria.groups) if strictly.issuperset(names))
    return Likeness(
        agreements=len(same & proofs),
        weight=2 * len(same) + is_similar,
        # A difference in letter case that a person holds to count takes certainty away, while a
        # rival remains one in spite of it.
        is_certain_alone=len(strictly & proofs) >= 2
        and not strictly.isdisjoint(evidence.identifying),
        group=next(groups, None),
        reasons=Reasons(tuple(sorted(same)), is_similar),
    )


def is_similar_name(ours: Candidate, theirs: Candidate) -> bool:
    return name_likeness(ours, theirs) >= SIMILAR_NAME


def name_likeness(ours: Candidate, theirs: Candidate) -> float:
    """From 0 to 100; 0 below what anybody would call alike."""
    if not ours.name or not theirs.name:
        return 0.0
    return fuzz.token_set_ratio(ours.name, theirs.name, score_cutoff=SIMILAR_NAME)
