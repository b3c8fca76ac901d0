"""HTTP/1.1 on a socket: read a request, send an answer whole or spoiled."""

import socket
import struct
import time
from io import BufferedIOBase
from typing import Final

from crmsync.sandbox.messages import Request, Response

LINE_LIMIT: Final = 65_536
HEADER_LIMIT: Final = 200
# Linger on, for no time: closing then sends RST instead of FIN.
_ABORT: Final = struct.pack("ii", 1, 0)


class BadRequestError(Exception):
    """What arrived is not HTTP/1.1."""


def read_request(stream: BufferedIOBase, connection: socket.socket) -> Request | None:
    """Return the next request of a connection, or None where the client has closed it.

    Raises BadRequestError.
    """
    line = stream.readline(LINE_LIMIT)
    if not line:
        return None
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError(f"The request line is invalid: {words[:1]}")
    headers = _read_headers(stream)
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(words[0].upper(), words[1], headers, _read_body(stream, headers))


def send(connection: socket.socket, response: Response) -> None:
    """Send head and body in one piece, so that no client waits for a second packet."""
    connection.sendall(response.head() + response.body)


def send_half(connection: socket.socket, response: Response) -> None:
    """Promise the whole body, send half of it and cut the connection.

    Where there is no body, the status line is cut: clients take a head without end for an answer.
    """
    head, half = response.head(), len(response.body) // 2
    connection.sendall(head + response.body[:half] if half else head[: len(b"HTTP/1.")])
    connection.shutdown(socket.SHUT_RDWR)


def send_dripping(connection: socket.socket, response: Response, seconds: float) -> None:
    """Send the body byte by byte, or the head where there is no body."""
    head = response.head()
    if response.body:
        connection.sendall(head)
    for byte in response.body or head:
        connection.sendall(bytes((byte,)))
        time.sleep(seconds)


def abort(connection: socket.socket) -> None:
    """Make the connection end with a reset, as when a server dies."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)


def _read_headers(stream: BufferedIOBase) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(HEADER_LIMIT):
        line = stream.readline(LINE_LIMIT)
        if line in {b"\r\n", b"\n", b""}:
            return headers
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    raise BadRequestError("There are too many headers.")


def _read_body(stream: BufferedIOBase, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return _read_chunks(stream)
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequestError(f"The content length is invalid: {length}")
    return _exactly(stream, int(length))


def _read_chunks(stream: BufferedIOBase) -> bytes:
    chunks: list[bytes] = []
    while True:
        size = _chunk_size(stream.readline(LINE_LIMIT))
        chunks.append(_exactly(stream, size))
        stream.readline(LINE_LIMIT)
        if size == 0:
            return b"".join(chunks)


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.split(b";")[0].strip(), 16)
    except ValueError:
        raise BadRequestError("The size of a chunk is invalid.") from None


def _exactly(stream: BufferedIOBase, size: int) -> bytes:
    """Read a whole body: one that was cut on its way must not take effect."""
    body = stream.read(size)
    if len(body) < size:
        raise ConnectionResetError("The client went away in the middle of a body.")
    return body
