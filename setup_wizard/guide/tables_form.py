"""What is asked at the step *What to synchronize*: the tables, and who owns what is created."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.connections.models import Connection
from crmsync.dataverse.owners import Principal
from crmsync.terms import Scope
from setup_wizard.guide.forms import StepForm
from setup_wizard.guide.owners import Candidates
from setup_wizard.guide.ownership import OwnerChoice, creates_owned_rows
from setup_wizard.guide.scopes import choices, with_prerequisites
from setup_wizard.inputs import plain_input

OWNERSHIP = Connection.Ownership


class TablesForm(StepForm):
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What to synchronize"),
        choices=lambda: [(choice.scope.value, choice) for choice in choices()],
        initial=[scope.value for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick at least one.")},
    )
    ownership = forms.ChoiceField(
        label=gettext_lazy("Who owns the records that are created in Sales?"),
        choices=[
            (OWNERSHIP.SALESPERSON.value, gettext_lazy("The user of the record's salesperson")),
            (OWNERSHIP.TEAM.value, gettext_lazy("A team")),
        ],
        initial=OWNERSHIP.SALESPERSON.value,
        required=False,
        widget=forms.RadioSelect,
    )
    fallback = forms.CharField(
        label=gettext_lazy("Without a salesperson, or with one who is not coupled"),
        max_length=200,
        required=False,
        widget=plain_input(),
    )
    team = forms.CharField(
        label=gettext_lazy("Team"),
        max_length=200,
        required=False,
        widget=plain_input(),
        error_messages={"required": gettext_lazy("Choose the team.")},
    )

    def clean_ownership(self) -> str:
        return self.cleaned_data["ownership"] or OWNERSHIP.SALESPERSON.value

    def clean(self) -> None:
        scopes = [Scope(value) for value in self.cleaned_data.get("scopes", ())]
        owned = creates_owned_rows(with_prerequisites(scopes))
        if owned and self.cleaned_data.get("ownership") == OWNERSHIP.TEAM:
            self.require("team")

    def offer(self, candidates: Candidates, chosen: OwnerChoice) -> None:
        """Whom to choose from; where there is no list, the exact name is typed in."""
        is_team = chosen.ownership == OWNERSHIP.TEAM
        nobody = OwnerChoice()
        self._offer("team", candidates.teams, chosen if is_team else nobody, _("Choose a team"))
        fallback = nobody if is_team else chosen
        self._offer("fallback", candidates.users, fallback, _("The integration user"))

    def _offer(
        self, name: str, known: Sequence[Principal] | None, chosen: OwnerChoice, blank: str
    ) -> None:
        if known is None:
            self._ask_for_name(name, chosen)
            return
        names = {str(one.row_id): one.name for one in known}
        if chosen.owner_id:
            names.setdefault(str(chosen.owner_id), chosen.name)
        self.fields[name].widget = forms.Select(choices=[("", blank), *names.items()])

    def _ask_for_name(self, name: str, chosen: OwnerChoice) -> None:
        self.fields[name].help_text = (
            _("The name exactly as Sales shows it.")
            if name == "team"
            else _("The name exactly as Sales shows it; empty is the integration user.")
        )
        if self.initial.get(name) == str(chosen.owner_id):
            self.initial[name] = chosen.name
