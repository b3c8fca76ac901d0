"""Counterparts for one record while a person waits: suggested ones, and rows found by typing."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.fields.json import KeyTextTransform

from coupling import criteria
from coupling.candidates import (
    Compared,
    compared,
    crm_candidate,
    ledger_candidate,
    left_out,
    uncoupled_rows,
)
from coupling.likeness import Candidate, Criteria, Evidence, Likeness, compare, name_likeness
from coupling.models import MatchCriteria, RowKey
from coupling.reasons import as_codes
from crmsync.mapping.conversions import clean
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import Condition, TableMapping
from crmsync.sync.models import Coupling, CrmRecord, NotTheSame
from crmsync.sync.narrowing import holding_words, raw_values
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

    Two questions to the database. Empty for a record that is gone. Weighed like the run's, but
    also by a similar name alone.
    """
    declared = get_mapping(mapping)
    saved = MatchCriteria.objects.filter(mapping=mapping).values("fields")[:1]
    records = declared.ledger._default_manager.filter(pk=ledger_id).annotate(
        saved_criteria=Subquery(saved), is_large=Exists(_of_table(declared)[SEARCHED_ROWS:])
    )
    row = records.values(*_columns(declared), "saved_criteria", "is_large").first()
    if row is None:
        return []
    used = criteria.chosen(declared, row["saved_criteria"])
    comparing = compared(declared, used)
    record = ledger_candidate(comparing, row)
    rows = _possible(comparing, record, str(row[declared.title] or ""), is_large=row["is_large"])
    return _best(declared, record, rows, used)[:limit]


def _columns(mapping: TableMapping) -> list[str]:
    """Every column of a record that anybody may have chosen to match on, and what it is called."""
    named = ("id", mapping.number, mapping.title, *criteria.matchable(mapping))
    compared_anyway = (*mapping.match_on, *mapping.match_confirmed_by, mapping.unique_key)
    return [name for name in dict.fromkeys((*named, *compared_anyway)) if name]


def _best(
    mapping: TableMapping, record: Candidate, rows: Iterable[Candidate], used: Criteria
) -> list[Counterpart]:
    evidence = criteria.evidence_of(mapping)
    weighed = [(compare(record, row, used, evidence), row) for row in rows]
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


def _possible(
    comparing: Compared, record: Candidate, title: str, *, is_large: bool
) -> list[Candidate]:
    """Uncoupled rows in scope that share an identifying value or a word of the name.

    Without those of which a person said that they are not the record.
    """
    mapping = comparing.mapping
    sources = [*_with_same_keys(mapping, record, is_large=is_large), *_namesakes(mapping, title)]
    if not sources:
        return []
    said = NotTheSame.objects.filter(
        mapping=mapping.name, ledger_id=record.record_id, crm_id=OuterRef("crm_id")
    )
    ids = sources[0].union(*sources[1:])
    rows = uncoupled_rows(mapping).filter(~Exists(said), crm_id__in=ids)
    return [
        crm_candidate(comparing, crm_id, values)
        for crm_id, values in rows.values_list("crm_id", "values")
        if in_scope(mapping.crm_scope, values)
    ]


def _with_same_keys(
    mapping: TableMapping, record: Candidate, *, is_large: bool
) -> Iterator[QuerySet[Any, Any]]:
    """Ids of rows with one of the record's identifying values, one question a value."""
    for name in criteria.evidence_of(mapping).identifying:
        if name not in record.values or name == mapping.title:
            continue
        value = record.values[name]
        if is_large:
            keys = RowKey.objects.filter(mapping=mapping.name, field=name, key=value)
            yield keys.values("crm_id")
        else:
            same = {f"values__{mapping.field(name).crm}__iexact": value}
            yield _rows(mapping).filter(**same).values("crm_id")


def _namesakes(mapping: TableMapping, title: str) -> Iterator[QuerySet[Any, Any]]:
    """Ids of rows whose title begins alike, or holds the longest word."""
    words = [word for word in (clean(title) or "").split() if len(word) >= TELLING_LETTERS]
    if not words:
        return
    for alike in (*_beginning_with(words[0]), _holding(max(words, key=len))):
        first = uncoupled_rows(mapping).filter(alike).order_by("title")[:MOST_NAMESAKES]
        # Only a question of its own may have a limit when it is one of several.
        yield _of_table(mapping).filter(crm_id__in=first.values("crm_id")).values("crm_id")


def find_rows(*, mapping: str, typed: str, limit: int = 10) -> list[FoundRow]:
    """Rows there whose title or number holds what was typed, coupled or not, by title.

    That very title or number comes first. One question to the database, a second one for a number.
    """
    declared = get_mapping(mapping)
    text = clean(typed)
    if text is None:
        return []
    column = _number_column(declared)
    sources = _by_title(declared, text, limit)
    found = {one["crm_id"]: one for one in _facts(declared, sources[0].union(*sources[1:]))}
    if column and any(letter.isdigit() for letter in text):
        search = _numbered if len(found) >= limit else _by_number
        by_number = search(declared, column, text).values("crm_id")[:limit]
        found |= {one["crm_id"]: one for one in _facts(declared, by_number)}
    rows = [_found_row(declared, one, column) for one in found.values()]
    rows.sort(key=lambda one: (not _is_exact(one, text), one.title))
    return rows[:limit]


def _by_title(mapping: TableMapping, text: str, limit: int) -> list[QuerySet[Any, Any]]:
    """Ids in the order of the titles' index, which holds all that is searched; that very title
    apart, as its place there may be far behind.
    """
    rows = _rows(mapping).order_by("title").values("crm_id")
    chosen = (rows.filter(_holding(text))[:limit], rows.filter(title__in=_written(text))[:limit])
    # Only a question of its own may have a limit when it is one of several.
    return [_of_table(mapping).filter(crm_id__in=some).values("crm_id") for some in chosen]


def _by_number(mapping: TableMapping, column: str, text: str) -> QuerySet[Any, Any]:
    """With the text in their number, that very number first."""
    place = Case(When(number_there__iexact=text, then=0), default=1)
    found = _with_number(mapping, column).filter(
        holding_words("raw", text), number_there__icontains=text
    )
    return found.order_by(place, "title")


def _numbered(mapping: TableMapping, column: str, text: str) -> QuerySet[Any, Any]:
    """With that very number alone: there are enough others, and many hold a digit somewhere."""
    quoted = Q(raw__icontains=json.dumps(text)) if text.isascii() else holding_words("raw", text)
    return _with_number(mapping, column).filter(quoted, number_there__iexact=text).order_by("title")


def _with_number(mapping: TableMapping, column: str) -> QuerySet[Any, Any]:
    return _rows(mapping).alias(raw=raw_values(), number_there=KeyTextTransform(column, "values"))


def _is_exact(row: FoundRow, text: str) -> bool:
    return text.casefold() in (row.title.casefold(), row.number.casefold())


def _facts(mapping: TableMapping, ids: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """These rows with what may stand in the way of a coupling."""
    live = Coupling.objects.filter(
        crm_table=mapping.crm.logical_name, crm_id=OuterRef("crm_id"), removed_at__isnull=True
    )
    records = mapping.ledger._default_manager.filter(pk=OuterRef("coupled_id"))
    rows = _of_table(mapping).filter(crm_id__in=ids)
    return rows.annotate(
        coupled_id=Subquery(live.values("ledger_id")[:1]),
        coupled_number=Subquery(records.values(mapping.number)[:1]),
        is_left_out=Exists(left_out(mapping, Side.CRM, "crm_id")),
    ).values("crm_id", "title", "values", "coupled_id", "coupled_number", "is_left_out")


def _found_row(mapping: TableMapping, row: Mapping[str, Any], column: str) -> FoundRow:
    values = row["values"]
    return FoundRow(
        row["crm_id"],
        row["title"],
        str(values.get(column) or ""),
        row["coupled_id"],
        str(row["coupled_number"] or ""),
        row["is_left_out"],
        tuple(one for one in mapping.crm_scope if values.get(one.field) != one.value),
    )


def _of_table(mapping: TableMapping) -> QuerySet[CrmRecord]:
    return CrmRecord.objects.filter(table=mapping.crm.logical_name)


def _rows(mapping: TableMapping) -> QuerySet[CrmRecord]:
    return _of_table(mapping).filter(is_deleted=False)


def _number_column(mapping: TableMapping) -> str:
    mapped = (one.crm for one in mapping.fields if one.ledger == mapping.number)
    return next(mapped, "")


def _beginning_with(word: str) -> Iterator[Q]:
    """As ranges, each of which every database finds in the index of titles."""
    for variant in sorted({word, word.upper(), word.capitalize()}):
        yield Q(title__gte=variant, title__lt=variant[:-1] + chr(ord(variant[-1]) + 1))


def _holding(text: str) -> Q:
    found = Q()
    for variant in {one.translate(_FOLD_A_TO_Z): one for one in _written(text)}.values():
        found |= Q(title__icontains=variant)
    return found


def _written(text: str) -> tuple[str, ...]:
    """SQLite knows the letter case of A to Z only: other letters are tried as people write them."""
    return text, text.lower(), text.upper(), text.title(), text.capitalize()
