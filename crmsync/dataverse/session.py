"""One HTTP channel to one environment: pool, deadlines, limits of size, and the origin guard."""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter

from crmsync.dataverse.address import same_origin
from crmsync.dataverse.deadlines import DeadlineAdapter, body_within
from crmsync.dataverse.errors import (
    ConnectionLost,
    DataverseError,
    NotTrusted,
    ServiceUnavailable,
    Throttled,
    Trace,
    UnreadableAnswer,
    error_class,
)
from crmsync.dataverse.governor import MOST_PARALLEL_REQUESTS, Gate, now_utc, read_retry_after

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 20.0
CONNECT_SECONDS = 5.0
UNTRUSTED = "The certificate of Sales or of its sign-in service is not trusted."
MOST_DECODED_BYTES = 64 * 1024 * 1024
API_PATH = "/api/data/v9.2/"

_STANDING_HEADERS = {
    "Accept": "application/json",
    "OData-MaxVersion": "4.0",
    "OData-Version": "4.0",
    "Accept-Encoding": "gzip",
}


class Tokens(Protocol):
    """Gives the bearer token of one identity."""

    def token(self, *, fresh: bool = False) -> str:
        """A valid token; a new one when ``fresh``. Raises SignInFailed or ConnectionLost."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read to its end. ``headers`` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    correlation_id: str = ""

    def json(self) -> dict[str, Any]:
        """The JSON object of the body. Raises UnreadableAnswer for anything else."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise UnreadableAnswer("The answer of Sales is not JSON.") from error
        if not isinstance(value, dict):
            raise UnreadableAnswer("The answer of Sales is not a JSON object.")
        return value


class LoopbackAdapter(DeadlineAdapter):
    """Carries requests for an https name to a sandbox on this machine's loopback port."""

    def __init__(self, port: int, **options: Any) -> None:
        super().__init__(**options)
        self._netloc = f"127.0.0.1:{port}"

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        parts = urlsplit(str(request.url))
        request.headers["Host"] = parts.netloc
        request.url = urlunsplit(("http", self._netloc, parts.path, parts.query, ""))
        return super().send(request, *args, **kwargs)


def open_session(*, sandbox_port: int = 0) -> requests.Session:
    """A session that reads no proxy or certificate settings and keeps no cookies.

    The affinity cookie would pin us to one web server, and limits are counted per server
    (Microsoft docs: send parallel requests).
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    pool: dict[str, Any] = {
        "pool_connections": 4,
        "pool_maxsize": MOST_PARALLEL_REQUESTS,
        "max_retries": 0,
    }
    session.mount("https://", DeadlineAdapter(**pool))
    session.mount("http://", _NoPlainHttp())
    if sandbox_port:
        for name in ("cronus.crm", "login"):
            session.mount(f"https://{name}.sandbox.test/", LoopbackAdapter(sandbox_port, **pool))
    return session


class _NoPlainHttp(HTTPAdapter):
    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        raise requests.exceptions.InvalidSchema("Only https is spoken.", request=request)


class Channel:
    """Sends requests of one identity to one environment. Threads may share it."""

    def __init__(
        self,
        *,
        origin: str,
        tokens: Tokens,
        gate: Gate,
        session: requests.Session,
        deadline_seconds: float = DEADLINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.origin = origin
        self.gate = gate
        self.dop_hint = 4
        self._tokens = tokens
        self._session = session
        self._deadline_seconds = deadline_seconds
        self._clock = clock

    def url(self, path: str) -> str:
        """The absolute URL of a path under the Web API; absolute links must be our own."""
        if path.startswith(("http:", "https:")):
            return same_origin(path, origin=self.origin)
        return f"{self.origin}{API_PATH}{path}"

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """One request, one answer of status 2xx or 304; any other raises its DataverseError.

        A refused token is renewed once. Raises Throttled without sending while the gate is
        closed, ConnectionLost for a lost, half or late answer.
        """
        url = self.url(path)
        answer = self._exchange(method, url, headers or {}, body, fresh_token=False)
        if answer.status == 401:
            answer = self._exchange(method, url, headers or {}, body, fresh_token=True)
        if answer.status < 300 or answer.status == 304:
            return answer
        raise refusal(
            answer.status,
            answer.headers,
            answer.body,
            trace=Trace(method, urlsplit(url).path, correlation_id=answer.correlation_id),
        )

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        fresh_token: bool,
    ) -> Answer:
        self._check_gate()
        correlation_id = str(uuid.uuid4())
        sent = {
            **_STANDING_HEADERS,
            **headers,
            "Authorization": f"Bearer {self._tokens.token(fresh=fresh_token)}",
            "x-ms-client-request-id": correlation_id,
        }
        trace = Trace(method=method, path=urlsplit(url).path, correlation_id=correlation_id)
        request = self._session.prepare_request(
            requests.Request(method, url, headers=sent, data=body)
        )
        answer = self._exchange_bytes(request, trace)
        logger.debug("%s %s %s in %.3f s", method, trace.path, answer.status, answer.seconds)
        return answer

    def _check_gate(self) -> None:
        if wait := self.gate.remaining():
            raise Throttled("Sales asked us to wait.", retry_after=wait)

    def _exchange_bytes(self, request: requests.PreparedRequest, trace: Trace) -> Answer:
        # At the last moment: another thread may have been asked to wait while this one prepared.
        # The clock is read first, so that nothing that is let through began after the gate closed.
        began = self._clock()
        self._check_gate()
        logger.debug("Request %s begins at %.6f.", trace.correlation_id, began)
        try:
            with self._session.send(
                request,
                timeout=(CONNECT_SECONDS, self._deadline_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                self._learn(response.status_code, response.headers)
                content = self._read_to_end(response, began, trace)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if is_untrusted(error):
                raise NotTrusted(UNTRUSTED, trace) from error
            raise ConnectionLost(
                f"The connection to Sales was lost ({type(error).__name__}).", trace
            ) from error
        seconds = self._clock() - began
        return Answer(
            response.status_code, response.headers, content, seconds, trace.correlation_id
        )

    def _read_to_end(self, response: requests.Response, began: float, trace: Trace) -> bytes:
        """The decoded body, within the deadline and the cap: requests itself has neither."""
        pieces: list[bytes] = []
        size = 0
        with body_within(response, self._deadline_seconds - (self._clock() - began)):
            while piece := response.raw.read1(262_144, decode_content=True):
                pieces.append(piece)
                size += len(piece)
                if size > MOST_DECODED_BYTES:
                    raise UnreadableAnswer("The answer of Sales is larger than we accept.", trace)
        if self._clock() - began > self._deadline_seconds:
            raise ConnectionLost("The answer of Sales took too long.", trace)
        return b"".join(pieces)

    def _learn(self, status: int, headers: Mapping[str, str]) -> None:
        """From the head alone: the others must not wait for the body to hear of a wait."""
        hint = headers.get("x-ms-dop-hint", "")
        if hint.isascii() and hint.isdigit():
            self.dop_hint = min(max(int(hint), 1), MOST_PARALLEL_REQUESTS)
        if status == 429:
            wait = read_retry_after(headers.get("Retry-After"), now=now_utc())
            logger.debug("Sales asks to wait %.6f s at %.6f.", wait, self.gate.close(wait))


def is_untrusted(error: Exception) -> bool:
    """Whether the certificate of the other side is not trusted: no waiting mends that."""
    is_tls = isinstance(error, requests.exceptions.SSLError)
    return is_tls and "CERTIFICATE_VERIFY_FAILED" in str(error)


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, trace: Trace
) -> DataverseError:
    """The named error of an answer of status 300 or above.

    Shape: ``{"error": {"code": "0x...", "message": "..."}}``; gateways may answer anything.
    """
    service_code, message = _code_and_message(body)
    full = Trace(
        method=trace.method,
        path=trace.path,
        status=status,
        service_code=service_code,
        correlation_id=trace.correlation_id,
    )
    found = error_class(status=status, service_code=service_code)
    if found is Throttled:
        wait = read_retry_after(headers.get("Retry-After"), now=now_utc())
        return Throttled("Sales asked us to wait.", full, retry_after=wait)
    if found is ServiceUnavailable or 300 <= status < 400:
        return ServiceUnavailable(f"Sales answered with status {status}.", full)
    return found(message or f"Sales refused the request with status {status}.", full)


def _code_and_message(body: bytes) -> tuple[str, str]:
    try:
        error = orjson.loads(body)["error"]
        return str(error.get("code") or ""), str(error.get("message") or "")[:500]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return "", ""
