"""Words for people: how values, directions, outcomes and origins read on these pages."""

from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crmsync.mapping.types import TableMapping
from crmsync.mapping.values import number_in_words
from crmsync.terms import CouplingOrigin, Direction, Fate, FirstWinner, Outcome

# What an exchange rate is quoted with, at most.
SHOWN_DECIMALS = 6
DIRECTIONS: dict[Direction, Promise] = {
    Direction.TO_CRM: _("To Sales"),
    Direction.FROM_CRM: _("From Sales"),
    Direction.BIDIRECTIONAL: _("Bidirectional"),
}
ORIGINS: dict[CouplingOrigin, Promise] = {
    CouplingOrigin.PERSON: _("Set Up Coupling"),
    CouplingOrigin.MATCH: _("Match-Based Coupling"),
    CouplingOrigin.UNIQUE_KEY: _("Same unique key"),
    CouplingOrigin.CREATED: _("Created by synchronization"),
}
# Tone and word, for the tag.
OUTCOMES: dict[Outcome, tuple[str, Promise]] = {
    Outcome.INSERTED: ("good", _("Inserted")),
    Outcome.MODIFIED: ("good", _("Modified")),
    Outcome.DELETED: ("warn", _("Deleted")),
    Outcome.UNCHANGED: ("good", _("Unchanged")),
    Outcome.COUPLED: ("good", _("Coupled")),
    Outcome.UNCOUPLED: ("none", _("Uncoupled")),
    Outcome.DEFERRED: ("wait", _("Deferred")),
    Outcome.UNDECIDED: ("warn", _("Undecided")),
    Outcome.FAILED: ("bad", _("Failed")),
    Outcome.SKIPPED: ("none", _("Skipped")),
}
FATES: dict[Fate, tuple[str, Promise]] = {
    Fate.TO_CRM: ("info", _("Will be written to Sales")),
    Fate.TO_LEDGER: ("info", _("Will be written to Financials")),
    Fate.EQUAL: ("good", _("Equal")),
    Fate.WAITS: ("warn", _("Waits for a person")),
    Fate.LEFT_ALONE: ("none", _("Left alone")),
}
WINNERS: dict[FirstWinner, Promise] = {
    FirstWinner.LEDGER: _("Financials wins: its values replace those in Sales"),
    FirstWinner.CRM: _("Sales wins: its values replace those in Financials"),
    FirstWinner.FILL_BLANKS: _("Fill blanks only: values that differ wait for a person"),
}
CERTAINTIES: dict[str, Promise] = {
    "certain": _("Certain"),
    "likely": _("Likely"),
    "ambiguous": _("Several look alike"),
}


def outcome_tag(outcome: str) -> tuple[str, str]:
    tone, word = OUTCOMES[Outcome(outcome)]
    return tone, str(word)


def recommended_winner(mapping: TableMapping, *, is_compared: bool = False) -> FirstWinner:
    """Sales for a table that is kept there. Otherwise it counts what the person saw.

    A suggestion shows names and reasons, not values: coupled from there, nothing may be replaced
    unseen, so only blanks are filled. In the comparison (``is_compared``) every difference stands
    on the page beside what becomes of it: there the books, where the table is kept, may win.
    """
    if mapping.direction is Direction.FROM_CRM:
        return FirstWinner.CRM
    return FirstWinner.LEDGER if is_compared else FirstWinner.FILL_BLANKS


def shown_value(mapping: TableMapping, field: str, value: Any) -> str:
    """A raw ledger value as people read it; blank for nothing."""
    if value is None:
        return ""
    if isinstance(value, Decimal | float):
        return number_in_words(_rounded(Decimal(value)))
    return str(choices_of(mapping, field).get(value, value))


def _rounded(number: Decimal) -> Decimal:
    """A rate that was divided has decimals without end; one that would become zero keeps them."""
    rounded = round(number, SHOWN_DECIMALS)
    return rounded or number


def choices_of(mapping: TableMapping, field: str) -> dict[Any, Any]:
    """The words of a field that has choices, by stored value; empty for others."""
    known = {one.name: one for one in mapping.ledger._meta.fields}
    return dict(known[field].flatchoices) if field in known else {}
