"""What people call records: *customer 10000* here, the title of the row there."""

from collections.abc import Collection
from uuid import UUID

from crmsync.mapping.types import TableMapping
from crmsync.sync.models import CrmRecord


def of_ledger(mapping: TableMapping, ids: Collection[UUID]) -> dict[UUID, str]:
    """By id; a record that is gone has none."""
    kind = str(mapping.ledger._meta.verbose_name)
    rows = mapping.ledger._default_manager.filter(pk__in=ids)
    return {key: f"{kind} {number}" for key, number in rows.values_list("pk", mapping.number)}


def of_crm(table: str, ids: Collection[UUID]) -> dict[UUID, str]:
    """By id; a row without title, or never read, is called by its id."""
    records = CrmRecord.objects.filter(table=table, crm_id__in=ids)
    titles = dict(records.values_list("crm_id", "title"))
    return {one: titles.get(one) or str(one) for one in ids}
