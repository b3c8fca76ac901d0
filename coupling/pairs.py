"""Open suggestions as people read them: both records by name, reasons as sentences."""

from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from coupling.candidates import labels_of
from coupling.matching import Certainty
from coupling.models import Suggestion
from coupling.reasons import reason_sentences
from coupling.suggestions import open_suggestions
from crmsync.mapping.registry import get_mapping
from crmsync.sync import labels

_BATCH = 2000


@dataclass(frozen=True, slots=True)
class SuggestedPair:
    ledger_id: UUID
    number: str
    ledger: str
    crm_id: UUID
    crm: str
    certainty: Certainty
    reasons: tuple[str, ...]


def suggested_pairs(*, mapping: str) -> list[SuggestedPair]:
    """All open suggestions of a mapping, by number."""
    rows = open_suggestions(mapping).order_by("number", "pk").iterator(chunk_size=_BATCH)
    found: list[SuggestedPair] = []
    while batch := list(islice(rows, _BATCH)):
        found += _as_pairs(mapping, batch)
    return found


def _as_pairs(mapping: str, rows: list[Suggestion]) -> list[SuggestedPair]:
    declared = get_mapping(mapping)
    here = labels_of(declared, [row.ledger_id for row in rows])
    there = labels.of_crm(declared.crm.logical_name, [row.crm_id for row in rows])
    return [
        SuggestedPair(
            row.ledger_id,
            row.number,
            here.get(row.ledger_id, row.number),
            row.crm_id,
            there[row.crm_id],
            Certainty(row.certainty),
            tuple(reason_sentences(mapping, row.reasons)),
        )
        for row in rows
    ]
