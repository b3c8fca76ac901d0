"""What a person may set before records are matched."""

from collections.abc import Sequence

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from coupling.criteria import HIGHEST_NUMBER
from coupling.services import FieldCriterion
from crmsync.mapping.captions import caption_of
from crmsync.mapping.types import TableMapping
from crmsync.terms import FirstWinner

WINNERS = [
    (FirstWinner.FILL_BLANKS.value, _("Fill blanks; different values wait for a person")),
    (FirstWinner.LEDGER.value, _("Financials wins where the two differ")),
    (FirstWinner.CRM.value, _("Sales wins where the two differ")),
]


class AcceptForm(forms.Form):
    first_winner = forms.ChoiceField(
        label=_("At the first synchronization"), choices=WINNERS, widget=forms.RadioSelect
    )
    synchronize = forms.BooleanField(label=_("Synchronize After Coupling"), required=False)


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
