"""What the phase *to CRM* must know to decide: looked up once a slice, or once a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crmsync.sync import exclusions, identity, leases, obstacles, twins
from crmsync.sync.identity import Identities
from crmsync.sync.models import Coupling, CrmRecord, CrmTable, Obstacle
from crmsync.sync.sides import CouplingResolver
from crmsync.sync.slices import Slice
from crmsync.sync.steps import Written
from crmsync.terms import Side

Candidate = tuple[str, UUID]


@dataclass(slots=True)
class Lookups:
    """What one slice looks up once and keeps from page to page."""

    resolver: CouplingResolver
    twins_there: twins.Index | None = None
    dismissed: dict[UUID, set[UUID]] | None = None
    unique_there: dict[str, CrmRecord] | None = None
    # Rows that were read again in this slice.
    fresh: set[UUID] = field(default_factory=set)

    def is_certain(self, coupling: Coupling, lost: Written | None) -> bool:
        """Whether it is known by now if what was sent without an answer got through."""
        return lost is not None or coupling.crm_id in self.fresh

    def twins(self, work: Slice, ledger_id: UUID, common: Mapping[str, Any]) -> list[Candidate]:
        """Rows there that look like the record, and by which field; best first."""
        if self.twins_there is None or self.dismissed is None:
            self.twins_there = twins.uncoupled_rows_there(work.mapping)
            self.dismissed = exclusions.dismissed_by(work.mapping, Side.LEDGER)
        dismissed = self.dismissed.get(ledger_id, ())
        return twins.find(work.mapping, common, self.twins_there, dismissed)

    def take_by_key(self, work: Slice, key: str) -> CrmRecord | None:
        """The uncoupled row with this unique key; only the first who asks can have it."""
        if self.unique_there is None:
            self.unique_there = _unique_there(work, self.resolver)
        return self.unique_there.pop(key, None)


@dataclass(slots=True)
class Known:
    """What the database holds about the records of a page."""

    couplings: Mapping[UUID, Coupling]
    records: Mapping[UUID, CrmRecord]
    obstacles: Mapping[UUID, Obstacle]
    identities: Identities
    # Rows there that were left out, of those that are the records' own.
    left_out: set[UUID]

    def etag(self, coupling: Coupling | None) -> str:
        """The ETag of the coupled row as last seen; empty when there is none."""
        record = self.records.get(coupling.crm_id) if coupling else None
        return record.etag if record else ""


def load_known(work: Slice, ids: Sequence[UUID]) -> Known:
    mapping = work.mapping
    couplings = {
        coupling.ledger_id: coupling
        for coupling in Coupling.objects.filter(
            mapping=mapping.name, ledger_id__in=ids, removed_at__isnull=True
        )
    }
    uncoupled = [one for one in ids if one not in couplings]
    identities = identity.of_uncoupled(work, uncoupled)
    crm_ids = [coupling.crm_id for coupling in couplings.values()]
    own_ids = [identities.own_id(one) for one in uncoupled]
    crm_ids += own_ids
    records = CrmRecord.objects.filter(table=mapping.crm.logical_name, crm_id__in=crm_ids)
    return Known(
        couplings,
        {record.crm_id: record for record in records},
        obstacles.of_page(mapping.name, Side.LEDGER, ids),
        identities,
        exclusions.left_out_of(mapping, Side.CRM, own_ids),
    )


def _unique_there(work: Slice, resolver: CouplingResolver) -> dict[str, CrmRecord]:
    """Rows there by the canonical form of the mapping's unique key, uncoupled ones only."""
    conversion = work.mapping.field(work.mapping.unique_key).conversion
    column = work.mapping.field(work.mapping.unique_key).crm
    return {
        str(conversion.canonical(conversion.from_crm(record.values.get(column), resolver))): record
        for record in exclusions.uncoupled_records(work.mapping)
    }


def takes_create_multiple(work: Slice) -> bool:
    """Whether the table takes CreateMultiple: asked once, then remembered."""
    table = work.mapping.crm
    known = CrmTable.objects.get_or_create(logical_name=table.logical_name)[0]
    if known.takes_create_multiple is None:
        takes = work.ask(lambda: work.client.supports(table, "CreateMultiple"))
        with leases.fenced(work.lease):
            CrmTable.objects.filter(pk=known.pk).update(takes_create_multiple=takes)
        return takes
    return known.takes_create_multiple
