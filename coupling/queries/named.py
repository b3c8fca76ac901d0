"""Records by the names that people know them by."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from crmsync.mapping.types import TableMapping


@dataclass(frozen=True, slots=True)
class Named:
    record_id: UUID
    number: str
    title: str


def named_records(mapping: TableMapping, record_ids: Sequence[UUID]) -> tuple[Named, ...]:
    """In the order of their numbers."""
    records = mapping.ledger._default_manager.filter(pk__in=record_ids).order_by(mapping.number)
    columns = ("pk", mapping.number, mapping.title)
    return tuple(Named(pk, str(n), str(t)) for pk, n, t in records.values_list(*columns))
