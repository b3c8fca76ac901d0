"""The sign-in service: discovery, the token endpoint and its grants, as Microsoft Entra ID.

Error codes and sentences follow the public list of AADSTS codes; shapes follow what MSAL reads.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from crmsync.sandbox import signin
from crmsync.sandbox.credentials import DOMAIN
from crmsync.sandbox.environment import Environment
from crmsync.sandbox.grants import grant
from crmsync.sandbox.messages import LOGIN_HOST, Request, Response, json_response
from crmsync.sandbox.proofs import SignInError

_SHARED_TENANTS: Final = frozenset({"organizations", "common", DOMAIN})


def answer(environment: Environment, request: Request) -> Response | None:
    """Answer a request to the sign-in service; None where the path is not one of its own."""
    tenant, _, rest = request.path.lstrip("/").partition("/")
    if tenant == "common" and rest.startswith("userrealm/"):
        return _user_realm(rest.removeprefix("userrealm/"))
    routes = {
        "v2.0/.well-known/openid-configuration": _discovery,
        ".well-known/openid-configuration": _discovery,
        "discovery/v2.0/keys": _keys,
        "oauth2/v2.0/token": _token,
        "oauth2/v2.0/authorize": signin.answer,
    }
    if rest not in routes:
        return None
    if tenant.lower() not in {environment.credentials.tenant, *_SHARED_TENANTS}:
        return refusal(_unknown_tenant(tenant))
    return routes[rest](environment, request)


def refusal(error: SignInError) -> Response:
    """Return a refusal as MSAL reads it: error, description and numeric codes."""
    trace, correlation = str(uuid4()), str(uuid4())
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    description = (
        f"{error.code}: {error.sentence} Trace ID: {trace} Correlation ID: {correlation} "
        f"Timestamp: {moment}"
    )
    number = int(error.code.removeprefix("AADSTS"))
    body = {
        "error": error.error,
        "error_description": description,
        "error_codes": [number],
        "timestamp": moment,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://{LOGIN_HOST}/error?code={number}",
    }
    return json_response(error.status, body, {"Cache-Control": "no-store, no-cache"})


def _unknown_tenant(tenant: str) -> SignInError:
    return SignInError(
        "invalid_tenant",
        "AADSTS90002",
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are "
        "signing into the correct cloud. Check with your subscription administrator, this may "
        "happen if there are no active subscriptions for the tenant.",
    )


def _discovery(environment: Environment, request: Request) -> Response:
    """Describe the endpoints.

    They are on the host that was asked, except the page for browsers: those cannot reach an
    invented host name, so it is named by its loopback address.
    """
    tenant = environment.credentials.tenant
    base = f"{request.origin}/{tenant}"
    pages = f"http://127.0.0.1:{environment.port}" if request.host == LOGIN_HOST else request.origin
    return json_response(
        200,
        {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{pages}/{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["HS256"],
            "scopes_supported": ["openid", "profile", "offline_access"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        },
    )


def _keys(environment: Environment, request: Request) -> Response:
    """There are no public keys: tokens are signed with a key that only this server has."""
    del environment, request
    return json_response(200, {"keys": []})


def _user_realm(username: str) -> Response:
    """Say that a user signs in with a password here, not at a federated service."""
    return json_response(
        200,
        {
            "ver": "1.0",
            "account_type": "Managed",
            "domain_name": username.rpartition("@")[2],
            "cloud_instance_name": "microsoftonline.com",
            "cloud_audience_urn": "urn:federation:MicrosoftOnline",
        },
    )


def _token(environment: Environment, request: Request) -> Response:
    if request.method != "POST":
        return Response(405)
    issuer, now = _issuer(environment, request), environment.store.now()
    try:
        body = grant(environment.credentials, request.form, issuer=issuer, now=now)
    except SignInError as error:
        return refusal(error)
    return json_response(200, body, {"Cache-Control": "no-store, no-cache"})


def _issuer(environment: Environment, request: Request) -> str:
    return f"{request.origin}/{environment.credentials.tenant}/v2.0"
