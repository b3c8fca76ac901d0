"""What people call records: *customer 10000* here, the title of the row there."""

from collections.abc import Collection
from uuid import UUID

from crmsync.mapping.types import TableMapping
from crmsync.sync.models import CrmRecord


def of_ledger(mapping: TableMapping, ids: Collection[UUID]) -> dict[UUID, str]:
    """By id; a record that is gone has none."""
    rows = mapping.ledger._default_manager.filter(pk__in=ids).values_list("pk", mapping.number)
    return {key: ledger_label(mapping, number) for key, number in rows}


def ledger_label(mapping: TableMapping, number: object) -> str:
    return f"{mapping.ledger._meta.verbose_name} {number}"


def of_crm(table: str, ids: Collection[UUID]) -> dict[UUID, str]:
    """By id; a row without title, or never read, is called by its id."""
    records = CrmRecord.objects.filter(table=table, crm_id__in=ids)
    titles = dict(records.values_list("crm_id", "title"))
    return {one: titles.get(one) or str(one) for one in ids}
