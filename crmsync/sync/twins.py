"""Likely twins: records without a counterpart that look alike on both sides.

Before a missing counterpart is created, somebody who looks like it is searched for; with one the
record waits for a person, because two existing records become one only by approval. Pairs of which
a person said that they are not the same are no twins, nor are records left out.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.utils.text import capfirst

from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import Common, TableMapping
from crmsync.sync import exclusions, labels
from crmsync.sync.likeness import fold
from crmsync.sync.models import TITLE_LENGTH, Coupling, CrmRecord, NotTheSame
from crmsync.sync.narrowing import raw_values, titles_folding_to, values_folding_to
from crmsync.sync.sides import CouplingResolver, in_scope, scope_filter
from crmsync.sync.steps import Problem, Step
from crmsync.terms import Outcome

LIKELY_TWIN = "likely_twin"
ALL_ROWS = 1_000_000_000

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

    The very rows for which *to CRM* would refuse to create it. An empty list also for a record that
    is gone or looks like nothing.
    """
    declared = get_mapping(mapping)
    row = declared.ledger._default_manager.filter(pk=ledger_id).values(*declared.match_on).first()
    wanted = set(keys(declared, _common(declared, row))) if row and declared.match_on else set()
    if not wanted:
        return []
    said = NotTheSame.objects.filter(
        mapping=mapping, ledger_id=ledger_id, crm_id=OuterRef("crm_id")
    )
    rows = exclusions.uncoupled_records(declared).filter(
        ~Exists(said), crm_id__in=_resembling(declared, wanted)
    )
    found = [
        Twin(crm_id, title or str(crm_id), fields)
        for crm_id, title, values in rows.values_list("crm_id", "title", "values")
        if (fields := _shared(declared, wanted, values))
    ]
    return sorted(found, key=lambda one: (-len(one.fields), one.title))


def _common(mapping: TableMapping, row: Mapping[str, Any]) -> dict[str, Common]:
    """As the engine compares them; nobody is matched by a lookup, which alone needs a resolver."""
    nobody = CouplingResolver(UUID(int=0))
    return {
        name: mapping.field(name).conversion.from_ledger(row[name], nobody)
        for name in mapping.match_on
    }


def _resembling(mapping: TableMapping, wanted: set[Key]) -> list[UUID]:
    """Rows without coupling that have one of the keys, whether or not they are in scope.

    The database passes over most of them, which costs little each; the keys decide.
    """
    columns = {name: mapping.field(name).crm for name in mapping.match_on}
    texts = {f"text_{name}": KeyTextTransform(crm, "values") for name, crm in columns.items()}
    rows = (
        CrmRecord.objects.filter(
            table=mapping.crm.logical_name, crm_id__in=_without_coupling(mapping), is_deleted=False
        )
        .alias(raw=raw_values())
        .filter(_coarsely(mapping, wanted))
    )
    found = rows.values_list("crm_id", *texts.values())
    return [
        crm_id
        for crm_id, *held in found.iterator(chunk_size=2000)
        if not wanted.isdisjoint(keys(mapping, dict(zip(columns, held, strict=True))))
    ]


def _without_coupling(mapping: TableMapping) -> "QuerySet[CrmRecord, Any]":
    """Ids by two indexes alone: in their order SQLite merges the two, four times as fast.

    As part of a question an order lasts only with a limit.
    """
    table = mapping.crm.logical_name
    rows = CrmRecord.objects.filter(table=table).values("crm_id")
    coupled = Coupling.objects.filter(crm_table=table, removed_at__isnull=True).values("crm_id")
    return rows.difference(coupled).order_by("crm_id")[:ALL_ROWS]


def _coarsely(mapping: TableMapping, wanted: Iterable[Key]) -> Q:
    condition = Q(pk__in=[])
    for name, key in sorted(wanted):
        column = mapping.field(name).crm
        if column == mapping.crm_title and name != mapping.number:
            condition |= titles_folding_to(key, longest=TITLE_LENGTH)
        else:
            condition |= values_folding_to(column, key)
    return condition


def _shared(
    mapping: TableMapping, wanted: Collection[Key], values: Mapping[str, Any]
) -> tuple[str, ...]:
    """The fields by which a row is like the record; none for one that is out of scope."""
    if not in_scope(mapping.crm_scope, values):
        return ()
    named = {name: values.get(mapping.field(name).crm) for name in mapping.match_on}
    return tuple(key[0] for key in keys(mapping, named) if key in wanted)


def _keys_there(mapping: TableMapping) -> Iterator[tuple[UUID, Key]]:
    """Every match key of the rows there that are in scope and belong to nobody."""
    columns = {name: mapping.field(name).crm for name in mapping.match_on}
    free = exclusions.uncoupled_records(mapping)
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
