"""What is asked at each step. ``SECRETS`` are used by the request that brings them, never kept."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.connections.models import Connection
from crmsync.connections.services import hosts
from setup_wizard.guide import addresses
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.scopes import tables_of
from setup_wizard.guide.steps import IDENTITY_INPUTS, AdministratorKind, SecretName, StepName
from setup_wizard.inputs import certificate_field, plain_input, secret_field

KIND = Connection.IdentityKind


class StepForm(forms.Form):
    """``draft`` tells which secrets are there already and need not be typed again.

    ``notes`` say what was put right of what was typed.
    """

    SECRETS: ClassVar[tuple[str, ...]] = ()
    notes: tuple[str, ...] = ()

    def __init__(self, *args: Any, draft: Draft, **options: Any) -> None:
        super().__init__(*args, **options)
        self.draft = draft

    def forget_secrets(self) -> None:
        """To validate what is stored: secrets are not, they were checked when they came."""
        for name in self.SECRETS:
            del self.fields[name]

    def show(self, name: str, text: str) -> None:
        """Say what is wrong beside an input of a form that nobody has posted."""
        self.full_clean()
        self.cleaned_data = {}
        self.add_error(name or None, text)

    def require(self, name: str) -> None:
        if not self.cleaned_data.get(name):
            field = self.fields[name]
            self.add_error(name, forms.ValidationError(field.error_messages["required"]))

    def _stored(self, step: StepName) -> Mapping[str, Any]:
        return self.draft.answers.get(step, {})

    def _may_stay(self, name: str) -> None:
        """A secret that is set already may be left blank."""
        self.fields[name].help_text = _("Set. Leave it empty to keep it.")


class EnvironmentForm(StepForm):
    url = forms.CharField(
        label=gettext_lazy("Dynamics 365 Sales URL"),
        help_text=gettext_lazy(
            "As the browser shows it, such as https://yourname.crm4.dynamics.com"
        ),
        max_length=300,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    application_id = forms.UUIDField(
        label=gettext_lazy("Application (client) ID of the app registration"),
        help_text=gettext_lazy(
            "Of the app registration in Microsoft Entra through which users sign in. It must "
            "allow public client flows."
        ),
        error_messages={
            "invalid": gettext_lazy("Give the id as Microsoft Entra shows it: 36 characters.")
        },
        widget=plain_input(),
    )
    drop_path = forms.BooleanField(required=False, widget=forms.HiddenInput)
    # The address that would do, where dropping what stands behind the host name is all it takes.
    offer = ""

    def clean(self) -> None:
        if "url" not in self.cleaned_data:
            return
        drops_path = bool(self.cleaned_data.pop("drop_path", False))
        found = addresses.cleaned(self.cleaned_data["url"], hosts=hosts(), drops_path=drops_path)
        self.cleaned_data["url"] = found.url
        self.notes, self.offer = found.notes, found.offer
        if found.offer:
            said = _("The address holds more than a host name. Only %(address)s is needed.")
            self.add_error("url", said % {"address": found.offer})


class AdministratorForm(StepForm):
    SECRETS = ("password",)

    kind = forms.ChoiceField(
        label=gettext_lazy("How Sales is prepared"),
        choices=[
            (AdministratorKind.MICROSOFT, gettext_lazy("Sign in with Microsoft (recommended)")),
            (AdministratorKind.PASSWORD, gettext_lazy("User name and password")),
            (AdministratorKind.NONE, gettext_lazy("Do not import the solution")),
        ],
        initial=AdministratorKind.MICROSOFT,
        widget=forms.RadioSelect,
    )
    again = forms.BooleanField(
        label=gettext_lazy("Sign in as somebody else"), required=False, initial=False
    )
    username = forms.CharField(
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("Of a user with the role System Administrator in Sales."),
        max_length=200,
        required=False,
        widget=plain_input(),
    )
    password = secret_field(gettext_lazy("Password"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["password"].help_text = _("Used once, never stored.")
        if self._is_signed_in(AdministratorKind.PASSWORD):
            self._may_stay("password")

    @property
    def is_signed_in(self) -> bool:
        """With Microsoft, and not for too long."""
        return self._is_signed_in(AdministratorKind.MICROSOFT)

    def clean(self) -> None:
        if self.cleaned_data.get("kind") != AdministratorKind.PASSWORD:
            return
        self.require("username")
        stored = self._stored(StepName.ADMINISTRATOR).get("username")
        same = self.cleaned_data.get("username") == stored
        is_set = same and self._is_signed_in(AdministratorKind.PASSWORD)
        if "password" in self.fields and not is_set:
            self.require("password")

    def _is_signed_in(self, kind: AdministratorKind) -> bool:
        return self.draft.administrator_kind == kind and SecretName.TOKEN in self.draft.secrets


class IntegrationUserForm(StepForm):
    SECRETS = ("application_secret", "certificate", "password")

    kind = forms.ChoiceField(
        label=gettext_lazy("How it signs in"),
        choices=[
            (KIND.APPLICATION.value, gettext_lazy("Application with a secret (recommended)")),
            (KIND.CERTIFICATE.value, gettext_lazy("Application with a certificate")),
            (KIND.PASSWORD.value, gettext_lazy("User with a password")),
        ],
        initial=KIND.APPLICATION.value,
        widget=forms.RadioSelect,
    )
    application = forms.UUIDField(
        label=gettext_lazy("Application (client) ID of the integration application"),
        help_text=gettext_lazy("Of the application user in Sales that synchronization acts as."),
        required=False,
        error_messages={
            "invalid": gettext_lazy("Give the id as Microsoft Entra shows it: 36 characters.")
        },
        widget=plain_input(),
    )
    application_secret = secret_field(gettext_lazy("Client secret"))
    certificate = certificate_field(gettext_lazy("Certificate and private key"))
    username = forms.CharField(
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("Of a user who does nothing else in Sales."),
        max_length=200,
        required=False,
        widget=plain_input(),
    )
    password = secret_field(gettext_lazy("Password"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        stored = self._stored(StepName.INTEGRATION_USER)
        if stored and SecretName.SECRET in self.draft.secrets:
            self._may_stay(IDENTITY_INPUTS[KIND(stored["kind"])][1])

    def clean(self) -> None:
        kind = self.cleaned_data.get("kind")
        if kind is None:
            return
        name, secret = IDENTITY_INPUTS[KIND(kind)]
        if name not in self.errors:
            self.require(name)
        stored = self._stored(StepName.INTEGRATION_USER)
        same = stored.get("kind") == kind and stored.get(name) == str(self.cleaned_data.get(name))
        is_set = same and SecretName.SECRET in self.draft.secrets
        if secret in self.fields and not is_set:
            self.require(secret)


class ChecksForm(StepForm):
    """``change_tracking``: the tables whose changes Sales shall track from now on."""

    change_tracking = forms.MultipleChoiceField(
        label=gettext_lazy("Switch change tracking on"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offer(tables_of(self._stored(StepName.TABLES).get("scopes", ())))

    def offer(self, tables: Mapping[str, str]) -> None:
        """The tables to choose from: logical name to caption."""
        field = self.fields["change_tracking"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = list(tables.items())


class CheckForm(StepForm):
    """Confirms the answers of one revision: those that were shown."""

    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial = {"revision": self.draft.revision}
