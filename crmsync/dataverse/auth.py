"""Tokens for one identity, from Microsoft Entra through MSAL.

MSAL demands an https authority and, for a host it does not know, no instance discovery (it would
ask login.microsoftonline.com). It hands errors back as dictionaries.
"""

import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msal
import orjson
import requests

from crmsync.dataverse.address import Hosts
from crmsync.dataverse.errors import (
    AddressRefused,
    ConnectionLost,
    ServiceUnavailable,
    SignInFailed,
    Throttled,
    Trace,
    UnreadableAnswer,
)
from crmsync.dataverse.governor import now_utc, read_retry_after
from crmsync.dataverse.session import API_PATH, CONNECT_SECONDS, DEADLINE_SECONDS

_CHALLENGE = re.compile(r"authorization_uri=\"?(https://[^\s\",]+)", re.IGNORECASE)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# AADSTS codes, from Microsoft's documentation of Entra authentication errors.
_SENTENCES = {
    7000215: "The application's secret is not valid.",
    7000222: "The application's secret has expired.",
    700016: "The application is not known in this tenant.",
    50126: "The user name or the password is wrong.",
    50034: "The user is not known in this tenant.",
    50057: "The user's account is disabled.",
    50076: "The user must sign in with a second factor; use an application instead.",
    65001: "Nobody has consented to the application's access to Dynamics 365.",
    90002: "The tenant is not known.",
}


@dataclass(frozen=True, slots=True)
class Authority:
    """The token service of one tenant, for example https://login.microsoftonline.com/<guid>."""

    url: str
    tenant: str


def discover_authority(origin: str, *, session: requests.Session, hosts: Hosts) -> Authority:
    """Ask the environment, without a token, which tenant it belongs to.

    The challenge of its 401 names the authority (Microsoft docs: authenticate with OAuth); only
    Microsoft's sign-in hosts are believed. Raises ConnectionLost, ServiceUnavailable,
    UnreadableAnswer or AddressRefused.
    """
    url = f"{origin}{API_PATH}WhoAmI"
    try:
        response = session.get(
            url, timeout=(CONNECT_SECONDS, DEADLINE_SECONDS), allow_redirects=False
        )
    except (requests.RequestException, OSError) as error:
        raise ConnectionLost(f"{origin} cannot be reached.", Trace("GET", API_PATH)) from error
    if response.status_code >= 500:
        raise ServiceUnavailable(f"{origin} answered with status {response.status_code}.")
    found = _CHALLENGE.search(response.headers.get("WWW-Authenticate", ""))
    tenant = _GUID.search(found.group(1)) if found else None
    if response.status_code != 401 or not found or not tenant:
        raise UnreadableAnswer(f"{origin} does not answer like an environment of Dynamics 365.")
    host = urlsplit(found.group(1)).netloc.lower()
    if not hosts.is_login(host):
        raise AddressRefused(f"{origin} wants us to sign in at {host}, which is not Microsoft's.")
    return Authority(url=f"https://{host}/{tenant.group(0)}", tenant=tenant.group(0))


@dataclass
class ApplicationTokens:
    """An application (service principal) with its secret: client credentials."""

    origin: str
    authority: Authority
    application_id: str
    secret: str = field(repr=False)
    session: requests.Session = field(repr=False)
    _app: Any = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self, *, fresh: bool = False) -> str:
        with self._lock:
            if self._app is None or fresh:
                self._app = _speak(
                    lambda: msal.ConfidentialClientApplication(
                        self.application_id,
                        authority=self.authority.url,
                        client_credential=self.secret,
                        instance_discovery=False,
                        http_client=_Bounded(self.session),
                    )
                )
            scopes = [f"{self.origin}/.default"]
            return _access_token(_speak(lambda: self._app.acquire_token_for_client(scopes)))


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token that was obtained earlier; it ends by itself, and nothing here can renew it."""

    text: str = field(repr=False)
    lifetime_seconds: int

    def token(self, *, fresh: bool = False) -> str:
        """The token. Raises SignInFailed when a newer one is asked for."""
        if fresh:
            raise SignInFailed("The sign-in has expired.")
        return self.text


@dataclass
class PasswordTokens:
    """A user with a password (resource owner password flow)."""

    origin: str
    authority: Authority
    application_id: str
    username: str
    password: str = field(repr=False)
    session: requests.Session = field(repr=False)
    _app: Any = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self, *, fresh: bool = False) -> str:
        return _access_token(self._answer(fresh=fresh))

    def exchange(self) -> BearerToken:
        """A token to go on with once the password is forgotten. Raises as ``token`` does."""
        answer = self._answer(fresh=True)
        return BearerToken(_access_token(answer), int(answer.get("expires_in") or 0))

    def _answer(self, *, fresh: bool) -> dict[str, Any]:
        with self._lock:
            if self._app is None or fresh:
                self._app = _speak(self._new_app)
            scopes = [f"{self.origin}/user_impersonation"]
            account = next(iter(self._app.get_accounts(username=self.username)), None)
            result = None
            if account:
                result = _speak(lambda: self._app.acquire_token_silent(scopes, account=account))
            if not result:
                result = _speak(
                    lambda: self._app.acquire_token_by_username_password(
                        self.username, self.password, scopes=scopes
                    )
                )
            answer: dict[str, Any] = result
            return answer

    def _new_app(self) -> Any:
        return msal.ClientApplication(
            self.application_id,
            authority=self.authority.url,
            instance_discovery=False,
            http_client=_Bounded(self.session),
        )


class _Bounded:
    """What MSAL needs of a session, with our timeouts and without redirects."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session

    def get(self, url: str, **options: Any) -> requests.Response:
        return _readable(self._session.get(url, **_bounded(options)))

    def post(self, url: str, **options: Any) -> requests.Response:
        return _readable(self._session.post(url, **_bounded(options)))

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


def _speak(call: Any) -> Any:
    """Run an MSAL call; it raises requests' errors and ValueError for an odd discovery."""
    try:
        return call()
    except (requests.RequestException, OSError) as error:
        raise ConnectionLost("The sign-in service cannot be reached.") from error
    except ValueError as error:
        raise SignInFailed("The sign-in service does not know this tenant.") from error


def _access_token(result: dict[str, Any]) -> str:
    token = result.get("access_token")
    if isinstance(token, str):
        return token
    codes = [code for code in result.get("error_codes") or [] if isinstance(code, int)]
    code = codes[0] if codes else 0
    sentence = _SENTENCES.get(code, "The sign-in was refused.")
    service_code = f"AADSTS{code}" if code else str(result.get("error", ""))
    if result.get("error") == "temporarily_unavailable":
        raise ConnectionLost("The sign-in service is not available at the moment.")
    raise SignInFailed(sentence, Trace("POST", "token", service_code=service_code))
