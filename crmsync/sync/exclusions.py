"""What people keep out of synchronization: records left out, and pairs that are not the same."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Coupling, CrmRecord, LeftOut, NotTheSame
from crmsync.terms import Side


def included_rows(mapping: TableMapping, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Ledger rows without those left out and those coupled with a row left out there.

    A record whose row is being created stays: whether that came about must be found out. Asked
    row by row, by index: a page must not cost what the whole table does.
    """
    here = left_out(mapping, Side.LEDGER).filter(record_id=OuterRef("pk"))
    of_record = _live(mapping).filter(ledger_id=OuterRef("pk"))
    there = left_out(mapping, Side.CRM).filter(record_id=OuterRef("crm_id"))
    by_its_row = of_record.filter(Exists(there), is_intent=False)
    return rows.exclude(Exists(here) & ~Exists(of_record.filter(is_intent=True))).exclude(
        Exists(by_its_row)
    )


def included_records(
    mapping: TableMapping, records: "QuerySet[CrmRecord]"
) -> "QuerySet[CrmRecord]":
    """Rows there without those left out and those coupled with a record left out here."""
    there = left_out(mapping, Side.CRM).filter(record_id=OuterRef("crm_id"))
    here = left_out(mapping, Side.LEDGER).filter(record_id=OuterRef("ledger_id"))
    by_its_record = _live(mapping).filter(Exists(here), crm_id=OuterRef("crm_id"))
    return records.exclude(Exists(there)).exclude(Exists(by_its_record))


def left_out(mapping: TableMapping, side: Side) -> "QuerySet[LeftOut]":
    return LeftOut.objects.filter(mapping=mapping.name, side=side)


def left_out_of(mapping: TableMapping, side: Side, ids: Collection[UUID]) -> set[UUID]:
    """Which of these records were left out themselves."""
    found = left_out(mapping, side).filter(record_id__in=ids)
    return set(found.values_list("record_id", flat=True))


def dismissed_pairs(mapping: TableMapping) -> set[tuple[UUID, UUID]]:
    """Pairs (ledger id, CRM id) of which a person said that they are not the same."""
    said = NotTheSame.objects.filter(mapping=mapping.name)
    return set(said.values_list("ledger_id", "crm_id"))


def dismissed_by(mapping: TableMapping, side: Side) -> dict[UUID, set[UUID]]:
    """The same by the record of one side: all that it is not."""
    found: dict[UUID, set[UUID]] = {}
    for ledger_id, crm_id in dismissed_pairs(mapping):
        one, other = (ledger_id, crm_id) if side is Side.LEDGER else (crm_id, ledger_id)
        found.setdefault(one, set()).add(other)
    return found


def uncoupled_records(mapping: TableMapping) -> "QuerySet[CrmRecord]":
    """Rows there that belong to nobody and are not left out; scope is looked at by row."""
    table = mapping.crm.logical_name
    coupled = Coupling.objects.filter(
        crm_table=table, crm_id=OuterRef("crm_id"), removed_at__isnull=True
    )
    records = CrmRecord.objects.filter(~Exists(coupled), table=table, is_deleted=False)
    return included_records(mapping, records)


def _live(mapping: TableMapping) -> "QuerySet[Coupling]":
    # The table leads to the index of live couplings by row.
    return Coupling.objects.filter(
        mapping=mapping.name, crm_table=mapping.crm.logical_name, removed_at__isnull=True
    )
