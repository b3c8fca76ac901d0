"""HTTP itself: kept connections, chunks, cut bodies and nonsense."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.sandbox.harness import API, Client, Sandbox


@pytest.fixture
def connection(sandbox: Sandbox) -> Iterator[socket.socket]:
    host, _, port = sandbox.base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as opened:
        yield opened


def head(api: Client, *lines: str) -> bytes:
    host = api.sandbox.base_url.removeprefix("http://")
    token = api.session.headers["Authorization"]
    first = f"POST {API}accounts HTTP/1.1"
    whole = (first, f"Host: {host}", f"Authorization: {token!s}", *lines, "", "")
    return "\r\n".join(whole).encode()


def test_one_connection_serves_many_requests(api: Client, connection: socket.socket) -> None:
    body = json.dumps({"name": "a"}).encode()
    for _ in range(3):
        connection.sendall(head(api, f"Content-Length: {len(body)}") + body)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 204 No Content\r\n")


def test_an_answer_arrives_in_one_piece(api: Client, connection: socket.socket) -> None:
    body = b'{"nonsense": 1}'
    connection.sendall(head(api, f"Content-Length: {len(body)}") + body)
    received = connection.recv(65_536)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert received.endswith(b"}}")


def test_a_chunked_body_is_read(api: Client, connection: socket.socket, sandbox: Sandbox) -> None:
    chunks = b'8\r\n{"name":\r\n4\r\n"a"}\r\n0\r\n\r\n'
    connection.sendall(head(api, "Transfer-Encoding: chunked") + chunks)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 204")
    assert sandbox.dump("accounts")[0]["name"] == "a"


def test_a_body_that_was_cut_on_its_way_has_no_effect(
    api: Client, connection: socket.socket, sandbox: Sandbox
) -> None:
    connection.sendall(head(api, "Content-Length: 100") + b'{"name": "a"}')
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(65_536) == b""
    assert sandbox.dump("accounts") == []


def test_a_client_that_waits_for_permission_gets_it(api: Client, connection: socket.socket) -> None:
    connection.sendall(head(api, "Content-Length: 12", "Expect: 100-continue"))
    assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b'{"name":"a"}')
    assert connection.recv(65_536).startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HELLO\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 300 + b"\r\n",
    ],
)
def test_what_is_not_http_is_refused(connection: socket.socket, nonsense: bytes) -> None:
    connection.sendall(nonsense)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 400")
