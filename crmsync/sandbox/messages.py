"""HTTP messages as values: what arrived, and what is to be answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

ENVIRONMENT_HOST: Final = "cronus.crm.sandbox.test"
LOGIN_HOST: Final = "login.sandbox.test"

REASONS: Final = {
    200: "OK",
    201: "Created",
    204: "No Content",
    302: "Found",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    412: "Precondition Failed",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are lower case; `target` is the path with its query, undecoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def host(self) -> str:
        return self.headers.get("host", "127.0.0.1")

    @property
    def origin(self) -> str:
        """The origin that links must carry: https under the environment's names, else http."""
        secure = self.host in {ENVIRONMENT_HOST, LOGIN_HOST}
        return f"{'https' if secure else 'http'}://{self.host}"

    @property
    def form(self) -> dict[str, str]:
        """The fields of a posted form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def preferences(self) -> dict[str, str]:
        """The wishes of the Prefer header, by name; a wish without a value maps to ''."""
        wishes: dict[str, str] = {}
        for item in _split_outside_quotes(self.headers.get("prefer", "")):
            name, _, value = item.strip().partition("=")
            wishes[name.strip().lower()] = value.strip().strip('"')
        wishes.pop("", None)
        return wishes


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def head(self) -> bytes:
        """Return the status line and headers, with Content-Length unless the status forbids it."""
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.status not in {204, 304}:
            lines.append(f"Content-Length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def json_response(status: int, body: object, headers: Mapping[str, str] | None = None) -> Response:
    base = {"Content-Type": "application/json; charset=utf-8"}
    return Response(status, {**base, **(headers or {})}, orjson.dumps(body))


def path_of(url: str) -> str:
    """Return the path and query of an absolute or relative URL."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _split_outside_quotes(text: str) -> list[str]:
    pieces, quoted = [""], False
    for character in text:
        quoted ^= character == '"'
        if character == "," and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces
