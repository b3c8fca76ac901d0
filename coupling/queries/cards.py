"""One ledger record with everything that its pages say about it."""

from dataclasses import dataclass
from uuid import UUID

from coupling.queries.facts import Facts, facts_of, with_facts
from crmsync.ledger.models import LedgerRecord
from crmsync.mapping.types import TableMapping


@dataclass(frozen=True, slots=True)
class Card:
    """``record`` is the model's instance, computed fields of the mapping among its attributes."""

    mapping: TableMapping
    record: LedgerRecord
    number: str
    title: str
    facts: Facts


def read_card(mapping: TableMapping, record_id: UUID) -> Card | None:
    """One query; None when the mapping has no such record."""
    records = mapping.ledger._default_manager.filter(pk=record_id).annotate(**mapping.computed)
    record = with_facts(mapping, records).first()
    if record is None:
        return None
    return Card(
        mapping=mapping,
        record=record,
        number=str(getattr(record, mapping.number)),
        title=str(getattr(record, mapping.title)),
        facts=facts_of(mapping, vars(record)),
    )
