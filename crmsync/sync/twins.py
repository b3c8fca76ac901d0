"""Likely twins: records without a counterpart that look alike on both sides.

Before a missing counterpart is created, somebody who looks like it is searched for; with one the
record waits for a person, because two existing records become one only by approval.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from crmsync.mapping.types import Common, TableMapping
from crmsync.sync.likeness import fold
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.sync.sides import in_scope, scope_filter

Key = tuple[str, str]
Index = Mapping[Key, UUID]


def keys(mapping: TableMapping, values: Mapping[str, Common | None]) -> Iterable[Key]:
    """By field, what makes a record look like another; a blank looks like nothing."""
    for name in mapping.match_on:
        value = values.get(name)
        folded = str(value).strip() if name == mapping.number else fold(value)
        if value is not None and folded:
            yield name, folded


def uncoupled_rows_there(mapping: TableMapping) -> Index:
    """The match keys of all rows there that are in scope and belong to nobody."""
    columns = {name: mapping.field(name).crm for name in mapping.match_on}
    coupled = Coupling.objects.filter(
        crm_table=mapping.crm.logical_name, removed_at__isnull=True
    ).values("crm_id")
    records = (
        CrmRecord.objects.filter(table=mapping.crm.logical_name, is_deleted=False)
        .exclude(crm_id__in=coupled)
        .values_list("crm_id", "values")
    )
    found: dict[Key, UUID] = {}
    for crm_id, values in records.iterator(chunk_size=2000):
        if in_scope(mapping.crm_scope, values):
            named = {name: values.get(column) for name, column in columns.items()}
            found |= dict.fromkeys(keys(mapping, named), crm_id)
    return found


def uncoupled_records_here(mapping: TableMapping) -> Index:
    """The match keys of all ledger records that are in scope and belong to nobody."""
    coupled = Coupling.objects.filter(mapping=mapping.name, removed_at__isnull=True)
    rows = (
        mapping.ledger._default_manager.filter(**scope_filter(mapping.ledger_scope))
        .exclude(pk__in=coupled.values("ledger_id"))
        .values("id", *mapping.match_on)
    )
    found: dict[Key, UUID] = {}
    for row in rows.iterator(chunk_size=2000):
        found |= dict.fromkeys(keys(mapping, row), row["id"])
    return found


def find(mapping: TableMapping, values: Mapping[str, Any], index: Index) -> tuple[str, UUID] | None:
    """The first field by which the record looks like one in the index, and which one."""
    for key in keys(mapping, values):
        if key in index:
            return key[0], index[key]
    return None
