"""Checks of money: the base currency, the others and their rates."""

from django.utils.translation import gettext as _

from crmsync.dataverse import environment
from crmsync.ledger.models import Currency
from crmsync.ledger.queries import current_exchange_rate
from crmsync.terms import Scope
from setup_wizard.checks.subject import Finding, State, Subject
from setup_wizard.guide import preflight


def base_currency(subject: Subject) -> Finding:
    """The same here and there: it cannot be changed in Sales."""
    found = preflight.check_organization(subject.reader).organization
    code = {"code": found.base_currency_code}
    return Finding(State.GOOD, _("%(code)s, here and in Sales.") % code)


def currencies(subject: Subject) -> Finding:
    """Every currency of the books with its rate; those that Sales lacks are created there."""
    if Scope.CURRENCIES not in subject.draft.scopes:
        return Finding(State.GOOD, _("Currencies are not synchronized."))
    here = dict(Currency.objects.values_list("iso_code").annotate(rate=current_exchange_rate()))
    there = {one.code: one for one in environment.currencies(subject.reader)}
    without_rate = sorted(code for code, rate in here.items() if rate is None)
    if without_rate:
        return Finding(
            State.WARN,
            _("No exchange rate in the books for: %(codes)s.") % {"codes": ", ".join(without_rate)},
            _("Enter one: a currency without a rate cannot be created in Sales."),
        )
    inactive = sorted(code for code in here if code in there and not there[code].is_active)
    if inactive:
        return Finding(
            State.WARN,
            _("Deactivated in Sales: %(codes)s.") % {"codes": ", ".join(inactive)},
            _("Activate them there: records in these currencies are refused."),
        )
    new = sorted(set(here) - set(there))
    if new:
        names = {"codes": ", ".join(new)}
        return Finding(State.GOOD, _("Will be created in Sales, with rates: %(codes)s.") % names)
    return Finding(State.GOOD, _("Every currency of the books is there; rates are brought over."))
