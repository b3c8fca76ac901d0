"""Which row there is the one that we made, or would make, for a ledger record.

The id is computed from the organization, the table, the record and its generation, so that it is
the same in a restored backup, and another one after Delete Coupling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from crmsync.sync import exclusions
from crmsync.sync.couplings import next_generations
from crmsync.sync.models import Coupling, crm_row_id
from crmsync.sync.slices import Slice
from crmsync.terms import Side


@dataclass(frozen=True, slots=True)
class Identities:
    """The generations of records, where they are not the first."""

    organization_id: UUID
    table: str
    generations: Mapping[UUID, int]

    def generation(self, ledger_id: UUID) -> int:
        return self.generations.get(ledger_id, 1)

    def own_id(self, ledger_id: UUID) -> UUID:
        """The id that the record's row has, or will have, if we make it."""
        return crm_row_id(
            organization_id=self.organization_id,
            crm_table=self.table,
            ledger_id=ledger_id,
            generation=self.generation(ledger_id),
        )


def of_uncoupled(work: Slice, ledger_ids: Sequence[UUID]) -> Identities:
    """For records without a coupling; one generation on where a person gave its row to another."""
    table = work.mapping.crm.logical_name
    generations = next_generations(work.mapping.name, ledger_ids)
    first = Identities(work.connection.organization_id, table, generations)
    own = {first.own_id(one): one for one in ledger_ids}
    taken = Coupling.objects.filter(crm_table=table, crm_id__in=own, removed_at__isnull=True)
    given_away = {
        own[crm_id]: first.generation(own[crm_id]) + 1
        for crm_id in taken.values_list("crm_id", flat=True)
    }
    return Identities(first.organization_id, table, {**generations, **given_away})


def rows_of_left_out(work: Slice) -> set[UUID]:
    """The rows that we made, or would make, for uncoupled records that are left out."""
    live = Coupling.objects.filter(mapping=work.mapping.name, removed_at__isnull=True)
    left_out = exclusions.left_out(work.mapping, Side.LEDGER).exclude(
        record_id__in=live.values("ledger_id")
    )
    ledger_ids = list(left_out.values_list("record_id", flat=True))
    identities = Identities(
        work.connection.organization_id,
        work.mapping.crm.logical_name,
        next_generations(work.mapping.name, ledger_ids),
    )
    return {identities.own_id(one) for one in ledger_ids}
