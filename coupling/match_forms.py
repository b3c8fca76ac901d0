"""What a person says on the pages of Match-Based Coupling: criteria, ticks, who wins."""

from collections.abc import Sequence
from uuid import UUID

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from coupling.criteria import HIGHEST_NUMBER
from coupling.matching import Certainty
from coupling.queries.match import TABS, Review
from coupling.services import Acceptance, Decision, FieldCriterion, Seen
from coupling.suggestions import Pair
from coupling.wording import WINNERS, recommended_winner
from crmsync.mapping.captions import caption_of
from crmsync.mapping.types import TableMapping
from crmsync.terms import FirstWinner

# The longest number of a ledger record; a page cannot begin behind a longer one.
NUMBER_LENGTH = 100
_SAY_WHO = _("Say who wins at the first synchronization.")


class AcceptForm(forms.Form):
    """Who wins; and what the page told, so that no more than that is coupled."""

    first_winner = forms.ChoiceField(
        label=_("At the first synchronization"),
        choices=[(one.value, WINNERS[one]) for one in FirstWinner],
        widget=forms.RadioSelect,
        error_messages={"required": _SAY_WHO, "invalid_choice": _SAY_WHO},
    )
    synchronize = forms.BooleanField(label=_("Synchronize After Coupling"), required=False)
    matching = forms.IntegerField(required=False, widget=forms.HiddenInput)
    certain = forms.IntegerField(required=False, widget=forms.HiddenInput)
    likely = forms.IntegerField(required=False, widget=forms.HiddenInput)
    ambiguous = forms.IntegerField(required=False, widget=forms.HiddenInput)


def accept_form(review: Review) -> AcceptForm:
    """As a page shows it."""
    winner = recommended_winner(review.mapping)
    initial = {"first_winner": winner, "matching": review.found_by, **review.elsewhere}
    return AcceptForm(initial=initial)


def as_decision(said: MultiValueDict[str, str], accepting: AcceptForm | None) -> Decision:
    """What the page's form says; a form about coupling that is not valid says nothing."""
    shown = pairs_of(said.getlist("shown"))
    return Decision(
        shown=tuple(shown),
        chosen=frozenset(pairs_of(said.getlist("chosen"))).intersection(shown),
        tick_all=_certainty(said.get("tick_all", "")),
        untick_all=_certainty(said.get("untick_all", "")),
        dismissed=next(iter(pairs_of([said.get("dismiss", "")])), None),
        acceptance=_acceptance(accepting, shown) if accepting and accepting.is_valid() else None,
    )


def _acceptance(form: AcceptForm, shown: Sequence[Pair]) -> Acceptance:
    said = form.cleaned_data
    elsewhere = {certainty: said[certainty.value] or 0 for certainty in Certainty}
    return Acceptance(
        Seen(said["matching"] or 0, frozenset(shown), elsewhere),
        first_winner=FirstWinner(said["first_winner"]),
        synchronizes=said["synchronize"],
    )


def pairs_of(texts: Sequence[str]) -> list[Pair]:
    """The pairs among what a form sent, ``ledger id:crm id``; anything else is left aside."""
    found = []
    for text in texts:
        try:
            ledger_id, crm_id = (UUID(one) for one in text.split(":"))
        except ValueError:
            continue
        found.append((ledger_id, crm_id))
    return found


def place_of(text: str) -> str:
    """The number that a page begins behind; what can be no number leads to the first page."""
    is_stored = "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)
    return text if is_stored and len(text) <= NUMBER_LENGTH else ""


def tab_of(text: str) -> str:
    """A kind of suggestions, or blank."""
    return text if text in TABS else ""


def _certainty(text: str) -> Certainty | None:
    return Certainty(text) if text in set(Certainty) else None


class CriterionForm(forms.Form):
    """One field of the table; ``prefix`` is its name."""

    is_matched = forms.BooleanField(label=_("Match on this Field"), required=False)
    is_case_sensitive = forms.BooleanField(label=_("Case-sensitive Matching"), required=False)
    priority = forms.IntegerField(
        label=_("Match Priority"), required=False, min_value=0, max_value=HIGHEST_NUMBER
    )

    @property
    def field_name(self) -> str:
        return str(self.prefix)

    caption = ""


def criterion_forms(
    mapping: TableMapping,
    criteria: Sequence[FieldCriterion],
    data: MultiValueDict[str, str] | None = None,
) -> list[CriterionForm]:
    """A form a field, each row of the table on the page."""
    made = []
    for one in criteria:
        initial = {
            "is_matched": one.is_matched,
            "is_case_sensitive": one.is_case_sensitive,
            "priority": one.priority or None,
        }
        form = CriterionForm(data, prefix=one.field, initial=initial)
        form.caption = caption_of(mapping, one.field)
        made.append(form)
    return made


def as_criteria(made: Sequence[CriterionForm]) -> list[FieldCriterion]:
    """What valid forms say."""
    return [
        FieldCriterion(
            form.field_name,
            is_matched=form.cleaned_data["is_matched"],
            is_case_sensitive=form.cleaned_data["is_case_sensitive"],
            priority=form.cleaned_data["priority"] or 0,
        )
        for form in made
    ]
