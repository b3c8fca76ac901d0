"""`$batch`: many requests in one multipart message, with change sets that are all or none.

Microsoft docs: execute-batch-operations-using-web-api.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from crmsync.sandbox.calls import Call
from crmsync.sandbox.errors import INVALID_PAYLOAD, bad_request
from crmsync.sandbox.messages import REASONS, Request, Response, path_of
from crmsync.sandbox.payloads import API_PATH

OPERATION_LIMIT: Final = 1000

Answer = Callable[[Call, Request], Response]


@dataclass(frozen=True, slots=True)
class Part:
    """One operation, or a change set of several; `content_id` is echoed with its answer."""

    request: Request | None = None
    content_id: str | None = None
    change_set: tuple["Part", ...] = ()


def answer(call: Call, request: Request, answer_one: Answer) -> Response:
    """Carry out a batch in order.

    Stops at the first failure, and answers with its status, unless continue-on-error is asked
    for; then the answer is 200 whatever happened inside. `answer_one` must return refusals as
    responses.
    """
    parts = _parts(request)
    goes_on = "odata.continue-on-error" in request.preferences
    boundary, status = f"batchresponse_{uuid4()}", 200
    answers: list[bytes] = []
    for part in parts:
        status_of_part, text = _answer_part(call, part, answer_one)
        answers.append(text)
        if status_of_part >= 400 and not goes_on:
            status = status_of_part
            break
    headers = {"Content-Type": f"multipart/mixed; boundary={boundary}"}
    return Response(status, headers, _joined(answers, boundary))


def _answer_part(call: Call, part: Part, answer_one: Answer) -> tuple[int, bytes]:
    if part.request is not None:
        response = answer_one(call, _resolved(call, part.request))
        return response.status, _http_part(response, part.content_id)
    return _answer_change_set(call, part.change_set, answer_one)


class _ChangeSetFailedError(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def _answer_change_set(
    call: Call, operations: tuple[Part, ...], answer_one: Answer
) -> tuple[int, bytes]:
    """Carry out a change set; a failed one is undone and yields the single error."""
    boundary = f"changesetresponse_{uuid4()}"
    try:
        with call.change_set():
            answers = [_answer_operation(call, part, answer_one) for part in operations]
    except _ChangeSetFailedError as failure:
        return failure.response.status, _http_part(failure.response, None)
    head = f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode()
    return 200, head + _joined(answers, boundary)


def _answer_operation(call: Call, part: Part, answer_one: Answer) -> bytes:
    if part.request is None:
        raise bad_request(INVALID_PAYLOAD, "A change set cannot hold another change set.")
    response = answer_one(call, _resolved(call, part.request))
    if response.status >= 400:
        raise _ChangeSetFailedError(response)
    if part.content_id:
        call.references[part.content_id] = response.headers.get("OData-EntityId", "")
    return _http_part(response, part.content_id)


def _resolved(call: Call, request: Request) -> Request:
    """Replace a leading `$n` of the address by the row it stands for."""
    start = API_PATH + "$"
    if not request.target.startswith(start) or request.target == f"{API_PATH}$batch":
        return request
    if not request.target.removeprefix(start)[:1].isdigit():
        return request
    target = path_of(call.resolve(request.target.removeprefix(API_PATH)))
    return Request(request.method, target, request.headers, request.body)


def _parts(request: Request) -> list[Part]:
    if not _has_strict_line_ends(request.body):
        raise bad_request(INVALID_PAYLOAD, "Stream was not readable.")
    boundary = _boundary(request.headers.get("content-type", ""))
    parts = [_part(headers, body, request) for headers, body in _pieces(request.body, boundary)]
    if sum(max(1, len(part.change_set)) for part in parts) > OPERATION_LIMIT:
        raise bad_request(
            INVALID_PAYLOAD,
            f"The batch holds more operations than the limit of {OPERATION_LIMIT}.",
        )
    return parts


def _has_strict_line_ends(body: bytes) -> bool:
    """Every line, the last included, must end in CRLF (support article on $batch errors)."""
    return body.endswith(b"\r\n") and body.count(b"\n") == body.count(b"\r\n")


def _part(headers: dict[str, str], body: bytes, outer: Request) -> Part:
    content_type = headers.get("content-type", "")
    if not content_type.startswith("multipart/mixed"):
        return Part(request=_inner(body, outer), content_id=headers.get("content-id"))
    operations = tuple(
        _part(inner_headers, inner_body, outer)
        for inner_headers, inner_body in _pieces(body, _boundary(content_type))
    )
    if any(part.request and part.request.method == "GET" for part in operations):
        raise bad_request(INVALID_PAYLOAD, "A change set cannot hold a GET request.")
    return Part(change_set=operations)


def _inner(text: bytes, outer: Request) -> Request:
    head, _, body = text.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise bad_request(INVALID_PAYLOAD, f"The request line '{first}' of a part is invalid.")
    method, url, _ = words
    target = path_of(url)
    if not target.startswith("/"):
        target = API_PATH + target
    headers = {**dict(map(_header, filter(None, lines))), "host": outer.host}
    return Request(method.upper(), target, headers, body.removesuffix(b"\r\n"))


def _pieces(body: bytes, boundary: str) -> Iterator[tuple[dict[str, str], bytes]]:
    """Yield the headers and content of each part of a multipart body."""
    delimiter = b"\r\n--" + boundary.encode()
    _, *pieces = (b"\r\n" + body).split(delimiter)
    if not pieces or not pieces.pop().startswith(b"--"):
        raise bad_request(INVALID_PAYLOAD, "The multipart message has no closing boundary.")
    for piece in pieces:
        head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        if not separator:
            raise bad_request(INVALID_PAYLOAD, "A part of the batch has no headers.")
        lines = head.decode("utf-8", "replace").split("\r\n")
        yield dict(map(_header, filter(None, lines))), content


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _boundary(content_type: str) -> str:
    match = re.search(r'boundary="?([^";]+)"?', content_type)
    if match is None:
        raise bad_request(INVALID_PAYLOAD, "The content type of a batch must name its boundary.")
    return match[1]


def _http_part(response: Response, content_id: str | None) -> bytes:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if content_id:
        lines.append(f"Content-ID: {content_id}")
    reason = REASONS.get(response.status, "Status")
    lines += ["", f"HTTP/1.1 {response.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + response.body


def _joined(parts: list[bytes], boundary: str) -> bytes:
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"
