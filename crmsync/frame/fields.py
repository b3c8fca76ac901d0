"""Fields of forms that more than one door shows."""

from typing import Any

from django import forms

from crmsync.visible import shows_nothing


class VisibleText(forms.CharField):
    """What shows nothing is blank, such as spaces of no width and marks of direction alone."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return self.empty_value if isinstance(text, str) and shows_nothing(text) else text
