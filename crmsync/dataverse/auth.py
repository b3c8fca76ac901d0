"""Tokens for one identity, from Microsoft Entra through MSAL."""

import re
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msal
import requests

from crmsync.dataverse import certificates
from crmsync.dataverse.address import Hosts
from crmsync.dataverse.errors import (
    AddressRefused,
    ConnectionLost,
    NotTrusted,
    ServiceUnavailable,
    SignInEnded,
    Trace,
    UnreadableAnswer,
)
from crmsync.dataverse.session import (
    API_PATH,
    CONNECT_SECONDS,
    DEADLINE_SECONDS,
    UNTRUSTED,
    is_untrusted,
)
from crmsync.dataverse.token_service import Authority, Bounded, access_token, speak

__all__ = [
    "ApplicationTokens",
    "Authority",
    "BearerToken",
    "CertificateTokens",
    "PasswordTokens",
    "discover_authority",
]

_CHALLENGE = re.compile(r"authorization_uri=\"?(https://[^\s\",]+)", re.IGNORECASE)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


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
        if is_untrusted(error):
            raise NotTrusted(UNTRUSTED, Trace("GET", API_PATH)) from error
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
                self._app = _confidential_app(self, self.secret)
            return _of_application(self._app, self.origin)


@dataclass
class CertificateTokens:
    """An application (service principal) with a certificate: it signs what it asks for.

    ``pem`` holds the certificate and its private key; see certificates.read_certificate.
    """

    origin: str
    authority: Authority
    application_id: str
    pem: str = field(repr=False)
    session: requests.Session = field(repr=False)
    _app: Any = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self, *, fresh: bool = False) -> str:
        """As Tokens says; raises CertificateUnreadable, too."""
        with self._lock:
            if self._app is None or fresh:
                self._app = _confidential_app(self, certificates.credential(self.pem))
            return _of_application(self._app, self.origin)


def _confidential_app(
    tokens: ApplicationTokens | CertificateTokens, credential: str | dict[str, str]
) -> Any:
    return speak(
        lambda: msal.ConfidentialClientApplication(
            tokens.application_id,
            authority=tokens.authority.url,
            client_credential=credential,
            instance_discovery=False,
            http_client=Bounded(tokens.session, tokens.authority),
        )
    )


def _of_application(app: Any, origin: str) -> str:
    return access_token(speak(lambda: app.acquire_token_for_client([f"{origin}/.default"])))


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token that was obtained earlier; it ends by itself, and nothing here can renew it."""

    text: str = field(repr=False)
    lifetime_seconds: int

    def token(self, *, fresh: bool = False) -> str:
        """The token. Raises SignInEnded when a newer one is asked for."""
        if fresh:
            raise SignInEnded("The sign-in has expired.")
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
        return access_token(self._answer(fresh=fresh))

    def exchange(self) -> BearerToken:
        """A token to go on with once the password is forgotten. Raises as ``token`` does."""
        answer = self._answer(fresh=True)
        return BearerToken(access_token(answer), int(answer.get("expires_in") or 0))

    def _answer(self, *, fresh: bool) -> dict[str, Any]:
        with self._lock:
            if self._app is None or fresh:
                self._app = speak(self._new_app)
            scopes = [f"{self.origin}/user_impersonation"]
            account = next(iter(self._app.get_accounts(username=self.username)), None)
            result = None
            if account:
                result = speak(lambda: self._app.acquire_token_silent(scopes, account=account))
            if not result:
                result = speak(
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
            http_client=Bounded(self.session, self.authority),
        )
