"""What is asked at each step. ``SECRETS`` are used by the request that brings them, never kept."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.connections.models import Connection
from crmsync.terms import Scope
from setup_wizard.progress import Draft
from setup_wizard.scopes import choices
from setup_wizard.steps import SecretName, StepName

KIND = Connection.IdentityKind


class StepForm(forms.Form):
    """``draft`` tells which secrets are there already and need not be typed again."""

    SECRETS: ClassVar[tuple[str, ...]] = ()

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


def _secret_field(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        strip=False,
        required=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


def _plain() -> forms.TextInput:
    return forms.TextInput(
        attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
    )


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
        label=gettext_lazy("Application (client) ID"),
        help_text=gettext_lazy(
            "Of the app registration in Microsoft Entra through which users sign in. It must "
            "allow public client flows."
        ),
        error_messages={
            "invalid": gettext_lazy("Give the id as Microsoft Entra shows it: 36 characters.")
        },
        widget=_plain(),
    )


class AdministratorForm(StepForm):
    SECRETS = ("password",)

    username = forms.CharField(
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("Of a user with the role System Administrator in Sales."),
        max_length=200,
        widget=_plain(),
    )
    password = _secret_field(gettext_lazy("Password"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["password"].help_text = _("Used once, never stored.")
        if SecretName.TOKEN in self.draft.secrets:
            self._may_stay("password")

    def clean(self) -> None:
        same = self.cleaned_data.get("username") == self._stored(StepName.ADMINISTRATOR).get(
            "username"
        )
        is_set = same and SecretName.TOKEN in self.draft.secrets
        if "password" in self.fields and not is_set:
            self.require("password")


class IntegrationUserForm(StepForm):
    SECRETS = ("application_secret", "password")

    kind = forms.ChoiceField(
        label=gettext_lazy("How it signs in"),
        choices=[
            (KIND.APPLICATION.value, gettext_lazy("Application with a secret (recommended)")),
            (KIND.PASSWORD.value, gettext_lazy("User with a password")),
        ],
        initial=KIND.APPLICATION.value,
        widget=forms.RadioSelect,
    )
    application = forms.CharField(
        label=gettext_lazy("Application (client) ID"),
        help_text=gettext_lazy("Of the application user in Sales that synchronization acts as."),
        max_length=100,
        required=False,
        widget=_plain(),
    )
    application_secret = _secret_field(gettext_lazy("Client secret"))
    username = forms.CharField(
        label=gettext_lazy("User name"),
        help_text=gettext_lazy("Of a user who does nothing else in Sales."),
        max_length=200,
        required=False,
        widget=_plain(),
    )
    password = _secret_field(gettext_lazy("Password"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        stored = self._stored(StepName.INTEGRATION_USER)
        if stored and SecretName.SECRET in self.draft.secrets:
            self._may_stay(self.inputs(stored["kind"])[1])

    @staticmethod
    def inputs(kind: str) -> tuple[str, str]:
        """The inputs of name and secret of a kind of integration user."""
        if kind == KIND.APPLICATION:
            return "application", "application_secret"
        return "username", "password"

    def clean(self) -> None:
        kind = self.cleaned_data.get("kind")
        if kind is None:
            return
        name, secret = self.inputs(kind)
        self.require(name)
        stored = self._stored(StepName.INTEGRATION_USER)
        same = stored.get("kind") == kind and stored.get(name) == self.cleaned_data.get(name)
        is_set = same and SecretName.SECRET in self.draft.secrets
        if secret in self.fields and not is_set:
            self.require(secret)


class TablesForm(StepForm):
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What to synchronize"),
        choices=lambda: [(choice.scope.value, choice) for choice in choices()],
        initial=[scope.value for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick at least one.")},
    )


class CheckForm(StepForm):
    """Confirms the answers of one revision: those that were shown."""

    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial = {"revision": self.draft.revision}
