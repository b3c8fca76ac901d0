"""What errors of Sales and of the connection are called on a page, in the reader's language.

The client is plain Python and speaks English; its errors are told apart by code, and so are those
of the sign-in service. What Sales itself said is kept as a detail, as Sales said it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from crmsync.connections.errors import ConnectionProblem, Disabled, NotConnected, SecretUnreadable
from crmsync.connections.sign_in_wording import REMEDIES, SENTENCES, SIGN_IN_AGAIN
from crmsync.dataverse.errors import (
    AddressRefused,
    CertificateUnreadable,
    ConnectionLost,
    DataverseError,
    DeltaExpired,
    ImportFailed,
    NotAMember,
    NotTracked,
    NotTrusted,
    PrivilegeMissing,
    ServiceUnavailable,
    SignInEnded,
    SignInFailed,
    SignInNotOurs,
    SolutionUnreadable,
    TableUnknown,
    TeamRefused,
    Throttled,
    UnreadableAnswer,
    WrongOrganization,
)

MOST_CHARACTERS = 500

Text = str | Promise
_Kind = TypeVar("_Kind", DataverseError, ConnectionProblem)


@dataclass(frozen=True, slots=True)
class Wording:
    """``detail`` is what Sales itself said, and its code; blank when it said nothing."""

    sentence: str
    remedy: str
    detail: str = ""

    @property
    def in_short(self) -> str:
        """What happened, in one line."""
        return f"{self.sentence} {self.detail}".strip()


_CHECK_THE_ADDRESS = gettext_lazy("Check the address and the network, then try again.")
_WAIT = gettext_lazy("Wait a few minutes, then try again.")
# Sentences of a disabled connection that do not say why.
_SAYS_NO_MORE = frozenset({"The connection is disabled.", gettext_noop("Nobody said why.")})
_BY_CODE: Mapping[str, tuple[Text, Text]] = {
    ConnectionLost.code: (
        gettext_lazy("Sales or its sign-in service cannot be reached."),
        _CHECK_THE_ADDRESS,
    ),
    UnreadableAnswer.code: (
        gettext_lazy("The address does not answer like Dynamics 365 Sales."),
        _CHECK_THE_ADDRESS,
    ),
    ServiceUnavailable.code: (
        gettext_lazy("Sales or its sign-in service is not available at the moment."),
        _WAIT,
    ),
    Throttled.code: (gettext_lazy("Sales asked us to wait."), _WAIT),
    SignInFailed.code: (
        gettext_lazy("The sign-in was refused."),
        gettext_lazy("Check the user name, the password or secret, and the application id."),
    ),
    # Only administrators sign in with what ends by itself.
    SignInEnded.code: (gettext_lazy("The sign-in has expired."), SIGN_IN_AGAIN),
    NotAMember.code: (
        gettext_lazy("Sales does not know the user, or the user is disabled or without roles."),
        gettext_lazy("Ask an administrator of Sales to enable the user and to give it a role."),
    ),
    NotTrusted.code: (
        gettext_lazy("The certificate of Sales or of its sign-in service is not trusted."),
        gettext_lazy(
            "Check the clock and the trusted certificates of this machine, and whether a proxy "
            "stands between it and Sales."
        ),
    ),
    AddressRefused.code: (
        gettext_lazy("The address is not one of Dynamics 365 Sales."),
        gettext_lazy(
            "Give the address as Sales shows it, like https://yourname.crm4.dynamics.com."
        ),
    ),
    WrongOrganization.code: (
        gettext_lazy(
            "Another organization answers at the address than the one that this installation is "
            "connected with."
        ),
        gettext_lazy(
            "Connect to the organization that this installation was set up with, or set up anew."
        ),
    ),
    CertificateUnreadable.code: (
        gettext_lazy("The certificate cannot be read."),
        gettext_lazy(
            "Give a PEM text that holds the certificate registered with the application and its "
            "RSA private key, without a passphrase."
        ),
    ),
    SignInNotOurs.code: (
        gettext_lazy("What came back from the sign-in page does not belong to this setup."),
        gettext_lazy("Start the sign-in again from the setup page, in the same browser."),
    ),
    SolutionUnreadable.code: (
        gettext_lazy("The solution cannot be read."),
        gettext_lazy("Use the integration solution that came with this installation."),
    ),
    ImportFailed.code: (
        gettext_lazy("Sales could not import the integration solution."),
        gettext_lazy("Read what Sales said about the import, correct it there, and import again."),
    ),
    PrivilegeMissing.code: (
        gettext_lazy("The integration user lacks a privilege on this table in Sales."),
        gettext_lazy(
            "Ask an administrator of Sales to give the role of the integration user the privilege "
            "that is named here."
        ),
    ),
    TeamRefused.code: (
        gettext_lazy("Sales refuses the team that shall own the rows which are created."),
        gettext_lazy(
            "Ask an administrator of Sales to give the team a role that may read the table, or "
            "choose another owner in Dynamics 365 Connection Setup."
        ),
    ),
    TableUnknown.code: (
        gettext_lazy("Sales does not know this table, or one of its columns."),
        gettext_lazy("Check that Sales is installed in this environment, and its version."),
    ),
    NotTracked.code: (
        gettext_lazy("Sales does not track the changes of this table."),
        gettext_lazy("Nothing: the table is read by modification time."),
    ),
    DeltaExpired.code: (
        gettext_lazy("Sales does not remember the changes since the table was last read."),
        gettext_lazy("Nothing: the table is read again in full."),
    ),
    NotConnected.code: (
        gettext_lazy("This installation is not connected to Sales yet."),
        NotConnected.remedy,
    ),
    Disabled.code: (gettext_lazy("The connection is disabled."), Disabled.remedy),
    SecretUnreadable.code: (
        gettext_lazy("The integration user's secret cannot be read."),
        SecretUnreadable.remedy,
    ),
}
_OTHERWISE = (
    gettext_lazy("Sales refused the request."),
    gettext_lazy("Ask an administrator of Sales, with the detail given here."),
)
# What the client says for Sales when it was given no sentence.
_STATUS_ALONE = re.compile(
    r"^Sales (?:refused the request|answered) with status (?P<status>[0-9]{3})\."
)
# Sentences of the client and of the vault that hold no names: translated as they are.
_CONSTANT = frozenset(
    {
        gettext_noop("The address holds characters that no address of Sales has."),
        gettext_noop("The address cannot be read."),
        gettext_noop("The address must begin with https://."),
        gettext_noop("The address may hold no user name and no port."),
        gettext_noop("The address may hold nothing behind the host name."),
        gettext_noop("The service handed back a link to another host; it was not followed."),
        gettext_noop("The certificate of Sales or of its sign-in service is not trusted."),
        gettext_noop("The sign-in service names a host that is not Microsoft's."),
        gettext_noop("The sign-in has expired."),
        gettext_noop("The sign-in service does not know this tenant."),
        gettext_noop("The key that sealed the integration user's secret is not at hand."),
        gettext_noop("The secret was damaged or moved."),
        gettext_noop("The certificate has expired."),
        gettext_noop("The certificate is not valid yet."),
        gettext_noop("The certificate's text is too long."),
        gettext_noop("The private key does not belong to the certificate."),
        gettext_noop("The text holds no private key."),
        gettext_noop("The private key is protected with a passphrase."),
        gettext_noop("The private key cannot be read."),
        gettext_noop("The private key is not an RSA key."),
        gettext_noop("The private key is too short: 2048 bits are needed."),
        gettext_noop("The text holds no certificate."),
        gettext_noop("The certificate cannot be read."),
        gettext_noop("The answer of the sign-in page holds no code."),
        gettext_noop("The answer of the sign-in page is not for this sign-in."),
        gettext_noop("The sign-in was begun for another environment."),
        gettext_noop("The identity that came back is not for this sign-in."),
        gettext_noop("The sign-in was cancelled."),
        gettext_noop("The solution's version is not one to four numbers."),
        gettext_noop("A role of the solution cannot be read."),
        gettext_noop("A table of the solution has no primary column."),
        gettext_noop("A column of the solution is no text column."),
        gettext_noop("A file of the solution is no XML that we would read."),
        gettext_noop("A number of the solution cannot be read."),
        gettext_noop("The solution file is too large."),
        gettext_noop("The solution file is no zip file that we would open."),
        gettext_noop("The solution file holds too many files."),
        gettext_noop("The solution file holds a file twice."),
        gettext_noop("The solution file holds a file that leads elsewhere."),
        gettext_noop("Sales did not take the solution."),
        gettext_noop("The import did not succeed."),
        gettext_noop("Sales does not say which job imports the solution."),
        gettext_noop("The log of the import cannot be read."),
        gettext_noop("Sales does not say what the user may do."),
        gettext_noop("Sales answered something else than was asked."),
        gettext_noop("Sales does not say its version."),
        gettext_noop("The application user that was created is not to be found."),
        gettext_noop("Sales does not say how many rows there are."),
        gettext_noop("Change tracking is still off."),
    }
)


def of_error(error: DataverseError) -> Wording:
    """An error of the client in the reader's words."""
    service_code = error.trace.service_code
    said = f"({as_said(error.sentence)} {service_code})"
    return _told(error.code, service_code, error.sentence, said)


def of_kept(*, code: str, service_code: str, sentence: str, remedy: str) -> Wording:
    """An error that was kept in English, as ``str()`` gave it.

    One of another package keeps its constant sentences marked, and they are translated as such.
    """
    if code not in codes():
        return Wording(_(_clipped(sentence)), _(_clipped(remedy)))
    said = _("Sales said: %(said)s") % {"said": as_said(sentence)}
    return _told(code, service_code, sentence, said)


def of_disabled(*, because: str, code: str, service_code: str) -> Wording:
    """Why the connection is disabled: as a person said it, or what the product met, by its code."""
    if because or not code:
        return Wording(_clipped(because) or _("Nobody said why."), str(Disabled.remedy))
    return _told(code, service_code, "", service_code)


def of_wait(*, code: str, because: str) -> str:
    """Why work waits, from what was kept in English."""
    kept = of_kept(code=code, service_code="", sentence=because, remedy="")
    return kept.sentence


def as_said(sentence: str) -> str:
    """What Sales said; where it gave a status alone, that in the reader's language."""
    return _STATUS_ALONE.sub(
        lambda found: _("Sales answered with status %(status)s.") % found.groupdict(), sentence
    )


def _told(code: str, service_code: str, sentence: str, said: str) -> Wording:
    """``sentence`` is ours; or of Sales, when there is a service code, and then ``said``, too."""
    title, remedy = _BY_CODE.get(code, _OTHERWISE)
    if is_constant(sentence):
        title = _(sentence)
    if code == SignInFailed.code:
        title = SENTENCES.get(service_code, title)
        remedy = REMEDIES.get(service_code, remedy)
        detail = f"({_clipped(service_code)})" if service_code else ""
    elif code == Disabled.code:
        detail = "" if sentence in _SAYS_NO_MORE else _clipped(_(sentence) if sentence else "")
    else:
        detail = _clipped(said) if service_code else ""
    return Wording(str(title), str(remedy), detail)


def codes() -> frozenset[str]:
    """Every code of the client and of the connection."""
    of_sales = frozenset(kind.code for kind in _all(DataverseError))
    return of_sales | {kind.code for kind in _all(ConnectionProblem)}


def is_constant(sentence: str) -> bool:
    """Whether the sentence names nothing, so that it is translated as it is."""
    return sentence in _CONSTANT


def _all(kind: type[_Kind]) -> Iterator[type[_Kind]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _all(child)


def _clipped(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
