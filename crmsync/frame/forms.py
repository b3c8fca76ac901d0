"""What people type on the pages of the frame."""

from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from crmsync.audit.acts import ACTS
from crmsync.audit.queries import Chosen
from crmsync.connections.models import Connection
from crmsync.frame.people import LONGEST_NAME, may_be_called
from crmsync.frame.roles import CAPTIONS, DUTIES, Role
from crmsync.ledger.models import CompanyInformation
from crmsync.terms import Experience


class CompanyForm(forms.ModelForm[CompanyInformation]):
    experience = forms.ChoiceField(
        label=_("Experience"),
        help_text=_("The connection to Dynamics 365 Sales needs the Suite experience."),
        choices=[(Experience.BASIC.value, _("Basic")), (Experience.SUITE.value, _("Suite"))],
        widget=forms.RadioSelect,
        initial=Experience.SUITE.value,
    )

    class Meta:
        model = CompanyInformation
        fields = ("name", "local_currency_code", "experience")
        labels: ClassVar = {
            "name": _("Name"),
            "local_currency_code": _("LCY Code"),
        }
        help_texts: ClassVar = {
            "local_currency_code": _(
                "The currency of the books, such as DKK. It must be the base currency of Sales."
            ),
        }

    def clean_local_currency_code(self) -> str:
        code: str = self.cleaned_data["local_currency_code"].strip().upper()
        if not (len(code) == 3 and code.isascii() and code.isalpha()):
            raise forms.ValidationError(_("Give the three letters of an ISO currency code."))
        connection = Connection.objects.first()
        if connection and connection.base_currency_code != code:
            raise forms.ValidationError(
                _(
                    "This installation is connected to Sales, whose base currency is %(code)s. "
                    "Amounts would change their meaning."
                ),
                params={"code": connection.base_currency_code},
            )
        return code

    def clean_experience(self) -> str:
        experience: str = self.cleaned_data["experience"]
        if experience != Experience.SUITE and Connection.objects.exists():
            raise forms.ValidationError(
                _("This installation is connected to Sales, which needs the Suite experience.")
            )
        return experience


def _roles() -> list[tuple[str, str]]:
    """Each group with what it may do, and none."""
    groups = [(role.value, f"{CAPTIONS[role]}: {DUTIES[role]}") for role in Role]
    return [*groups, ("", str(_("None: sees Home alone")))]


class GroupForm(forms.Form):
    role = forms.ChoiceField(
        label=_("Group"), choices=_roles, widget=forms.RadioSelect, required=False
    )

    def clean_role(self) -> Role | None:
        value: str = self.cleaned_data["role"]
        return Role(value) if value else None


class PersonForm(GroupForm):
    name = forms.CharField(
        label=_("Name"),
        help_text=_("What they sign in with: letters from a to z, digits and @ . + - _"),
        max_length=LONGEST_NAME,
        validators=[may_be_called],
    )
    email = forms.EmailField(label=_("Email"), help_text=_("Not needed."), required=False)
    non_interactive = forms.BooleanField(
        label=_("Only uses a web service key"),
        help_text=_("For a program, such as Sales itself: nobody signs in to the pages with it."),
        required=False,
    )
    field_order = ("name", "email", "role", "non_interactive")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("non_interactive") and cleaned.get("role"):
            self.add_error("role", _("What only uses a web service key is in no group."))
        return cleaned


class OwnPasswordForm(PasswordChangeForm):
    """The person's own choice, which is another one than the password they have."""

    def clean_new_password1(self) -> str:
        chosen: str = self.cleaned_data["new_password1"]
        if chosen == self.data.get("old_password"):
            raise forms.ValidationError(_("Choose another password than the one you have."))
        return chosen


# Days outside of these begin, in some time zone, where no calendar of ours goes.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
_NO_SUCH_DAY = _("Give a day from 1970 to 2999.")


class AuditForm(forms.Form):
    who = forms.CharField(label=_("Person"), max_length=LONGEST_NAME, required=False)
    act = forms.ChoiceField(
        label=_("Act"),
        choices=lambda: [("", _("All acts")), *((act, one.caption) for act, one in ACTS.items())],
        required=False,
    )
    day = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        validators=[
            MinValueValidator(FIRST_DAY, _NO_SUCH_DAY),
            MaxValueValidator(LAST_DAY, _NO_SUCH_DAY),
        ],
        required=False,
    )
    before = forms.IntegerField(min_value=1, required=False)

    @property
    def chosen(self) -> Chosen:
        """What is asked for; an answer that makes no sense asks for everything."""
        self.full_clean()
        asked = {name: self.cleaned_data.get(name) for name in ("who", "act", "day")}
        return Chosen(**{name: value for name, value in asked.items() if value})
