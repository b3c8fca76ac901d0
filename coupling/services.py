"""Match, approve, couple and uncouple: what an accountant decides about pairs of records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from coupling.matching import Candidate, Certainty, Criteria, Proposal, propose
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import services as sync
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.sync.services import UnableToCouple
from crmsync.sync.sides import in_scope, scope_filter
from crmsync.terms import CouplingOrigin, FirstWinner


@dataclass(frozen=True, slots=True)
class Accepted:
    coupled: int
    refused: tuple[tuple[Proposal, str], ...]


def suggest(*, mapping: str) -> list[Proposal]:
    """Proposals for all uncoupled records of a mapping; reads nothing from Sales."""
    declared = get_mapping(mapping)
    return propose(_ledger_candidates(declared), _crm_candidates(declared), criteria(declared))


def criteria(mapping: TableMapping) -> Criteria:
    return Criteria(
        identifying=mapping.match_on or ((mapping.unique_key,) if mapping.unique_key else ()),
        confirming=mapping.match_confirmed_by,
        exact=frozenset({mapping.number}),
    )


def accept(
    *, mapping: str, proposals: Sequence[Proposal], first_winner: FirstWinner, by: str
) -> Accepted:
    """Couple what a person approved; a pair that cannot be coupled is refused with its reason."""
    refused: list[tuple[Proposal, str]] = []
    for proposal in proposals:
        try:
            sync.couple(
                mapping=mapping,
                ledger_id=proposal.ledger.record_id,
                crm_id=proposal.crm.record_id,
                first_winner=first_winner,
                origin=CouplingOrigin.MATCH,
                by=by,
            )
        except UnableToCouple as error:
            refused.append((proposal, str(error)))
    return Accepted(len(proposals) - len(refused), tuple(refused))


def couple_pair(
    *, mapping: str, number: str, crm_id: UUID, first_winner: FirstWinner, by: str
) -> Coupling:
    """Couple the record that people know by this number. Raises UnableToCouple."""
    declared = get_mapping(mapping)
    record = declared.ledger._default_manager.filter(**{declared.number: number}).first()
    if record is None:
        raise UnableToCouple(f"There is no {declared.caption.lower()} record {number}.")
    return sync.couple(
        mapping=mapping,
        ledger_id=record.pk,
        crm_id=crm_id,
        first_winner=first_winner,
        origin=CouplingOrigin.PERSON,
        by=by,
    )


def remove(*, mapping: str, number: str) -> bool:
    """Delete Coupling of the record with this number; both records stay."""
    declared = get_mapping(mapping)
    record = declared.ledger._default_manager.filter(**{declared.number: number}).first()
    if record is None:
        return False
    live = Coupling.objects.filter(mapping=mapping, ledger_id=record.pk, removed_at__isnull=True)
    coupling = live.first()
    return coupling is not None and sync.remove_coupling(coupling_id=coupling.pk)


def remove_row(*, mapping: str, crm_id: UUID) -> bool:
    """Delete Coupling of a row there: also of one whose record here is gone."""
    live = Coupling.objects.filter(mapping=mapping, crm_id=crm_id, removed_at__isnull=True)
    coupling = live.first()
    return coupling is not None and sync.remove_coupling(coupling_id=coupling.pk)


def certain(proposals: Sequence[Proposal]) -> list[Proposal]:
    return [proposal for proposal in proposals if proposal.certainty is Certainty.CERTAIN]


def _ledger_candidates(mapping: TableMapping) -> list[Candidate]:
    coupled = Coupling.objects.filter(mapping=mapping.name, removed_at__isnull=True)
    names = _compared(mapping)
    rows = (
        mapping.ledger._default_manager.filter(**scope_filter(mapping.ledger_scope))
        .exclude(pk__in=coupled.values("ledger_id"))
        .values("id", mapping.number, mapping.title, *names)
    )
    return [
        Candidate(
            row["id"],
            f"{row[mapping.number]} {row[mapping.title]}".strip(),
            {name: _canonical(mapping, name, row[name] or None) for name in names},
            str(row[mapping.number]),
        )
        for row in rows.iterator(chunk_size=2000)
    ]


def _crm_candidates(mapping: TableMapping) -> list[Candidate]:
    table = mapping.crm.logical_name
    coupled = Coupling.objects.filter(crm_table=table, removed_at__isnull=True)
    records = CrmRecord.objects.filter(table=table, is_deleted=False).exclude(
        crm_id__in=coupled.values("crm_id")
    )
    names = _compared(mapping)
    return [
        Candidate(
            record.crm_id,
            str(record.values.get(mapping.crm_title) or ""),
            {
                name: _canonical(mapping, name, record.values.get(mapping.field(name).crm))
                for name in names
            },
        )
        for record in records.iterator(chunk_size=2000)
        if in_scope(mapping.crm_scope, record.values)
    ]


def _compared(mapping: TableMapping) -> list[str]:
    rules = criteria(mapping)
    return list(dict.fromkeys((*rules.identifying, *rules.confirming)))


def _canonical(mapping: TableMapping, name: str, value: Any) -> Any:
    return None if value is None else mapping.field(name).conversion.canonical(str(value))
