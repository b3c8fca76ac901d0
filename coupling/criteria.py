"""By which fields a table is matched: the declaration's, or what a person set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from coupling.errors import FieldNotMatchable, NothingToMatchOn, PriorityOutOfRange
from coupling.likeness import Criteria, Evidence
from coupling.models import MatchCriteria
from crmsync.mapping.conversions import Text
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping

HIGHEST_NUMBER = 99


@dataclass(frozen=True, slots=True)
class FieldCriterion:
    """How one field takes part. A blank priority (0) comes first; equal ones must all agree."""

    field: str
    is_matched: bool
    is_case_sensitive: bool = False
    priority: int = 0


def criteria_of(*, mapping: str) -> tuple[FieldCriterion, ...]:
    """Every field that can be matched on, in the order of the declaration."""
    declared = get_mapping(mapping)
    saved = MatchCriteria.objects.filter(mapping=mapping).first()
    return _all_fields(declared, _chosen(declared, saved.fields if saved else None))


def chosen(mapping: TableMapping, saved: Sequence[Mapping[str, Any]] | None) -> Criteria:
    """As the matching takes them: the saved ones, or without any the declaration's."""
    return to_match_by(mapping, stored(_chosen(mapping, saved)))


def _chosen(
    mapping: TableMapping, saved: Sequence[Mapping[str, Any]] | None
) -> list[FieldCriterion]:
    return _declared(mapping) if saved is None else _read(saved)


def is_changed(*, mapping: str) -> bool:
    """True when a person set criteria other than the declaration's."""
    return MatchCriteria.objects.filter(mapping=mapping).exists()


def save_criteria(*, mapping: str, fields: Sequence[FieldCriterion], by: str) -> None:
    """Keep what a person set; fields that are not matched on may be left out.

    Raises FieldNotMatchable, PriorityOutOfRange, NothingToMatchOn.
    """
    possible = matchable(get_mapping(mapping))
    matched = [one for one in fields if one.is_matched]
    if unknown := {one.field for one in matched} - set(possible):
        raise FieldNotMatchable(list(unknown))
    for one in matched:
        if not 0 <= one.priority <= HIGHEST_NUMBER:
            raise PriorityOutOfRange(one.field)
    if not matched:
        raise NothingToMatchOn
    MatchCriteria.objects.update_or_create(
        mapping=mapping, defaults={"fields": stored(matched), "saved_by": by}
    )


def reset_criteria(*, mapping: str) -> None:
    """Back to the declaration's."""
    MatchCriteria.objects.filter(mapping=mapping).delete()


def matchable(mapping: TableMapping) -> tuple[str, ...]:
    """The fields that hold text on both sides; a lookup or an amount identifies nobody."""
    return tuple(one.ledger for one in mapping.fields if isinstance(one.conversion, Text))


def evidence_of(mapping: TableMapping) -> Evidence:
    identifying = mapping.match_on or ((mapping.unique_key,) if mapping.unique_key else ())
    return Evidence(identifying, mapping.match_confirmed_by, mapping.title)


def stored(fields: Iterable[FieldCriterion]) -> list[dict[str, Any]]:
    """The fields to match on as JSON."""
    return [
        {
            "field": one.field,
            "priority": one.priority,
            "is_case_sensitive": one.is_case_sensitive,
        }
        for one in fields
        if one.is_matched
    ]


def to_match_by(mapping: TableMapping, fields: Iterable[Mapping[str, Any]]) -> Criteria:
    """Stored criteria as the matching takes them, the highest priority first."""
    possible = matchable(mapping)
    # A field that a newer declaration dropped leads nowhere any more.
    matched = [one for one in _read(fields) if one.field in possible]
    matched.sort(key=lambda one: (one.priority, possible.index(one.field)))
    groups = groupby(matched, key=lambda one: one.priority)
    return Criteria(
        tuple(tuple(one.field for one in group) for _, group in groups),
        frozenset(one.field for one in matched if one.is_case_sensitive),
    )


def _read(fields: Iterable[Mapping[str, Any]]) -> list[FieldCriterion]:
    return [
        FieldCriterion(
            one["field"],
            is_matched=True,
            is_case_sensitive=one["is_case_sensitive"],
            priority=one["priority"],
        )
        for one in fields
    ]


def _declared(mapping: TableMapping) -> list[FieldCriterion]:
    return [
        FieldCriterion(name, is_matched=True, priority=number)
        for number, name in enumerate(evidence_of(mapping).identifying, start=1)
    ]


def _all_fields(
    mapping: TableMapping, matched: Sequence[FieldCriterion]
) -> tuple[FieldCriterion, ...]:
    by_name = {one.field: one for one in matched}
    return tuple(
        by_name.get(name, FieldCriterion(name, is_matched=False)) for name in matchable(mapping)
    )
