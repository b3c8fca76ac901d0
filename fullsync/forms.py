"""What people send: checked, named, nothing else."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.frame.fields import PlainText
from crmsync.mapping.registry import all_mappings

MOST_LIMIT = 1000
MOST_TICKED = 1000
LARGEST_ID = 2**63 - 1
ID_DIGITS = 18


class StartForm(forms.Form):
    limit = forms.IntegerField(
        label=_("At most so many records a table"),
        required=False,
        min_value=1,
        max_value=MOST_LIMIT,
    )
    modified_only = forms.BooleanField(required=False)


class RestartForm(forms.Form):
    """One table, or without a name all that did not come to their end."""

    mapping = forms.CharField(required=False, max_length=40)


class ChosenForm(forms.Form):
    """Ids of obstacles: the one whose own button was used, or all that were ticked."""

    one = forms.IntegerField(required=False, max_value=LARGEST_ID)
    record = forms.TypedMultipleChoiceField(coerce=int, required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        ticked = self.data.getlist("record") if hasattr(self.data, "getlist") else []
        # Any number is an id that may be gone; only what is no number is refused.
        numbers = [
            value for value in ticked[:MOST_TICKED] if value.isdecimal() and len(value) <= ID_DIGITS
        ]
        self.fields["record"].choices = [(value, value) for value in numbers]  # type: ignore[attr-defined]

    @property
    def ids(self) -> list[int]:
        one: int | None = self.cleaned_data.get("one")
        ticked: list[int] = self.cleaned_data.get("record") or []
        return ticked if one is None else [one]


class OneForm(forms.Form):
    """The id of one obstacle."""

    one = forms.IntegerField(max_value=LARGEST_ID)


class AnswerForm(forms.Form):
    """Answers to conflicts, as the page offers them: ids of obstacles with what was shown."""

    def clean(self) -> dict[str, Any]:
        sent = self.data.getlist("answer")[:MOST_TICKED] if hasattr(self.data, "getlist") else []
        return {"answers": read_answers(sent)}


def read_answers(texts: Iterable[str]) -> dict[int, str]:
    """Fingerprints by id, of ``12:ab34...``; what is no answer is left out."""
    parts = [text.partition(":") for text in texts]
    return {
        int(number): shown
        for number, _colon, shown in parts
        if number.isascii() and number.isdecimal() and len(number) <= ID_DIGITS
    }


class LeaveOutForm(forms.Form):
    reason = PlainText(
        label=_("Reason"),
        help_text=_("Others read it when they look for the record."),
        max_length=500,
        error_messages={"required": _("Say in a few words why, so that others understand it.")},
    )


class CauseForm(forms.Form):
    mapping = forms.ChoiceField()
    code = forms.CharField(max_length=60)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        names = [(mapping.name, mapping.name) for mapping in all_mappings()]
        self.fields["mapping"].choices = names  # type: ignore[attr-defined]
