"""The synchronization log: each write that happened, once, as people read it."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import labels
from crmsync.sync.models import Change
from crmsync.sync.steps import Step

Names = dict[tuple[str, str], str]


def keep(mapping: TableMapping, steps: Sequence[Step]) -> None:
    """Record the writes of these steps. Only in the transaction that takes note of them."""
    writing = [step for step in steps if step.happened]
    if not writing:
        return
    names = _names(mapping, writing)
    Change.objects.bulk_create(
        [
            Change(
                mapping=mapping.name,
                ledger_id=step.coupling.ledger_id,
                crm_id=step.coupling.crm_id,
                side=written.side,
                outcome=written.outcome,
                fields=_as_read(written.fields, names),
                job_id=written.job_id,
            )
            for step in writing
            if step.coupling
            for written in step.happened
        ],
        batch_size=500,
    )
    for step in writing:
        step.happened = []


def _as_read(fields: Any, names: Names) -> dict[str, Any]:
    return {
        field: {when: names.get((field, str(value)), value) for when, value in values.items()}
        for field, values in fields.items()
    }


def _names(mapping: TableMapping, steps: Sequence[Step]) -> Names:
    """What the rows are called that lookups point to: an id says nothing to people."""
    found: Names = {}
    for mapped in mapping.fields:
        if isinstance(mapped.conversion, Lookup):
            ids = set(_values(mapped.ledger, steps))
            table = get_mapping(mapped.conversion.parent).crm.logical_name
            titles = labels.of_crm(table, ids) if ids else {}
            found |= {(mapped.ledger, str(one)): title for one, title in titles.items()}
    return found


def _values(field: str, steps: Sequence[Step]) -> Iterable[UUID]:
    for step in steps:
        for written in step.happened:
            for value in written.fields.get(field, {}).values():
                if value is not None:
                    yield UUID(str(value))
