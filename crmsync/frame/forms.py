from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

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
        return code
