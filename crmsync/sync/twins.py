"""Likely twins: records without a counterpart that look alike on both sides.

Before a missing counterpart is created, somebody who looks like it is searched for; with one the
record waits for a person, because two existing records become one only by approval. Pairs of which
a person said that they are not the same are no twins, nor are records left out.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.text import capfirst

from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import Common, TableMapping
from crmsync.sync import exclusions, labels
from crmsync.sync.likeness import fold
from crmsync.sync.models import Coupling
from crmsync.sync.sides import in_scope, scope_filter
from crmsync.sync.steps import Problem, Step
from crmsync.terms import Outcome

# Upper and lower case of these letters are the same to every database.
_PLAIN_WORD = re.compile(r"(?<!\w)[a-z0-9]+(?!\w)")

MOST_WORDS = 5
LIKELY_TWIN = "likely_twin"

Key = tuple[str, str]
# Several records may have one key: one that is dismissed must not hide another.
Index = Mapping[Key, list[UUID]]


@dataclass(frozen=True, slots=True)
class Twin:
    """A row there without counterpart, and the fields by which it looks like the record here."""

    crm_id: UUID
    title: str
    fields: tuple[str, ...]


def keys(mapping: TableMapping, values: Mapping[str, Common | None]) -> Iterator[Key]:
    """By field, what makes a record look like another; a blank looks like nothing."""
    for name in mapping.match_on:
        value = values.get(name)
        folded = str(value).strip() if name == mapping.number else fold(value)
        if value is not None and folded:
            yield name, folded


def uncoupled_rows_there(mapping: TableMapping) -> Index:
    """The match keys of all rows there that are in scope and belong to nobody."""
    return _index((key, crm_id) for crm_id, key in _keys_there(mapping))


def uncoupled_records_here(mapping: TableMapping) -> Index:
    """The match keys of all ledger records that are in scope and belong to nobody."""
    coupled = Coupling.objects.filter(mapping=mapping.name, removed_at__isnull=True)
    rows = mapping.ledger._default_manager.filter(**scope_filter(mapping.ledger_scope)).exclude(
        pk__in=coupled.values("ledger_id")
    )
    free = exclusions.included_rows(mapping, rows).values("id", *mapping.match_on)
    return _index(
        (key, row["id"]) for row in free.iterator(chunk_size=2000) for key in keys(mapping, row)
    )


def find(
    mapping: TableMapping,
    values: Mapping[str, Any],
    index: Index,
    dismissed: Collection[UUID] = (),
) -> list[tuple[str, UUID]]:
    """The fields by which the record looks like others in the index, and which; best first."""
    return [
        (key[0], one)
        for key in keys(mapping, values)
        for one in index.get(key, ())
        if one not in dismissed
    ]


def there(field: str, crm_id: UUID) -> Problem:
    """Why a record here waits: a row there looks like it."""
    sentence = f"A row in Sales without counterpart has the same {field}."
    return Problem(
        Outcome.UNDECIDED, LIKELY_TWIN, sentence, {"field": field, "crm_id": str(crm_id)}
    )


def here(field: str, ledger_id: UUID) -> Problem:
    """Why a row there waits: a record here looks like it."""
    sentence = f"A record in Financials without counterpart has the same {field}."
    return Problem(
        Outcome.UNDECIDED, LIKELY_TWIN, sentence, {"field": field, "ledger_id": str(ledger_id)}
    )


def name_them(mapping: TableMapping, steps: Iterable[Step]) -> None:
    """Say in each twin's problem what people call it; one query for a whole page."""
    waiting = [
        (step, step.problem)
        for step in steps
        if step.problem is not None and step.problem.code == LIKELY_TWIN
    ]
    rows = {UUID(one.details["crm_id"]) for _, one in waiting if "crm_id" in one.details}
    records = {UUID(one.details["ledger_id"]) for _, one in waiting if "ledger_id" in one.details}
    names = labels.of_crm(mapping.crm.logical_name, rows) if rows else {}
    names |= labels.of_ledger(mapping, records) if records else {}
    for step, problem in waiting:
        twin = problem.details.get("crm_id") or problem.details["ledger_id"]
        name = names.get(UUID(twin), twin)
        step.problem = replace(
            problem,
            sentence=f"{capfirst(name)}: {problem.sentence}",
            details={**problem.details, "name": capfirst(name)},
        )


def twins_of(*, mapping: str, ledger_id: UUID) -> list[Twin]:
    """Rows there that look like this record, by what was last read; those with most fields first.

    An empty list also for a record that is gone or looks like nothing.
    """
    declared = get_mapping(mapping)
    row = declared.ledger._default_manager.filter(pk=ledger_id).values(*declared.match_on).first()
    wanted = set(keys(declared, row)) if row and declared.match_on else set()
    if not wanted:
        return []
    fields: dict[UUID, list[str]] = {}
    for crm_id, key in _keys_there(declared, _resembling(declared, wanted)):
        if key in wanted:
            fields.setdefault(crm_id, []).append(key[0])
    for said_ledger_id, crm_id in exclusions.dismissed_pairs(declared):
        if said_ledger_id == ledger_id:
            fields.pop(crm_id, None)
    titles = labels.of_crm(declared.crm.logical_name, fields)
    best_first = sorted(fields, key=lambda crm_id: (-len(fields[crm_id]), titles[crm_id]))
    return [Twin(crm_id, titles[crm_id], tuple(fields[crm_id])) for crm_id in best_first]


def _resembling(mapping: TableMapping, wanted: Iterable[Key]) -> Q:
    """A coarse condition that the database can look for: the words of a key stand in its column.

    A key without such words, because it is written in other letters, lets every row through.
    """
    condition = Q(pk__in=[])
    for name, key in wanted:
        column = mapping.field(name).crm
        place = "title" if column == mapping.crm_title else f"values__{column}"
        words = _PLAIN_WORD.findall(key.lower())[:MOST_WORDS]
        holding = [Q(**{f"{place}__icontains": word}) for word in words]
        condition |= reduce(and_, holding, ~Q(pk=None))
    return condition


def _keys_there(mapping: TableMapping, condition: Q | None = None) -> Iterator[tuple[UUID, Key]]:
    """Every match key of the rows there that are in scope and belong to nobody."""
    columns = {name: mapping.field(name).crm for name in mapping.match_on}
    free = exclusions.uncoupled_records(mapping).filter(condition or Q())
    for crm_id, values in free.values_list("crm_id", "values").iterator(chunk_size=2000):
        if in_scope(mapping.crm_scope, values):
            named = {name: values.get(column) for name, column in columns.items()}
            for key in keys(mapping, named):
                yield crm_id, key


def _index(pairs: Iterable[tuple[Key, UUID]]) -> Index:
    found: dict[Key, list[UUID]] = {}
    for key, one in pairs:
        found.setdefault(key, []).append(one)
    return found
