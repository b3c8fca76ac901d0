"""Who somebody is: users by password, applications by secret, browsers by proof key."""

import base64
import hashlib
import hmac

from crmsync.sandbox.credentials import (
    PUBLIC_CLIENT_ID,
    SIGN_IN_BLOCKED,
    Application,
    Credentials,
    User,
)


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
