"""Sign in with Microsoft: a person goes to Microsoft's page and comes back with a code.

Authorization code with PKCE (RFC 7636) of a public client: no secret of ours is involved. MSAL
makes state, nonce and verifier, and compares them (its initiate_auth_code_flow).
"""

import hmac
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msal
import requests

from crmsync.dataverse.auth import BearerToken
from crmsync.dataverse.errors import SignInNotOurs
from crmsync.dataverse.token_service import Authority, Bounded, access_token, refused, speak


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """``url`` is where the browser goes. ``flow`` completes the sign-in: JSON-able, to be kept
    sealed, for this browser alone, and used once."""

    url: str = field(repr=False)
    flow: dict[str, Any] = field(repr=False)


def begin_sign_in(
    *,
    origin: str,
    authority: Authority,
    application_id: str,
    redirect_uri: str,
    session: requests.Session,
    login_hint: str = "",
) -> BegunSignIn:
    """Prepare a sign-in to the environment. Raises SignInFailed for an unknown tenant, and the
    TransientErrors of the sign-in service."""
    app = _public_app(authority, application_id, session)
    with warnings.catch_warnings():
        # MSAL advises form_post; a form posted from Microsoft's site would come without the
        # session cookie (SameSite=Lax) that holds the flow. The code is bound to the flow by PKCE.
        warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended")
        flow: dict[str, Any] = speak(
            lambda: app.initiate_auth_code_flow(
                [_scope(origin)],
                redirect_uri=redirect_uri,
                login_hint=login_hint or None,
                # Browsers of administrators are signed in already, often as somebody else.
                prompt=None if login_hint else "select_account",
            )
        )
    return BegunSignIn(url=str(flow["auth_uri"]), flow=flow)


def complete_sign_in(
    *,
    flow: Mapping[str, Any],
    answer: Mapping[str, str],
    origin: str,
    authority: Authority,
    application_id: str,
    session: requests.Session,
) -> BearerToken:
    """Redeem what the browser brought back: the query of the redirect address, as a mapping.

    Raises SignInNotOurs for an answer to another sign-in, SignInFailed for a refusal (its
    service code is ``access_denied`` where the person cancelled), and TransientErrors. Nothing
    can renew the token.
    """
    _check_ours(flow, answer, origin=origin)
    if answer.get("error"):
        raise refused(answer)
    if not answer.get("code"):
        raise SignInNotOurs("The answer of the sign-in page holds no code.")
    app = _public_app(authority, application_id, session)
    result = _redeemed(app, flow, {"code": answer["code"], "state": answer["state"]})
    return BearerToken(access_token(result), int(result.get("expires_in") or 0))


def _check_ours(flow: Mapping[str, Any], answer: Mapping[str, str], *, origin: str) -> None:
    expected, given = str(flow.get("state") or ""), str(answer.get("state") or "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise SignInNotOurs("The answer of the sign-in page is not for this sign-in.")
    # Begun in another tab for another environment: its token is not for this one.
    if _scope(origin) not in (flow.get("scope") or ()):
        raise SignInNotOurs("The sign-in was begun for another environment.")


def _scope(origin: str) -> str:
    return f"{origin}/user_impersonation"


def _redeemed(app: Any, flow: Mapping[str, Any], answer: dict[str, str]) -> dict[str, Any]:
    try:
        result: dict[str, Any] = speak(
            lambda: app.acquire_token_by_auth_code_flow(dict(flow), answer)
        )
    except RuntimeError as error:  # MSAL's, of an identity token: audience, time or nonce
        raise SignInNotOurs("The identity that came back is not for this sign-in.") from error
    return result


def _public_app(authority: Authority, application_id: str, session: requests.Session) -> Any:
    return speak(
        lambda: msal.PublicClientApplication(
            application_id,
            authority=authority.url,
            instance_discovery=False,
            http_client=Bounded(session, authority),
            # A setup ends within the hour: what could renew the access is never even asked for.
            exclude_scopes=["offline_access"],
        )
    )
