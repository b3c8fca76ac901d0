"""Counterparts for one record while a person waits: suggested ones, and rows found by typing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from coupling import criteria
from coupling.candidates import (
    Compared,
    compared,
    crm_candidate,
    ledger_candidate,
    ledger_rows,
    numbers_of,
    uncoupled_rows,
)
from coupling.likeness import Candidate, Criteria, Evidence, Likeness, compare, name_likeness
from coupling.models import RowKey
from coupling.reasons import as_codes
from crmsync.mapping.conversions import clean
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import Condition, TableMapping
from crmsync.sync.exclusions import dismissed_pairs, left_out_of
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.sync.sides import in_scope
from crmsync.terms import Side

# Up to so many rows the stored values are searched; above, the keys that a run left.
SEARCHED_ROWS = 10_000
# As many rows with the same word are looked at.
MOST_NAMESAKES = 200
_FOLD_A_TO_Z = str.maketrans(ascii_uppercase, ascii_lowercase)
# Shorter words ("A/S", "the") are in every name.
TELLING_LETTERS = 4


@dataclass(frozen=True, slots=True)
class Counterpart:
    """An uncoupled row that may be the record's; ``reasons`` as codes, the best row first."""

    crm_id: UUID
    title: str
    reasons: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row there that fits what was typed.

    ``coupled_id`` is the ledger record that it is coupled with, ``coupled_number`` the record's
    number; ``out_of_scope`` are the conditions of the mapping that it does not meet.
    """

    crm_id: UUID
    title: str
    number: str
    coupled_id: UUID | None = None
    coupled_number: str = ""
    is_left_out: bool = False
    out_of_scope: tuple[Condition, ...] = ()

    @property
    def can_be_coupled(self) -> bool:
        return self.coupled_id is None and not self.is_left_out and not self.out_of_scope


def suggestions_for(*, mapping: str, ledger_id: UUID, limit: int = 3) -> list[Counterpart]:
    """The best uncoupled rows for one ledger record, as what was last read of Sales tells them.

    Empty for a record that is gone. Weighed like the run's, but also by a similar name alone.
    """
    declared = get_mapping(mapping)
    used = criteria.to_match_by(declared, criteria.stored(criteria.criteria_of(mapping=mapping)))
    comparing = compared(declared, used)
    records = declared.ledger._default_manager.filter(pk=ledger_id)
    for row in ledger_rows(comparing, records):
        record = ledger_candidate(comparing, row)
        rows = _possible(comparing, record, str(row[declared.title] or ""))
        return _best(declared, record, rows, used)[:limit]
    return []


def _best(
    mapping: TableMapping, record: Candidate, rows: Iterable[Candidate], used: Criteria
) -> list[Counterpart]:
    evidence = criteria.evidence_of(mapping)
    refused = dismissed_pairs(mapping)
    weighed = [
        (compare(record, row, used, evidence), row)
        for row in rows
        if (record.record_id, row.record_id) not in refused
    ]
    weighed.sort(key=lambda one: _rank(one[0], one[1], record))
    return [
        Counterpart(row.record_id, row.label, as_codes(mapping, likeness.reasons))
        for likeness, row in weighed
        if _speaks(likeness, evidence)
    ]


def _speaks(likeness: Likeness, evidence: Evidence) -> bool:
    """A town or a post code alone would suggest the whole neighbourhood."""
    reasons = likeness.reasons
    return reasons.is_similar_name or not set(evidence.identifying).isdisjoint(reasons.same)


def _rank(likeness: Likeness, row: Candidate, record: Candidate) -> tuple[int, float, UUID]:
    return -likeness.weight, -name_likeness(record, row), row.record_id


def _possible(comparing: Compared, record: Candidate, title: str) -> list[Candidate]:
    """Uncoupled rows in scope that share an identifying value or a word of the name."""
    mapping = comparing.mapping
    ids = {*_with_same_keys(mapping, record), *_namesakes(mapping, title)}
    rows = uncoupled_rows(mapping).filter(crm_id__in=ids).values_list("crm_id", "values")
    return [
        crm_candidate(comparing, crm_id, values)
        for crm_id, values in rows
        if in_scope(mapping.crm_scope, values)
    ]


def _with_same_keys(mapping: TableMapping, record: Candidate) -> Iterable[UUID]:
    keys = {
        name: record.values[name]
        for name in criteria.evidence_of(mapping).identifying
        if name in record.values and name != mapping.title
    }
    if not keys:
        return []
    if CrmRecord.objects.filter(table=mapping.crm.logical_name)[SEARCHED_ROWS:].exists():
        same = Q()
        for name, value in keys.items():
            same |= Q(field=name, key=value)
        return RowKey.objects.filter(same, mapping=mapping.name).values_list("crm_id", flat=True)
    same = Q()
    for name, value in keys.items():
        same |= Q(**{f"values__{mapping.field(name).crm}__iexact": value})
    return _rows(mapping).filter(same).values_list("crm_id", flat=True)


def _namesakes(mapping: TableMapping, title: str) -> Iterable[UUID]:
    """Rows whose title begins alike, or holds the longest word."""
    words = [word for word in (clean(title) or "").split() if len(word) >= TELLING_LETTERS]
    if not words:
        return []
    longest = max(words, key=len)
    rows = _rows(mapping).order_by("title").values_list("crm_id", flat=True)
    return [
        *rows.filter(_beginning_with(words[0]))[:MOST_NAMESAKES],
        *rows.filter(_holding(longest))[:MOST_NAMESAKES],
    ]


def find_rows(*, mapping: str, typed: str, limit: int = 10) -> list[FoundRow]:
    """Rows there whose title or number holds what was typed, coupled or not, by title."""
    declared = get_mapping(mapping)
    text = clean(typed)
    if text is None:
        return []
    # In the order of the titles' index, which holds all that is searched.
    rows = _rows(declared).order_by("title").values_list("crm_id", "title", "values")
    found = list(rows.filter(_holding(text))[:limit])
    column = _number_column(declared)
    if column and len(found) < limit and any(letter.isdigit() for letter in text):
        by_number = rows.alias(number_there=KeyTextTransform(column, "values")).filter(
            number_there__icontains=text
        )
        known = [crm_id for crm_id, _, _ in found]
        found += by_number.exclude(crm_id__in=known)[: limit - len(found)]
    return _found_rows(declared, found, column)


def _found_rows(
    mapping: TableMapping, found: list[tuple[UUID, str, Any]], column: str
) -> list[FoundRow]:
    ids = [crm_id for crm_id, _, _ in found]
    table = mapping.crm.logical_name
    live = Coupling.objects.filter(crm_table=table, crm_id__in=ids, removed_at__isnull=True)
    coupled = dict(live.values_list("crm_id", "ledger_id"))
    numbers = numbers_of(mapping, list(coupled.values()))
    left_out = left_out_of(mapping, Side.CRM, ids)
    return [
        FoundRow(
            crm_id,
            title,
            str(values.get(column) or ""),
            coupled.get(crm_id),
            numbers.get(coupled[crm_id], "") if crm_id in coupled else "",
            crm_id in left_out,
            tuple(one for one in mapping.crm_scope if values.get(one.field) != one.value),
        )
        for crm_id, title, values in found
    ]


def _rows(mapping: TableMapping) -> QuerySet[CrmRecord]:
    return CrmRecord.objects.filter(table=mapping.crm.logical_name, is_deleted=False)


def _number_column(mapping: TableMapping) -> str:
    mapped = (one.crm for one in mapping.fields if one.ledger == mapping.number)
    return next(mapped, "")


def _beginning_with(word: str) -> Q:
    """As a range, which every database finds in the index of titles."""
    found = Q()
    for variant in {word, word.upper(), word.capitalize()}:
        found |= Q(title__gte=variant, title__lt=variant[:-1] + chr(ord(variant[-1]) + 1))
    return found


def _holding(text: str) -> Q:
    """SQLite knows the letter case of A to Z only: other letters are tried as people write them."""
    written = (text, text.lower(), text.upper(), text.title(), text.capitalize())
    found = Q()
    for variant in {one.translate(_FOLD_A_TO_Z): one for one in written}.values():
        found |= Q(title__icontains=variant)
    return found
