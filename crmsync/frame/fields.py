"""Fields of forms that more than one door shows."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crmsync.visible import misleads, shows_nothing


class VisibleText(forms.CharField):
    """What shows nothing is blank, such as spaces of no width and marks of direction alone."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return self.empty_value if isinstance(text, str) and shows_nothing(text) else text


class PlainText(VisibleText):
    """One line for others to read, in which nothing turns the order of its letters round."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if misleads(value):
            raise ValidationError(
                _(
                    "It holds control characters, which cannot be seen: type it anew instead of "
                    "pasting it."
                )
            )
