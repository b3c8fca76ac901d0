"""The way into the Web API: the token check, refusals as JSON, and the headers of every answer."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from crmsync.sandbox import batch, jobs, web_api
from crmsync.sandbox.callers import Caller, caller_from
from crmsync.sandbox.calls import Call
from crmsync.sandbox.environment import Environment
from crmsync.sandbox.errors import DataverseError, not_implemented
from crmsync.sandbox.messages import (
    ENVIRONMENT_HOST,
    LOGIN_HOST,
    Request,
    Response,
    json_response,
)
from crmsync.sandbox.payloads import API_PATH
from crmsync.sandbox.tokens import Claims, InvalidTokenError, verify

logger = logging.getLogger(__name__)

_IMPERSONATION: Final = frozenset({"mscrmcallerid", "callerobjectid"})
_APPLIED: Final = (
    "return",
    "odata.include-annotations",
    "odata.maxpagesize",
    "odata.track-changes",
    "odata.continue-on-error",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, how many rows its request wrote, and who asked."""

    response: Response
    rows_written: int = 0
    caller_id: str | None = None


def answer(environment: Environment, request: Request) -> Outcome:
    """Answer one request to the Web API, whatever becomes of it."""
    jobs.settle(environment.store)
    try:
        claims = _claims(environment, request)
    except InvalidTokenError:
        return Outcome(_finished(environment, request, _challenge(environment, request)))
    try:
        caller = _caller(environment, claims)
    except DataverseError as error:
        return Outcome(_finished(environment, request, rendered(error)))
    call = Call(environment, caller)
    response = _carried_out(call, request)
    return Outcome(_finished(environment, request, response), call.rows_written, caller.id)


def rendered(error: DataverseError) -> Response:
    """Return a refusal in the service's shape (docs: compose-http-requests-handle-errors)."""
    body = {"error": {"code": error.code, "message": error.message}}
    return json_response(
        error.status, body, {"Content-Type": "application/json; odata.metadata=minimal"}
    )


def login_origin(request: Request) -> str:
    """Return the origin of the sign-in service that fits the host the client uses."""
    return f"https://{LOGIN_HOST}" if request.host == ENVIRONMENT_HOST else request.origin


def audiences(request: Request) -> frozenset[str]:
    """Return the audiences that a token for this environment may carry."""
    return frozenset({f"https://{ENVIRONMENT_HOST}", request.origin})


def _claims(environment: Environment, request: Request) -> Claims:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidTokenError("missing")
    claims = verify(token.strip(), key=environment.credentials.key, now=environment.store.now())
    # Refresh tokens and codes carry no audience, identity tokens another one.
    if str(claims.get("aud")) not in audiences(request):
        raise InvalidTokenError("audience")
    return claims


def _caller(environment: Environment, claims: Claims) -> Caller:
    with environment.store.read() as snapshot:
        return caller_from(snapshot, claims)


def _carried_out(call: Call, request: Request) -> Response:
    if request.path == f"{API_PATH}$batch":
        return _refusing(call, request, _batch)
    return _refusing(call, request, _one)


def _one(call: Call, request: Request) -> Response:
    for header in _IMPERSONATION & request.headers.keys():
        raise not_implemented(f"Acting for another user through '{header}'")
    if not request.path.startswith(API_PATH):
        raise not_implemented(f"The address '{request.path}'")
    return web_api.answer(call, request)


def _batch(call: Call, request: Request) -> Response:
    if request.method != "POST":
        raise not_implemented(f"{request.method} of $batch")
    return batch.answer(call, request, lambda c, inner: _refusing(c, inner, _one))


def _refusing(
    call: Call, request: Request, carry_out: Callable[[Call, Request], Response]
) -> Response:
    try:
        return carry_out(call, request)
    except DataverseError as error:
        return rendered(error)
    except Exception:
        logger.exception("A defect of the sandbox, on %s %s", request.method, request.target)
        return rendered(DataverseError(500, "0x80040216", "An unexpected error occurred."))


def _challenge(environment: Environment, request: Request) -> Response:
    tenant = environment.credentials.tenant
    authorization = f"{login_origin(request)}/{tenant}/oauth2/authorize"
    value = f"Bearer authorization_uri={authorization}, resource_id={request.origin}/"
    return Response(401, {"WWW-Authenticate": value})


def _finished(environment: Environment, request: Request, response: Response) -> Response:
    """Add the headers that every answer of the service carries."""
    identifier = str(uuid4())
    headers = {
        **response.headers,
        "OData-Version": "4.0",
        "x-ms-service-request-id": identifier,
        "REQ_ID": identifier,
        "x-ms-dop-hint": str(environment.dop_hint),
        "x-ms-ratelimit-burst-remaining-xrm-requests": "6000",
        "x-ms-ratelimit-time-remaining-xrm-requests": "1200.00",
        "Cache-Control": "no-cache",
    }
    applied = _preferences_applied(request)
    if applied and response.status < 400:
        headers["Preference-Applied"] = applied
    return Response(response.status, headers, response.body)


def _preferences_applied(request: Request) -> str:
    wishes = request.preferences
    return ", ".join(_preference(name, wishes[name]) for name in _APPLIED if name in wishes)


def _preference(name: str, value: str) -> str:
    if not value:
        return name
    return f'{name}="{value}"' if name == "odata.include-annotations" else f"{name}={value}"
