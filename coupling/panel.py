"""What a list or a card says about one record and its counterpart."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from coupling.queries.facts import CouplingFact, Facts, ObstacleFact, Passage
from coupling.reasons import reason_sentences
from coupling.wording import (
    CERTAINTIES,
    DIRECTIONS,
    ORIGINS,
    WINNERS,
    outcome_tag,
    recommended_winner,
)
from crmsync.dataverse.address import record_page
from crmsync.mapping.captions import caption_of
from crmsync.mapping.types import TableMapping
from crmsync.sync.errors import cause, explain
from crmsync.terms import CouplingOrigin, Side

# As long as a sentence from Sales may be on a page.
SENTENCE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class ShownCause:
    """What stands in the way: ``is_there`` when it is the row's, not the record's."""

    title: str
    sentence: str
    remedy: str
    who: str
    tag: tuple[str, str]
    since: datetime
    is_there: bool


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """The last synchronization one way; no ``at``: never."""

    caption: str
    tag: tuple[str, str] | None = None
    at: datetime | None = None
    job_id: int | None = None


@dataclass(frozen=True, slots=True)
class ShownParent:
    caption: str
    mapping: str
    record_id: UUID
    number: str
    is_coupled: bool


@dataclass(frozen=True, slots=True)
class ShownSuggestion:
    """``winner_says`` is what coupling at once does to values that differ."""

    crm_id: UUID
    title: str
    certainty: str
    reasons: tuple[str, ...]
    winner_says: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One record. ``status`` is tone and word; ``crm_url`` opens the counterpart in Sales."""

    mapping: TableMapping
    record_id: UUID
    number: str
    title: str
    facts: Facts
    status: tuple[str, str]
    origin: str
    crm_url: str
    causes: tuple[ShownCause, ...]
    passages: tuple[ShownPassage, ...]
    parents: tuple[ShownParent, ...]
    suggestion: ShownSuggestion | None

    @property
    def direction(self) -> str:
        return str(DIRECTIONS[self.mapping.direction])

    @property
    def missing_parents(self) -> tuple[ShownParent, ...]:
        return tuple(parent for parent in self.parents if not parent.is_coupled)


def show_panel(
    mapping: TableMapping, *, record_id: UUID, number: str, title: str, facts: Facts
) -> Panel:
    coupling = facts.coupling
    return Panel(
        mapping=mapping,
        record_id=record_id,
        number=number,
        title=title,
        facts=facts,
        status=status_of(facts),
        origin=str(ORIGINS[CouplingOrigin(coupling.origin)]) if coupling else "",
        crm_url=open_in_sales(mapping, facts.crm_origin, coupling.crm_id) if coupling else "",
        causes=tuple(show_cause(mapping, one) for one in facts.obstacles),
        passages=tuple(_passages(mapping, coupling)) if coupling else (),
        parents=tuple(_parents(mapping, facts)),
        suggestion=_suggestion(mapping, facts),
    )


def status_of(facts: Facts) -> tuple[str, str]:
    """Tone and word of the column *Coupled to Sales*."""
    if facts.left_out:
        return "none", _("Left out")
    if facts.coupling:
        return _status_of_coupling(facts.coupling)
    if facts.suggestion:
        return "info", _("Suggested")
    return "none", _("Not coupled")


def _status_of_coupling(coupling: CouplingFact) -> tuple[str, str]:
    if coupling.is_intent:
        return "wait", _("Being created")
    if coupling.is_row_gone:
        return "warn", _("Deleted in Sales")
    return "good", _("Coupled")


def open_in_sales(mapping: TableMapping, origin: str, crm_id: UUID) -> str:
    """The address of a row's form in the app; blank without a connection."""
    table = mapping.crm.logical_name
    return record_page(origin=origin, table=table, crm_id=crm_id) if origin else ""


def show_cause(mapping: TableMapping, obstacle: ObstacleFact) -> ShownCause:
    known = cause(obstacle.code)
    sentence = explain(
        mapping=mapping.name,
        code=obstacle.code,
        details=obstacle.details,
        sentence=obstacle.sentence,
    )
    return ShownCause(
        title=known.title,
        sentence=sentence[:SENTENCE_LENGTH],
        remedy=known.remedy,
        who=known.who,
        tag=outcome_tag(obstacle.outcome),
        since=obstacle.since,
        is_there=obstacle.side is Side.CRM,
    )


def _passages(mapping: TableMapping, coupling: CouplingFact) -> Iterator[ShownPassage]:
    if mapping.direction.writes_crm:
        yield _passage(_("Last synchronization to Sales"), coupling.to_crm)
    if mapping.direction.writes_ledger:
        yield _passage(_("Last synchronization from Sales"), coupling.from_crm)


def _passage(caption: str, passage: Passage | None) -> ShownPassage:
    if passage is None:
        return ShownPassage(caption)
    return ShownPassage(caption, outcome_tag(passage.outcome), passage.at, passage.job_id)


def _parents(mapping: TableMapping, facts: Facts) -> Iterator[ShownParent]:
    for one in facts.parents:
        yield ShownParent(
            caption_of(mapping, one.field),
            one.mapping.name,
            one.record_id,
            one.number,
            one.is_coupled,
        )


def _suggestion(mapping: TableMapping, facts: Facts) -> ShownSuggestion | None:
    found = facts.suggestion
    if found is None:
        return None
    certainty = CERTAINTIES.get(found.certainty, found.certainty)
    reasons = tuple(reason_sentences(mapping.name, found.reasons))
    winner = str(WINNERS[recommended_winner(mapping)])
    return ShownSuggestion(found.crm_id, found.crm_title, str(certainty), reasons, winner)
