"""Who somebody is: users by password, applications by secret or certificate, browsers by key."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Final

from crmsync.sandbox.certificates import (
    BadAssertionError,
    check_signature,
    is_in_force,
    names_certificate,
    read_assertion,
)
from crmsync.sandbox.credentials import (
    EXPIRED,
    PUBLIC_CLIENT_ID,
    SIGN_IN_BLOCKED,
    Application,
    Credentials,
    User,
)

CLOCK_SKEW: Final = 300  # seconds


class SignInError(Exception):
    """A refusal of the sign-in service: OAuth error, AADSTS code and sentence."""

    def __init__(self, error: str, code: str, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.error = error
        self.code = code
        self.sentence = sentence
        self.status = status


def password_user(credentials: Credentials, username: str, password: str) -> User:
    """Return the user who signs in with a password. Raises SignInError."""
    user = credentials.user_named(username)
    if user is None:
        raise SignInError(
            "invalid_grant",
            "AADSTS50034",
            f"The user account {username} does not exist in the directory. To sign into this "
            "application, the account must be added to the directory.",
        )
    if not hmac.compare_digest(user.password.encode(), password.encode()):
        raise SignInError(
            "invalid_grant",
            "AADSTS50126",
            "Error validating credentials due to invalid username or password.",
        )
    if user.alias == SIGN_IN_BLOCKED:
        raise SignInError("invalid_grant", "AADSTS50057", "The user account is disabled.")
    return user


def check_client(credentials: Credentials, client_id: str) -> Application | None:
    """Return the registered application, or None for the public client. Raises SignInError."""
    application = credentials.application(client_id)
    if application is None and client_id != PUBLIC_CLIENT_ID:
        raise SignInError(
            "unauthorized_client",
            "AADSTS700016",
            f"Application with identifier '{client_id}' was not found in the directory 'CRONUS "
            "International'. This can happen if the application has not been installed by the "
            "administrator of the tenant or consented to by any user in the tenant.",
        )
    return application


def check_secret(application: Application | None, secret: str) -> None:
    expected = application.client_secret if application else ""
    if not hmac.compare_digest(expected.encode(), secret.encode()):
        client_id = application.client_id if application else PUBLIC_CLIENT_ID
        raise SignInError(
            "invalid_client",
            "AADSTS7000215",
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            "client secret value, not the client secret ID, for a secret added to app "
            f"'{client_id}'.",
            status=401,
        )
    if application is not None and application.label == EXPIRED:
        raise SignInError(
            "invalid_client",
            "AADSTS7000222",
            f"The provided client secret keys for app '{application.client_id}' are expired. Add "
            "a new secret for the app and use it.",
            status=401,
        )


def check_assertion(application: Application, text: str, *, audience: str, now: float) -> None:
    """Check a client assertion against the application's certificate. Raises SignInError.

    MSAL signs it with the certificate's key and names the certificate by its thumbprint. The
    certificate ages by the environment's clock, `now`.
    """
    try:
        assertion = read_assertion(text)
        if not application.pem or not names_certificate(assertion, application.pem):
            raise _unproven(
                "AADSTS700027",
                "The certificate used to sign the client assertion is "
                "not registered on the application. The key was not found.",
            )
        check_signature(assertion, application.pem)
    except BadAssertionError as error:
        raise _unproven("AADSTS700027", f"The client assertion is not valid. {error}") from None
    if not is_in_force(application.pem, now):
        raise _unproven(
            "AADSTS1000502",
            "The provided certificate is not within its specified validity window.",
        )
    _check_assertion_claims(application, assertion.claims, audience=audience)


def _check_assertion_claims(
    application: Application, claims: Mapping[str, object], *, audience: str
) -> None:
    now = time.time()  # Clients sign by their own clock, which moving the environment's leaves be.
    begins, ends = claims.get("nbf", 0), claims.get("exp")
    if not (
        isinstance(begins, int | float)
        and isinstance(ends, int | float)
        and begins - CLOCK_SKEW <= now < ends + CLOCK_SKEW
    ):
        raise _unproven("AADSTS700024", "The client assertion is not within its valid time range.")
    if claims.get("aud") != audience:
        raise _unproven(
            "AADSTS700023", "The client assertion's audience is not the token endpoint."
        )
    if {claims.get("iss"), claims.get("sub")} != {application.client_id}:
        raise _unproven(
            "AADSTS700021", "The client assertion names another application than the request."
        )


def _unproven(code: str, sentence: str) -> SignInError:
    return SignInError("invalid_client", code, sentence, status=401)


def check_verifier(challenge: str, verifier: str) -> None:
    """Check the proof key (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    actual = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if challenge and not hmac.compare_digest(challenge, actual):
        raise SignInError(
            "invalid_grant",
            "AADSTS501481",
            "The Code_Verifier does not match the code_challenge supplied in the authorization "
            "request.",
        )
