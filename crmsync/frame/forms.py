from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from crmsync.connections.models import Connection
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
