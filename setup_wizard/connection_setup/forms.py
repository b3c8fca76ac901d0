"""What is asked on the pages of Connection Setup. Secrets are used once, by their request."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.connections.models import Connection
from crmsync.frame.fields import PlainText
from setup_wizard.connection_setup.credentials import Credentials, kinds_of
from setup_wizard.guide.steps import IDENTITY_INPUTS
from setup_wizard.inputs import certificate_field, secret_field

KIND = Connection.IdentityKind
_CAPTIONS = {
    KIND.APPLICATION: _("Client secret"),
    KIND.CERTIFICATE: _("Certificate"),
    KIND.PASSWORD: _("Password"),
}


class DisableForm(forms.Form):
    reason = PlainText(
        label=_("Reason"),
        help_text=_("Everybody who opens Home reads it."),
        max_length=500,
        error_messages={"required": _("Say in a few words why, so that others understand it.")},
    )


class RotateForm(forms.Form):
    new_key = forms.BooleanField(label=_("Make a new key"), required=False)


class CredentialsForm(forms.Form):
    """A new secret of the identity of ``connection``; who it is stays."""

    kind = forms.ChoiceField(label=_("How it signs in"), widget=forms.RadioSelect)
    application_secret = secret_field(_("New client secret"))
    certificate = certificate_field(_("New certificate and private key"))
    password = secret_field(_("New password"))

    def __init__(self, *args: Any, connection: Connection, **options: Any) -> None:
        options.setdefault("initial", {"kind": connection.identity_kind})
        super().__init__(*args, **options)
        kinds = kinds_of(connection)
        kind = self.fields["kind"]
        if isinstance(kind, forms.ChoiceField):
            kind.choices = [(one.value, _CAPTIONS[one]) for one in kinds]
        for name in {secret for _name, secret in IDENTITY_INPUTS.values()} - {
            IDENTITY_INPUTS[one][1] for one in kinds
        }:
            del self.fields[name]

    def clean(self) -> None:
        kind = self.cleaned_data.get("kind")
        secret = IDENTITY_INPUTS[KIND(kind)][1] if kind else ""
        if secret and secret not in self.errors and not self.cleaned_data.get(secret):
            self.add_error(secret, self.fields[secret].error_messages["required"])

    @property
    def given(self) -> Credentials:
        kind = KIND(self.cleaned_data["kind"])
        return Credentials(kind, self.cleaned_data[IDENTITY_INPUTS[kind][1]])
