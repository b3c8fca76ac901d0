"""$batch: many requests in one, each with its own answer.

Source: Microsoft docs "execute batch operations". At most 1,000 operations; CRLF throughout, the
last line included; with ``odata.continue-on-error`` the others go on when one is refused.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crmsync.dataverse.errors import UnreadableAnswer

MOST_OPERATIONS = 1000

_BOUNDARY = re.compile(r"boundary=\"?([^\";\s]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


def encode(operations: Sequence[Operation]) -> tuple[str, bytes]:
    """The content type and the body of a batch without change sets."""
    boundary = f"batch_{uuid.uuid4()}"
    pieces = [_encode_part(boundary, operation) for operation in operations]
    pieces.append(f"--{boundary}--\r\n".encode())
    return f"multipart/mixed; boundary={boundary}", b"".join(pieces)


def _encode_part(boundary: str, operation: Operation) -> bytes:
    lines = [
        f"--{boundary}",
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"{operation.method} {operation.url} HTTP/1.1",
        *(f"{name}: {value}" for name, value in operation.headers.items()),
    ]
    if operation.body:
        lines.append("Content-Type: application/json; type=entry")
    head = "\r\n".join([*lines, "", ""]).encode()
    return head + operation.body + b"\r\n"


def decode(content_type: str, body: bytes, *, expected: int) -> list[PartAnswer]:
    """The answers in order. Raises UnreadableAnswer when not every operation has one."""
    found = _BOUNDARY.search(content_type)
    if not found:
        raise UnreadableAnswer("The answer to a batch is not multipart.")
    delimiter = b"--" + found.group(1).encode()
    if not body.rstrip().endswith(delimiter + b"--"):
        raise UnreadableAnswer("The answer to a batch was cut.")
    parts = [_decode_part(piece) for piece in body.split(delimiter)[1:-1]]
    if len(parts) != expected:
        raise UnreadableAnswer(f"{len(parts)} answers came for {expected} operations.")
    return parts


def _decode_part(piece: bytes) -> PartAnswer:
    _, _, http = piece.partition(b"\r\n\r\n")
    head, _, body = http.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    words = status_line.split(" ", 2)
    if len(words) < 2 or not re.fullmatch(r"[1-5][0-9]{2}", words[1]):
        raise UnreadableAnswer("A part of the answer to a batch has no status.")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    return PartAnswer(status=int(words[1]), headers=headers, body=body.removesuffix(b"\r\n"))
