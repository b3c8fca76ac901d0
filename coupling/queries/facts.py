"""What is known about a ledger record besides its own columns, in the query that reads the record.

A page may ask few questions, so each kind of fact is one correlated subquery that answers with one
JSON object; all of them are index lookups. Asked about a page's rows only, never about a table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Exists, F, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.dateparse import parse_datetime

from coupling.models import Suggestion
from coupling.suggestions import open_suggestions
from crmsync.connections.models import Connection
from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Coupling, CrmRecord, LeftOut, Obstacle
from crmsync.terms import Outcome, Side

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Passage:
    """What last became of a pair in one direction."""

    outcome: str
    at: datetime
    job_id: int | None


@dataclass(frozen=True, slots=True)
class CouplingFact:
    """The live coupling; ``crm_title`` is blank for a row that was not read since."""

    coupling_id: int
    crm_id: UUID
    crm_title: str
    is_row_gone: bool
    is_intent: bool
    origin: str
    by: str
    at: datetime
    to_crm: Passage | None
    from_crm: Passage | None


@dataclass(frozen=True, slots=True)
class ObstacleFact:
    side: Side
    outcome: Outcome
    code: str
    sentence: str
    details: Mapping[str, Any]
    since: datetime
    job_id: int | None


@dataclass(frozen=True, slots=True)
class LeftOutFact:
    """Left out itself (``side`` is the ledger), or coupled with a row that is."""

    side: Side
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SuggestionFact:
    crm_id: UUID
    crm_title: str
    certainty: str
    reasons: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParentFact:
    """A record that this one refers to; ``field`` is the lookup's name in the mapping."""

    mapping: TableMapping
    field: str
    record_id: UUID
    number: str
    is_coupled: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known; ``crm_origin`` is blank while there is no connection."""

    coupling: CouplingFact | None
    obstacles: tuple[ObstacleFact, ...]
    left_out: LeftOutFact | None
    suggestion: SuggestionFact | None
    parents: tuple[ParentFact, ...]
    crm_origin: str

    @property
    def uncoupled_parents(self) -> tuple[ParentFact, ...]:
        return tuple(parent for parent in self.parents if not parent.is_coupled)


def with_facts(mapping: TableMapping, records: QuerySet[Row]) -> QuerySet[Row]:
    """The records, each with its facts as ``fact_...``; ``facts_of`` reads them."""
    records = records.annotate(fact_crm_id=Subquery(live(mapping).values("crm_id")[:1])).annotate(
        fact_coupling=Subquery(live(mapping).values(found=_coupling_object(mapping))[:1]),
        fact_obstacle_here=Subquery(_obstacle(mapping, Side.LEDGER, "pk")),
        fact_obstacle_there=Subquery(_obstacle(mapping, Side.CRM, "fact_crm_id")),
        fact_left_out_here=Subquery(_left_out(mapping, Side.LEDGER, "pk")),
        fact_left_out_there=Subquery(_left_out(mapping, Side.CRM, "fact_crm_id")),
        fact_suggestion=Subquery(_suggestion(mapping)),
        fact_crm_origin=Subquery(Connection.objects.values("origin")[:1]),
    )
    for field, parent in parents_of(mapping).items():
        reference = mapping.ledger._meta.get_field(field).name
        parents = live(parent, field).filter(is_intent=False)
        records = records.annotate(
            **{
                f"fact_{field}_number": F(f"{reference}__{parent.number}"),
                f"fact_{field}_coupled": Exists(parents),
            }
        )
    return records


def facts_of(mapping: TableMapping, record: Mapping[str, Any]) -> Facts:
    """The facts of one record that was read ``with_facts``, by the names of its columns."""
    obstacles = (record["fact_obstacle_here"], record["fact_obstacle_there"])
    left_out = record["fact_left_out_here"] or record["fact_left_out_there"]
    return Facts(
        coupling=_read_coupling(record["fact_coupling"]),
        obstacles=tuple(_read_obstacle(one) for one in obstacles if one),
        left_out=_read_left_out(left_out),
        suggestion=_read_suggestion(record["fact_suggestion"]),
        parents=tuple(
            ParentFact(
                parent,
                field,
                record[field],
                str(record[f"fact_{field}_number"]),
                bool(record[f"fact_{field}_coupled"]),
            )
            for field, parent in parents_of(mapping).items()
            if record[field] is not None
        ),
        crm_origin=record["fact_crm_origin"] or "",
    )


def parents_of(mapping: TableMapping) -> dict[str, TableMapping]:
    """By field, the mapping that a lookup refers to."""
    return {
        mapped.ledger: get_mapping(mapped.conversion.parent)
        for mapped in mapping.fields
        if isinstance(mapped.conversion, Lookup)
    }


def live(mapping: TableMapping, outer: str = "pk") -> QuerySet[Coupling]:
    """The live coupling of the outer query's record."""
    return Coupling.objects.filter(
        mapping=mapping.name, ledger_id=OuterRef(outer), removed_at__isnull=True
    )


def _coupling_object(mapping: TableMapping) -> JSONObject:
    rows = CrmRecord.objects.filter(table=mapping.crm.logical_name, crm_id=OuterRef("crm_id"))
    return JSONObject(
        id="pk",
        crm_id="crm_id",
        crm_title=Subquery(rows.values("title")[:1]),
        is_row_gone=Subquery(rows.values("is_deleted")[:1]),
        is_intent="is_intent",
        origin="origin",
        by="coupled_by",
        at="coupled_at",
        to_crm_outcome="to_crm_outcome",
        to_crm_at="to_crm_at",
        to_crm_job="to_crm_job",
        from_crm_outcome="from_crm_outcome",
        from_crm_at="from_crm_at",
        from_crm_job="from_crm_job",
    )


def _obstacle(mapping: TableMapping, side: Side, outer: str) -> QuerySet[Obstacle, Any]:
    found = Obstacle.objects.filter(mapping=mapping.name, side=side, record_id=OuterRef(outer))
    return found.values(
        found=JSONObject(
            side="side",
            outcome="outcome",
            code="code",
            sentence="sentence",
            details="details",
            since="since",
            job_id="job_id",
        )
    )[:1]


def _left_out(mapping: TableMapping, side: Side, outer: str) -> QuerySet[LeftOut, Any]:
    found = LeftOut.objects.filter(mapping=mapping.name, side=side, record_id=OuterRef(outer))
    return found.values(
        found=JSONObject(side="side", reason="reason", by="left_out_by", at="left_out_at")
    )[:1]


def _suggestion(mapping: TableMapping) -> QuerySet[Suggestion, Any]:
    rows = CrmRecord.objects.filter(table=mapping.crm.logical_name, crm_id=OuterRef("crm_id"))
    found = open_suggestions(mapping.name).filter(ledger_id=OuterRef("pk"))
    return found.values(
        found=JSONObject(
            crm_id="crm_id",
            crm_title=Subquery(rows.values("title")[:1]),
            certainty="certainty",
            reasons="reasons",
        )
    )[:1]


def _read_coupling(found: Mapping[str, Any] | None) -> CouplingFact | None:
    if found is None:
        return None
    return CouplingFact(
        coupling_id=found["id"],
        crm_id=UUID(found["crm_id"]),
        crm_title=found["crm_title"] or "",
        is_row_gone=bool(found["is_row_gone"]),
        is_intent=bool(found["is_intent"]),
        origin=found["origin"],
        by=found["by"],
        at=_moment(found["at"]),
        to_crm=_passage(found, "to_crm"),
        from_crm=_passage(found, "from_crm"),
    )


def _passage(found: Mapping[str, Any], way: str) -> Passage | None:
    if not found[f"{way}_outcome"] or not found[f"{way}_at"]:
        return None
    return Passage(found[f"{way}_outcome"], _moment(found[f"{way}_at"]), found[f"{way}_job"])


def _read_obstacle(found: Mapping[str, Any]) -> ObstacleFact:
    return ObstacleFact(
        side=Side(found["side"]),
        outcome=Outcome(found["outcome"]),
        code=found["code"],
        sentence=found["sentence"],
        details=_object(found["details"]),
        since=_moment(found["since"]),
        job_id=found["job_id"],
    )


def _read_left_out(found: Mapping[str, Any] | None) -> LeftOutFact | None:
    if found is None:
        return None
    return LeftOutFact(Side(found["side"]), found["reason"], found["by"], _moment(found["at"]))


def _read_suggestion(found: Mapping[str, Any] | None) -> SuggestionFact | None:
    if found is None:
        return None
    return SuggestionFact(
        UUID(found["crm_id"]),
        found["crm_title"] or "",
        found["certainty"],
        _object(found["reasons"]),
    )


def _object(value: Any) -> Mapping[str, Any]:
    """SQLite gives a JSON column inside a JSON object as text, PostgreSQL as an object."""
    found: Mapping[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


def _moment(value: str) -> datetime:
    """SQLite keeps times as UTC without saying so."""
    found = parse_datetime(value)
    if found is None:
        raise ValueError(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
