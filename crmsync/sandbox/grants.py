"""The grants of the token endpoint: from a form to tokens."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from crmsync.sandbox.certificates import ASSERTION_TYPE
from crmsync.sandbox.credentials import Application, Credentials, User
from crmsync.sandbox.messages import ENVIRONMENT_HOST
from crmsync.sandbox.proofs import (
    SignInError,
    check_assertion,
    check_client,
    check_secret,
    check_verifier,
    password_user,
)
from crmsync.sandbox.tokens import Claims, InvalidTokenError, encoded, sign, verify

ACCESS_LIFETIME: Final = 3600
REFRESH_LIFETIME: Final = 90 * 86_400
CODE_LIFETIME: Final = 600

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a grant works with: identities, the form, the issuer's name and the time (epoch)."""

    credentials: Credentials
    form: Form
    issuer: str
    now: int

    def __getitem__(self, name: str) -> str:
        value = self.form.get(name)
        if not value:
            raise SignInError(
                "invalid_request",
                "AADSTS900144",
                f"The request body must contain the following parameter: '{name}'.",
            )
        return value

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer.removesuffix('/v2.0')}/oauth2/v2.0/token"

    def signed(self, claims: Claims, lifetime: int) -> str:
        times = {"iat": self.now, "nbf": self.now, "exp": self.now + lifetime}
        return sign({**claims, **times}, key=self.credentials.key)


class SpentCodes:
    """Sign-in codes that were redeemed: each works once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent: set[str] = set()

    def spend(self, code: str) -> bool:
        """Return whether this is the first time."""
        with self._lock:
            is_first = code not in self._spent
            self._spent.add(code)
            return is_first


_SPENT: Final = SpentCodes()


def grant(credentials: Credentials, form: Form, *, issuer: str, now: float) -> dict[str, object]:
    """Return the token response for a form of the token endpoint. Raises SignInError."""
    desk = Desk(credentials, form, issuer, int(now))
    grants: dict[str, Callable[[Desk], dict[str, object]]] = {
        "client_credentials": _client_credentials,
        "password": _password,
        "authorization_code": _authorization_code,
        "refresh_token": _refresh_token,
    }
    kind = desk["grant_type"]
    if kind not in grants:
        raise SignInError(
            "unsupported_grant_type",
            "AADSTS70003",
            f"The app requested an unsupported grant type '{kind}'.",
        )
    return grants[kind](desk)


def code_for(credentials: Credentials, user: User, wishes: Form, *, now: float) -> str:
    """Return the code that the sign-in page hands to the application's redirect address."""
    desk = Desk(credentials, {}, "", int(now))
    claims: Claims = {
        "use": "code",
        "oid": user.object_id,
        "jti": str(uuid4()),
        **{name: wishes.get(name, "") for name in _CODE_BOUND_TO},
    }
    return desk.signed(claims, CODE_LIFETIME)


_CODE_BOUND_TO: Final = ("client_id", "redirect_uri", "code_challenge", "nonce")


def _check_client(desk: Desk) -> None:
    """Check the client of a delegated grant; a proof is optional there but must be right."""
    application = check_client(desk.credentials, desk["client_id"])
    if application is not None:
        _proves_client(desk, application)
    elif "client_secret" in desk.form:
        check_secret(None, desk["client_secret"])


def _proves_client(desk: Desk, application: Application) -> bool:
    """Check the secret or assertion of a form; False where there is neither."""
    if desk.form.get("client_assertion"):
        if desk["client_assertion_type"] != ASSERTION_TYPE:
            raise SignInError(
                "invalid_request", "AADSTS900144", "The type of the assertion is not known."
            )
        check_assertion(
            application, desk["client_assertion"], audience=desk.token_endpoint, now=desk.now
        )
        return True
    if desk.form.get("client_secret"):
        check_secret(application, desk["client_secret"])
        return True
    return False


def _client_credentials(desk: Desk) -> dict[str, object]:
    application = check_client(desk.credentials, desk["client_id"])
    if application is None or not _proves_client(desk, application):
        raise SignInError(
            "invalid_client",
            "AADSTS7000216",
            "'client_assertion', 'client_secret' or 'request' is required for the "
            "'client_credentials' grant type.",
            status=401,
        )
    claims: Claims = {"idtyp": "app", "oid": application.object_id, "sub": application.object_id}
    return _response(_access_token(desk, application.client_id, claims))


def _password(desk: Desk) -> dict[str, object]:
    _check_client(desk)
    user = password_user(desk.credentials, desk["username"], desk["password"])
    return _delegated(desk, user, nonce="")


def _authorization_code(desk: Desk) -> dict[str, object]:
    _check_client(desk)
    claims = _opened(desk, desk["code"], use="code")
    for name in ("client_id", "redirect_uri"):
        if claims[name] != desk.form.get(name):
            raise _bad_code()
    check_verifier(str(claims["code_challenge"]), desk.form.get("code_verifier", ""))
    if not _SPENT.spend(str(claims["jti"])):
        raise SignInError(
            "invalid_grant",
            "AADSTS54005",
            "OAuth2 Authorization code was already redeemed, please retry with a new valid code "
            "or use an existing refresh token.",
        )
    return _delegated(desk, _user_of(desk, claims), nonce=str(claims["nonce"]))


def _refresh_token(desk: Desk) -> dict[str, object]:
    _check_client(desk)
    claims = _opened(desk, desk["refresh_token"], use="refresh")
    if claims["client_id"] != desk["client_id"]:
        raise _bad_code()
    return _delegated(desk, _user_of(desk, claims), nonce="")


def _opened(desk: Desk, token: str, *, use: str) -> Claims:
    try:
        claims = verify(token, key=desk.credentials.key, now=desk.now)
    except InvalidTokenError:
        raise _bad_code() from None
    if claims.get("use") != use:
        raise _bad_code()
    return claims


def _bad_code() -> SignInError:
    return SignInError(
        "invalid_grant",
        "AADSTS70008",
        "The provided authorization code or refresh token has expired or is not valid for this "
        "application. Send a new interactive authorization request.",
    )


def _user_of(desk: Desk, claims: Claims) -> User:
    user = next(u for u in desk.credentials.users if u.object_id == claims["oid"])
    return password_user(desk.credentials, user.username, user.password)


def _delegated(desk: Desk, user: User, *, nonce: str) -> dict[str, object]:
    """Return access, refresh and identity tokens for a signed-in user."""
    client_id = desk["client_id"]
    person: Claims = {
        "oid": user.object_id,
        "sub": user.object_id,
        "name": user.alias,
        "preferred_username": user.username,
    }
    access = _access_token(desk, client_id, {"idtyp": "user", "upn": user.username, **person})
    refresh: Claims = {"use": "refresh", "client_id": client_id, "oid": user.object_id}
    identity: Claims = {
        **person,
        "iss": desk.issuer,
        "aud": client_id,
        "tid": desk.credentials.tenant,
        "ver": "2.0",
    }
    if nonce:
        identity["nonce"] = nonce
    return {
        **_response(access),
        "scope": desk.form.get("scope", ""),
        "refresh_token": desk.signed(refresh, REFRESH_LIFETIME),
        "id_token": desk.signed(identity, ACCESS_LIFETIME),
        "client_info": client_info(desk.credentials, user),
    }


def client_info(credentials: Credentials, user: User) -> str:
    """Say who signed in, as MSAL reads it to tell accounts apart."""
    return encoded(orjson.dumps({"uid": user.object_id, "utid": credentials.tenant}))


def _response(access_token: str) -> dict[str, object]:
    return {
        "token_type": "Bearer",
        "expires_in": ACCESS_LIFETIME - 1,
        "ext_expires_in": ACCESS_LIFETIME - 1,
        "access_token": access_token,
    }


def _access_token(desk: Desk, client_id: str, claims: Claims) -> str:
    return desk.signed(
        {
            "aud": _audience(desk),
            "iss": desk.issuer,
            "tid": desk.credentials.tenant,
            "appid": client_id,
            "ver": "1.0",
            **claims,
        },
        ACCESS_LIFETIME,
    )


def _audience(desk: Desk) -> str:
    """Return the resource that the scopes name: this environment, by one of its addresses."""
    for scope in desk.form.get("scope", "").split():
        parts = urlsplit(scope)
        if parts.hostname == ENVIRONMENT_HOST or _is_loopback(parts.scheme, parts.hostname):
            return f"{parts.scheme}://{parts.netloc}"
    raise SignInError(
        "invalid_resource",
        "AADSTS500011",
        f"The resource principal named {desk.form.get('scope', '')} was not found in the tenant "
        "named CRONUS International.",
    )


def _is_loopback(scheme: str, host: str | None) -> bool:
    return scheme == "http" and host in {"127.0.0.1", "localhost"}
