"""What the Dataverse client's errors are called on a page, in the reader's language.

The client is plain Python and speaks English; its errors are told apart by code, and so are those
of the sign-in service. What Sales itself said is kept as a detail.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from crmsync.dataverse.errors import (
    AddressRefused,
    ConnectionLost,
    DataverseError,
    NotAMember,
    ServiceUnavailable,
    SignInFailed,
    Throttled,
    UnreadableAnswer,
)

# Codes of the sign-in service that concern the app registration, or the secret, not the person.
OF_THE_APPLICATION = frozenset({"AADSTS700016", "AADSTS65001", "AADSTS7000218"})
OF_THE_SECRET = frozenset({"AADSTS7000215", "AADSTS7000222", "AADSTS50126"})
MOST_CHARACTERS = 500

_SIGN_IN: dict[str, str | Promise] = {
    "AADSTS7000215": gettext_lazy("The application's secret is not valid."),
    "AADSTS7000218": gettext_lazy("The app registration does not allow public client flows."),
    "AADSTS7000222": gettext_lazy("The application's secret has expired."),
    "AADSTS700016": gettext_lazy("The application is not known in this tenant."),
    "AADSTS50126": gettext_lazy("The user name or the password is wrong."),
    "AADSTS50034": gettext_lazy("The user is not known in this tenant."),
    "AADSTS50057": gettext_lazy("The user's account is disabled."),
    "AADSTS50076": gettext_lazy(
        "The user must sign in with a second factor; use an application instead."
    ),
    "AADSTS65001": gettext_lazy(
        "Nobody has consented to the application's access to Dynamics 365."
    ),
    "AADSTS90002": gettext_lazy("The tenant is not known."),
}
_BY_CODE: dict[str, tuple[str | Promise, str | Promise]] = {
    ConnectionLost.code: (
        gettext_lazy("Sales or its sign-in service cannot be reached."),
        gettext_lazy("Check the address and the network, then try again."),
    ),
    UnreadableAnswer.code: (
        gettext_lazy("What answers there does not answer like Dynamics 365 Sales."),
        gettext_lazy("Check the address and the network, then try again."),
    ),
    ServiceUnavailable.code: (
        gettext_lazy("Sales or its sign-in service is not available at the moment."),
        gettext_lazy("Wait a few minutes, then try again."),
    ),
    Throttled.code: (
        gettext_lazy("Sales asked us to wait."),
        gettext_lazy("Wait a few minutes, then try again."),
    ),
    SignInFailed.code: (
        gettext_lazy("The sign-in was refused."),
        gettext_lazy("Check the user name, the password or secret, and the application id."),
    ),
    NotAMember.code: (
        gettext_lazy("Sales does not know the user, or the user is disabled or without roles."),
        gettext_lazy("Ask an administrator of Sales to enable the user and to give it a role."),
    ),
    AddressRefused.code: (
        gettext_lazy("The address is not one of Dynamics 365 Sales."),
        gettext_lazy(
            "Give the address as Sales shows it, like https://yourname.crm4.dynamics.com."
        ),
    ),
}
_OTHERWISE = (
    gettext_lazy("Sales refused what the setup asked for."),
    gettext_lazy("Ask an administrator of Sales, with the detail given here."),
)
# Sentences of crmsync.dataverse.address that hold no names: translated as they are.
_ADDRESS = frozenset(
    {
        gettext_noop("The address holds characters that no address of Sales has."),
        gettext_noop("The address cannot be read."),
        gettext_noop("The address must begin with https://."),
        gettext_noop("The address may hold no user name and no port."),
        gettext_noop("The address may hold nothing behind the host name."),
    }
)


@dataclass(frozen=True, slots=True)
class Wording:
    sentence: str
    remedy: str
    detail: str = ""


def of(error: DataverseError) -> Wording:
    """The error in the reader's words."""
    sentence, remedy = _BY_CODE.get(error.code, _OTHERWISE)
    if isinstance(error, SignInFailed):
        sentence = _SIGN_IN.get(error.trace.service_code, sentence)
    return Wording(str(sentence), str(remedy), _detail(error))


def of_address(error: AddressRefused, *, typed: str) -> Wording:
    """Why what was typed is no address of an environment."""
    remedy = str(_BY_CODE[AddressRefused.code][1])
    if error.sentence in _ADDRESS:
        return Wording(_(error.sentence), remedy)
    host = urlsplit(typed.strip()).hostname
    if not host:
        return Wording(str(_BY_CODE[AddressRefused.code][0]), remedy)
    sentence = _("%(host)s is not a host of Dynamics 365 Sales.") % {"host": _clipped(host)}
    return Wording(sentence, remedy)


def _detail(error: DataverseError) -> str:
    """Words of Sales, never our own English ones; an answer with a status is one of Sales."""
    if isinstance(error, SignInFailed):
        return f"({error.trace.service_code})" if error.trace.service_code else ""
    said = error.sentence if error.trace.service_code else ""
    return _clipped(f"({said} {error.trace.service_code})") if said else ""


def _clipped(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
