"""What we need of the token service: its refusals by name, our limits on MSAL's requests.

MSAL demands an https authority and, for a host it does not know, no instance discovery (it would
ask login.microsoftonline.com). It hands errors back as dictionaries.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
import requests

from crmsync.dataverse.address import LOGIN_HOSTS
from crmsync.dataverse.errors import (
    AddressRefused,
    ConnectionLost,
    NotTrusted,
    ServiceUnavailable,
    SignInFailed,
    Throttled,
    Trace,
    UnreadableAnswer,
)
from crmsync.dataverse.governor import now_utc, read_retry_after
from crmsync.dataverse.session import (
    CONNECT_SECONDS,
    DEADLINE_SECONDS,
    UNTRUSTED,
    is_untrusted,
)

Found = TypeVar("Found")

TENANT_UNKNOWN = 90002
# AADSTS codes, from Microsoft's documentation of Entra authentication errors.
_SENTENCES = {
    7000215: "The application's secret is not valid.",
    7000222: "The application's secret has expired.",
    700024: "The clock of this machine is wrong.",
    700027: "The certificate is not registered with the application.",
    1000502: "The application's certificate has expired.",
    7000218: "The application does not allow public client flows.",
    50011: "The redirect address is not registered with the application.",
    700016: "The application is not known in this tenant.",
    50126: "The user name or the password is wrong.",
    50034: "The user is not known in this tenant.",
    50057: "The user's account is disabled.",
    50053: "The user's account is locked.",
    50055: "The user's password has expired.",
    50105: "The user is not assigned to the application.",
    53003: "A policy of the tenant does not allow this sign-in.",
    54005: "The sign-in was used already.",
    70008: "The sign-in has expired.",
    50076: "The user must sign in with a second factor; use an application instead.",
    65001: "Nobody has consented to the application's access to Dynamics 365.",
    TENANT_UNKNOWN: "The tenant is not known.",
}
_AADSTS = re.compile(r"AADSTS(\d{1,9})")
# How OAuth names a sign-in that its user broke off, or did not consent to (RFC 6749, 4.1.2.1).
CANCELLED = "access_denied"


@dataclass(frozen=True, slots=True)
class Authority:
    """The token service of one tenant, for example https://login.microsoftonline.com/<guid>."""

    url: str
    tenant: str


class Bounded:
    """What MSAL needs of a session: our timeouts, no redirects, and hosts of Microsoft's alone.

    MSAL posts passwords and secrets to whatever address the discovery names.
    """

    def __init__(self, session: requests.Session, authority: Authority) -> None:
        self._session = session
        self._hosts = LOGIN_HOSTS | {urlsplit(authority.url).netloc}

    def get(self, url: str, **options: Any) -> requests.Response:
        return _readable(self._session.get(self._checked(url), **_bounded(options)))

    def post(self, url: str, **options: Any) -> requests.Response:
        return _readable(self._session.post(self._checked(url), **_bounded(options)))

    def _checked(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.netloc.lower() not in self._hosts:
            raise AddressRefused("The sign-in service names a host that is not Microsoft's.")
        return url

    def close(self) -> None:
        """The session belongs to the channel and outlives MSAL's application."""


def _bounded(options: dict[str, Any]) -> dict[str, Any]:
    options["timeout"] = (CONNECT_SECONDS, DEADLINE_SECONDS)
    options["allow_redirects"] = False
    return options


def _readable(response: requests.Response) -> requests.Response:
    """The answer, if it is one: MSAL takes a gateway's error page for an unknown tenant.

    Raises Throttled, ServiceUnavailable or UnreadableAnswer.
    """
    if response.status_code == 429:
        wait = read_retry_after(response.headers.get("Retry-After"), now=now_utc())
        raise Throttled("The sign-in service asked us to wait.", retry_after=wait)
    if response.status_code == 408 or response.status_code >= 500:
        raise ServiceUnavailable(
            f"The sign-in service answered with status {response.status_code}."
        )
    try:
        value = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise UnreadableAnswer("The answer of the sign-in service is not JSON.") from error
    if not isinstance(value, dict):
        raise UnreadableAnswer("The answer of the sign-in service is not a JSON object.")
    return response


def speak(call: Callable[[], Found]) -> Found:
    """Run an MSAL call; it raises requests' errors, ValueError for an odd discovery, and stumbles
    over one that lacks what it needs."""
    try:
        return call()
    except (requests.RequestException, OSError) as error:
        if is_untrusted(error):
            raise NotTrusted(UNTRUSTED) from error
        raise ConnectionLost("The sign-in service cannot be reached.") from error
    except ValueError as error:
        unknown = _trace(f"AADSTS{TENANT_UNKNOWN}")
        raise SignInFailed("The sign-in service does not know this tenant.", unknown) from error
    except (AttributeError, KeyError, TypeError) as error:
        raise UnreadableAnswer("The sign-in service answered something else.") from error


def access_token(result: Mapping[str, Any]) -> str:
    """The token in what MSAL handed back. Raises SignInFailed or ConnectionLost without one."""
    token = result.get("access_token")
    if isinstance(token, str):
        return token
    raise refused(result)


def refused(result: Mapping[str, Any]) -> SignInFailed | ConnectionLost:
    """The named error of a refusal, by its first AADSTS code.

    The token service lists its codes as numbers, the sign-in page only within its description.
    """
    name = str(result.get("error") or "")[:100]
    if name == "temporarily_unavailable":
        return ConnectionLost("The sign-in service is not available at the moment.")
    if name == CANCELLED:
        return SignInFailed("The sign-in was cancelled.", _trace(name))
    code = _code(result)
    sentence = _SENTENCES.get(code, "The sign-in was refused.")
    return SignInFailed(sentence, _trace(f"AADSTS{code}" if code else name))


def _code(result: Mapping[str, Any]) -> int:
    codes = [code for code in result.get("error_codes") or [] if isinstance(code, int)]
    if codes:
        return codes[0]
    found = _AADSTS.search(str(result.get("error_description") or ""))
    return int(found.group(1)) if found else 0


def _trace(service_code: str) -> Trace:
    return Trace("POST", "token", service_code=service_code)
