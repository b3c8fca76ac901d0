"""The records of either side that may be coupled, with the values that are compared."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from coupling.criteria import evidence_of
from coupling.likeness import Candidate, Criteria
from coupling.matching import RECORDS_A_TICK
from crmsync.ledger.models import LedgerRecord
from crmsync.mapping.conversions import Text, clean
from crmsync.mapping.types import TableMapping
from crmsync.sync.likeness import fold
from crmsync.sync.models import Coupling, CrmRecord, LeftOut
from crmsync.sync.sides import in_scope, scope_filter
from crmsync.terms import Side


def _nothing() -> None:
    """For callers whom nobody waits for."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Which fields of a mapping are compared, and in which of them letter case counts."""

    mapping: TableMapping
    names: tuple[str, ...]
    case_sensitive: frozenset[str]

    def candidate(
        self,
        record_id: UUID,
        title: object,
        texts: Mapping[str, object],
        number: str = "",
    ) -> Candidate:
        """``texts`` by field, as a side stores them."""
        known = {name: text for name in self.names if (text := clean(texts.get(name)))}
        values = {name: comparable(self.mapping, name, text) for name, text in known.items()}
        return Candidate(
            record_id,
            f"{number} {title or ''}".strip(),
            {name: value for name, value in values.items() if value},
            fold(title),
            {name: text for name, text in known.items() if name in self.case_sensitive},
            number,
        )


def compared(mapping: TableMapping, criteria: Criteria) -> Compared:
    evidence = evidence_of(mapping)
    grouped = (name for group in criteria.groups for name in group)
    names = dict.fromkeys((*evidence.identifying, *evidence.confirming, *grouped))
    return Compared(mapping, tuple(names), criteria.case_sensitive)


def comparable(mapping: TableMapping, name: str, text: str) -> str:
    """What equals for a person: words without case and punctuation, a number as it stands."""
    conversion = mapping.field(name).conversion
    canonical = str(conversion.canonical(text))
    is_prose = type(conversion) is Text and name != mapping.number
    return fold(canonical) if is_prose else canonical


def ledger_candidates(comparing: Compared, tick: Callable[[], None] = _nothing) -> list[Candidate]:
    """The uncoupled ledger records in scope, but for those left out."""
    rows = ledger_rows(comparing, records_to_match(comparing.mapping))
    return list(_ticking((ledger_candidate(comparing, row) for row in rows), tick))


def records_to_match(mapping: TableMapping) -> QuerySet[LedgerRecord]:
    """Ledger records in scope that are neither coupled nor left out."""
    coupled = Coupling.objects.filter(
        mapping=mapping.name, ledger_id=OuterRef("pk"), removed_at__isnull=True
    )
    return mapping.ledger._default_manager.filter(
        ~Exists(coupled),
        ~Exists(left_out(mapping, Side.LEDGER, "pk")),
        **scope_filter(mapping.ledger_scope),
    )


def ledger_rows(
    comparing: Compared, records: QuerySet[LedgerRecord]
) -> Iterable[Mapping[str, Any]]:
    mapping = comparing.mapping
    columns = dict.fromkeys(("id", mapping.number, mapping.title, *comparing.names))
    rows: Iterable[Mapping[str, Any]] = records.values(*columns).iterator(RECORDS_A_TICK)
    return rows


def ledger_candidate(comparing: Compared, row: Mapping[str, Any]) -> Candidate:
    mapping = comparing.mapping
    return comparing.candidate(row["id"], row[mapping.title], row, str(row[mapping.number]))


def crm_candidates(comparing: Compared, tick: Callable[[], None] = _nothing) -> list[Candidate]:
    """The uncoupled rows there in scope, but for those left out."""
    rows = uncoupled_rows(comparing.mapping).values_list("crm_id", "values")
    found = (
        crm_candidate(comparing, crm_id, values)
        for crm_id, values in rows.iterator(chunk_size=RECORDS_A_TICK)
        if in_scope(comparing.mapping.crm_scope, values)
    )
    return list(_ticking(found, tick))


def uncoupled_rows(mapping: TableMapping) -> QuerySet[CrmRecord]:
    """Also rows out of scope, which a database cannot tell by their values."""
    coupled = Coupling.objects.filter(
        crm_table=mapping.crm.logical_name, crm_id=OuterRef("crm_id"), removed_at__isnull=True
    )
    return CrmRecord.objects.filter(
        ~Exists(coupled),
        ~Exists(left_out(mapping, Side.CRM, "crm_id")),
        table=mapping.crm.logical_name,
        is_deleted=False,
    )


def crm_candidate(comparing: Compared, crm_id: UUID, values: Mapping[str, Any]) -> Candidate:
    mapping = comparing.mapping
    title = values.get(mapping.crm_title)
    texts = {name: values.get(mapping.field(name).crm) for name in comparing.names}
    return comparing.candidate(crm_id, title, texts)


def left_out(mapping: TableMapping, side: Side, column: str) -> QuerySet[LeftOut]:
    """The exclusion of the outer query's record, for ``Exists``."""
    return LeftOut.objects.filter(mapping=mapping.name, side=side, record_id=OuterRef(column))


def labels_of(mapping: TableMapping, ledger_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Number and title, such as *10000 Adatum Corporation*."""
    records = mapping.ledger._default_manager.filter(pk__in=ledger_ids)
    rows = records.values_list("pk", mapping.number, mapping.title)
    return {key: f"{number} {title}".strip() for key, number, title in rows}


def _ticking(found: Iterable[Candidate], tick: Callable[[], None]) -> Iterable[Candidate]:
    for count, candidate in enumerate(found):
        if count % RECORDS_A_TICK == 0:
            tick()
        yield candidate
