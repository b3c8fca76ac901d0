"""Match, approve, couple and uncouple: what an accountant decides about pairs of records.

The doors' one address; the services stand by subject in the modules named here.
"""

from collections.abc import Sequence
from uuid import UUID

from coupling.acceptance import (
    Accepted,
    Seen,
    accept_chosen,
    accept_one,
    accept_these,
    couple_pairs,
    dismiss,
)
from coupling.candidates import compared, crm_candidates, ledger_candidates
from coupling.criteria import (
    FieldCriterion,
    criteria_of,
    evidence_of,
    is_changed,
    reset_criteria,
    save_criteria,
    stored,
    to_match_by,
)
from coupling.decisions import Acceptance, Decided, Decision, decide
from coupling.lookups import Counterpart, FoundRow, find_rows, suggestions_for
from coupling.matching import Certainty, Proposal, propose
from coupling.pairs import SuggestedPair, suggested_pairs
from coupling.parents import parents_to_couple
from coupling.reasons import reason_sentences
from coupling.runs import (
    find_matches,
    found_by,
    latest_matching,
    match_by,
    match_now,
    request_matching,
    run_matching,
    sweep_matchings,
)
from coupling.suggestions import choose, choose_all, open_suggestions
from crmsync.mapping.registry import get_mapping
from crmsync.sync import services as sync
from crmsync.sync.exclusions import dismissed_pairs
from crmsync.sync.models import Coupling
from crmsync.sync.services import UnableToCouple
from crmsync.terms import CouplingOrigin, FirstWinner

__all__ = [
    "Acceptance",
    "Accepted",
    "Counterpart",
    "Decided",
    "Decision",
    "FieldCriterion",
    "FoundRow",
    "Seen",
    "SuggestedPair",
    "accept",
    "accept_chosen",
    "accept_one",
    "accept_these",
    "certain",
    "choose",
    "choose_all",
    "couple_pair",
    "criteria_of",
    "decide",
    "dismiss",
    "find_matches",
    "find_rows",
    "found_by",
    "is_changed",
    "latest_matching",
    "match_by",
    "match_now",
    "open_suggestions",
    "parents_to_couple",
    "reason_sentences",
    "remove",
    "remove_row",
    "request_matching",
    "reset_criteria",
    "run_matching",
    "save_criteria",
    "suggest",
    "suggested_pairs",
    "suggestions_for",
    "sweep_matchings",
]


def suggest(*, mapping: str) -> list[Proposal]:
    """Proposals for all uncoupled records of a mapping, here and now; nothing is stored or read."""
    declared = get_mapping(mapping)
    used = to_match_by(declared, stored(criteria_of(mapping=mapping)))
    comparing = compared(declared, used)
    return propose(
        ledger_candidates(comparing),
        crm_candidates(comparing),
        used,
        evidence_of(declared),
        dismissed=dismissed_pairs(declared),
    )


def accept(
    *, mapping: str, proposals: Sequence[Proposal], first_winner: FirstWinner, by: str
) -> Accepted:
    """Couple what a person approved; a pair that cannot be coupled is refused with its reason."""
    pairs = [(one.ledger.record_id, one.crm.record_id) for one in proposals]
    return couple_pairs(mapping=mapping, pairs=pairs, first_winner=first_winner, by=by)


def couple_pair(
    *, mapping: str, number: str, crm_id: UUID, first_winner: FirstWinner, by: str
) -> Coupling:
    """Couple the record that people know by this number. Raises UnableToCouple."""
    declared = get_mapping(mapping)
    record = declared.ledger._default_manager.filter(**{declared.number: number}).first()
    if record is None:
        raise UnableToCouple(f"There is no {str(declared.caption).lower()} record {number}.")
    return sync.couple(
        mapping=mapping,
        ledger_id=record.pk,
        crm_id=crm_id,
        first_winner=first_winner,
        origin=CouplingOrigin.PERSON,
        by=by,
    )


def remove(*, mapping: str, number: str) -> bool:
    """Delete Coupling of the record with this number; both records stay."""
    declared = get_mapping(mapping)
    record = declared.ledger._default_manager.filter(**{declared.number: number}).first()
    if record is None:
        return False
    live = Coupling.objects.filter(mapping=mapping, ledger_id=record.pk, removed_at__isnull=True)
    coupling = live.first()
    return coupling is not None and sync.remove_coupling(coupling_id=coupling.pk)


def remove_row(*, mapping: str, crm_id: UUID) -> bool:
    """Delete Coupling of a row there: also of one whose record here is gone."""
    live = Coupling.objects.filter(mapping=mapping, crm_id=crm_id, removed_at__isnull=True)
    coupling = live.first()
    return coupling is not None and sync.remove_coupling(coupling_id=coupling.pk)


def certain(proposals: Sequence[Proposal]) -> list[Proposal]:
    return [proposal for proposal in proposals if proposal.certainty is Certainty.CERTAIN]
