"""Two records with all that a comparison of them asks about, in three questions to the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.utils.translation import gettext as _

from crmsync.connections import services as connections
from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import exclusions, labels
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.sync.obstructions import Known, obstruction
from crmsync.sync.refusals import UnableToCompare
from crmsync.sync.sides import CouplingResolver
from crmsync.terms import Side

_OF_COUPLING = ("pk", "crm_id", "agreed", "first_winner", "not_followed")


@dataclass(frozen=True, slots=True)
class PairFacts:
    """Both records as they were last read, and what people call those that lookups point to.

    ``row`` holds the ledger's columns, ``values`` those of the row there; ``coupling`` is that of
    the two, ``obstruction`` the sentence why they cannot be coupled. ``numbers`` and ``titles`` are
    of the records here and the rows there, by field.
    """

    row: Mapping[str, Any]
    values: Mapping[str, Any]
    is_deleted: bool
    coupling: Coupling | None
    obstruction: str
    resolver: CouplingResolver
    numbers: Mapping[str, str | None]
    titles: Mapping[str, str]


def read_pair(mapping: TableMapping, ledger_id: UUID, crm_id: UUID) -> PairFacts:
    """Raises UnableToCompare, NotConnected, Disabled."""
    found = _both(mapping, ledger_id, crm_id)
    if found is None:
        raise UnableToCompare(_("The record is not in Financials any more."))
    if found["there_values"] is None:
        raise UnableToCompare(_("The row is not in Sales, or was not read yet."))
    resolver = CouplingResolver.of(connections.get_connection())
    return PairFacts(
        row=found,
        values=found["there_values"],
        is_deleted=found["there_is_deleted"],
        coupling=_coupling(mapping, found, crm_id),
        obstruction=_obstruction(mapping, found, crm_id),
        resolver=resolver,
        numbers=_parents_here(mapping, found, resolver),
        titles=_parents_there(mapping, found["there_values"], resolver),
    )


def _both(mapping: TableMapping, ledger_id: UUID, crm_id: UUID) -> dict[str, Any] | None:
    """The ledger row; ``there_...`` is of the row there, ``own_...`` of the record's coupling,
    ``taken_...`` of the coupling of the row there.
    """
    table = mapping.crm.logical_name
    there = CrmRecord.objects.filter(table=table, crm_id=crm_id)
    own = _live().filter(mapping=mapping.name, ledger_id=OuterRef("pk"))
    taken = _live().filter(crm_table=table, crm_id=crm_id)
    left_out = exclusions.left_out
    added = {
        **{f"there_{name}": _one(there, name) for name in ("values", "is_deleted", "title")},
        **{f"own_{name}": _one(own, name) for name in _OF_COUPLING},
        **{f"taken_{name}": _one(taken, name) for name in ("mapping", "ledger_id")},
        "is_left_out": Exists(left_out(mapping, Side.LEDGER).filter(record_id=OuterRef("pk"))),
        "there_is_left_out": Exists(left_out(mapping, Side.CRM).filter(record_id=crm_id)),
        **_of_parents(mapping),
    }
    named = {
        "own_title": _one(CrmRecord.objects.filter(table=table, crm_id=OuterRef("own_crm_id"))),
        "taken_number": _number_of_taken(table),
    }
    rows = mapping.ledger._default_manager.filter(pk=ledger_id).annotate(**mapping.computed)
    scope = [condition.field for condition in mapping.ledger_scope]
    columns = dict.fromkeys((*mapping.ledger_columns, *scope, *added, *named))
    found: dict[str, Any] | None = rows.annotate(**added).annotate(**named).values(*columns).first()
    return found


def _live() -> "QuerySet[Coupling]":
    return Coupling.objects.filter(removed_at__isnull=True)


def _one(rows: "QuerySet[Any]", name: str = "title") -> Subquery:
    return Subquery(rows.values(name)[:1])


def _number_of_taken(table: str) -> Case:
    """What the record is called that the row is coupled with, whichever mapping it is of."""
    return Case(
        *(
            When(
                taken_mapping=one.name,
                then=_one(
                    one.ledger._default_manager.filter(pk=OuterRef("taken_ledger_id")), one.number
                ),
            )
            for one in all_mappings()
            if one.crm.logical_name == table
        ),
        default=None,
        output_field=CharField(),
    )


def _of_parents(mapping: TableMapping) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, lookup in _lookups(mapping).items():
        reference = mapping.ledger._meta.get_field(field).name
        coupled = _live().filter(mapping=lookup.parent, ledger_id=OuterRef(field), is_intent=False)
        found[f"{field}_number"] = F(f"{reference}__{get_mapping(lookup.parent).number}")
        found[f"{field}_crm_id"] = _one(coupled, "crm_id")
    return found


def _lookups(mapping: TableMapping) -> dict[str, Lookup]:
    return {
        one.ledger: one.conversion for one in mapping.fields if isinstance(one.conversion, Lookup)
    }


def _coupling(mapping: TableMapping, found: Mapping[str, Any], crm_id: UUID) -> Coupling | None:
    """As much of it as a comparison takes."""
    if found["own_crm_id"] != crm_id:
        return None
    return Coupling(
        pk=found["own_pk"],
        mapping=mapping.name,
        ledger_id=found["id"],
        crm_id=crm_id,
        agreed=found["own_agreed"],
        first_winner=found["own_first_winner"],
        not_followed=found["own_not_followed"],
    )


def _obstruction(mapping: TableMapping, found: Mapping[str, Any], crm_id: UUID) -> str:
    """The sentence that Set Up Coupling would refuse the two with; blank when it would not."""
    ledger_id, own, taken = found["id"], found["own_crm_id"], found["taken_ledger_id"]
    if own == crm_id:
        return ""
    names = {
        ledger_id: labels.ledger_label(mapping, found[mapping.number]),
        crm_id: found["there_title"] or str(crm_id),
    }
    known = Known({ledger_id}, set() if found["there_is_deleted"] else {crm_id}, names=names)
    known.left_out.update([ledger_id] if found["is_left_out"] else [])
    known.left_out.update([crm_id] if found["there_is_left_out"] else [])
    if own:
        known.by_ledger[ledger_id] = Coupling(ledger_id=ledger_id, crm_id=own)
        names[own] = found["own_title"] or str(own)
    if taken:
        known.by_crm[crm_id] = Coupling(ledger_id=taken, crm_id=crm_id)
        if found["taken_number"] is not None:
            other = get_mapping(found["taken_mapping"])
            names[taken] = labels.ledger_label(other, found["taken_number"])
    in_the_way = obstruction(known, ledger_id, crm_id)
    return in_the_way.sentence if in_the_way else ""


def _parents_here(
    mapping: TableMapping, found: Mapping[str, Any], resolver: CouplingResolver
) -> dict[str, str | None]:
    """Numbers of the records that lookups point to; the resolver learns their rows."""
    for field, lookup in _lookups(mapping).items():
        if found[field] is not None:
            resolver.learn(lookup.parent, crm_ids={found[field]: found[f"{field}_crm_id"]})
    return {field: found[f"{field}_number"] for field in _lookups(mapping)}


def _parents_there(
    mapping: TableMapping, values: Mapping[str, Any], resolver: CouplingResolver
) -> dict[str, str]:
    """Titles of the rows that lookups there point to; the resolver learns their records."""
    pointed = {
        field: UUID(str(common))
        for field, lookup in _lookups(mapping).items()
        if (common := lookup.from_crm(values.get(mapping.field(field).crm), resolver)) is not None
    }
    if not pointed:
        return {}
    known = {(row["table"], row["crm_id"]): row for row in _rows_there(mapping, pointed)}
    titles: dict[str, str] = {}
    for field, crm_id in pointed.items():
        parent = get_mapping(_lookups(mapping)[field].parent)
        row = known.get((parent.crm.logical_name, crm_id))
        titles[field] = row["title"] if row and row["title"] else str(crm_id)
        if row:
            resolver.learn(parent.name, ledger_ids={crm_id: row[parent.name]})
    return titles


def _rows_there(mapping: TableMapping, pointed: Mapping[str, UUID]) -> "QuerySet[Any, Any]":
    """Their tables, ids and titles; by the name of each parent mapping the record of each."""
    parents = {field: get_mapping(_lookups(mapping)[field].parent) for field in pointed}
    wanted = [
        Q(table=parents[field].crm.logical_name, crm_id=crm_id) for field, crm_id in pointed.items()
    ]
    live = _live().filter(crm_id=OuterRef("crm_id"), is_intent=False)
    records = {
        parent.name: _one(
            live.filter(mapping=parent.name, crm_table=parent.crm.logical_name), "ledger_id"
        )
        for parent in parents.values()
    }
    rows: QuerySet[Any, Any] = CrmRecord.objects.filter(reduce(or_, wanted))
    named: QuerySet[Any, Any] = rows.annotate(**records)
    return named.values("table", "crm_id", "title", *records)
