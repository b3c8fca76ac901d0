"""Inputs for credentials, as the guide and Connection Setup ask for them: no browser keeps them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.dataverse.certificates import MOST_CHARACTERS

_KEPT_BY_NOBODY = {"autocomplete": "off", "spellcheck": "false"}


class BlankTextarea(forms.Textarea):
    """For a secret of several lines: what was typed is never sent back to the browser."""

    def format_value(self, value: Any) -> str:
        return ""


def plain_input() -> forms.TextInput:
    return forms.TextInput(attrs={**_KEPT_BY_NOBODY, "autocapitalize": "none"})


def secret_field(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs=_KEPT_BY_NOBODY),
    )


def certificate_field(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=_(
            "The whole PEM text: the certificate that is registered with the application, and its "
            "private key without a passphrase."
        ),
        required=False,
        max_length=MOST_CHARACTERS,
        widget=BlankTextarea(attrs={**_KEPT_BY_NOBODY, "rows": 6, "class": "mono"}),
    )
