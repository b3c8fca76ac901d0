"""Wall-clock deadlines: a socket's timeout bounds one read, and a slow answer has many.

An answer that comes byte by byte never meets the timeout of requests. So a timer cuts the
connection, while the head is awaited and again while the body is read.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from socket import SHUT_RD
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class DeadlineAdapter(HTTPAdapter):
    """An adapter whose read timeout also bounds the whole wait for the head of an answer."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


@contextlib.contextmanager
def body_within(response: requests.Response, seconds: float) -> Iterator[None]:
    """Cut the answer off when reading its body takes longer; the reader sees its end then."""
    with _cut_after(seconds, response.raw.shutdown):
        yield


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # stubs name another base
        with _head_within(self):
            return super().getresponse()


class _TlsConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # stubs name another base
        with _head_within(self):
            return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


@contextlib.contextmanager
def _head_within(connection: HTTPConnection) -> Iterator[None]:
    """Until urllib3 has the head, the connection's timeout is the read timeout asked for."""
    seconds, sock = connection.timeout, connection.sock
    if not isinstance(seconds, int | float) or sock is None:
        yield
        return
    with _cut_after(seconds, lambda: sock.shutdown(SHUT_RD)):
        yield


@contextlib.contextmanager
def _cut_after(seconds: float, cut: Callable[[], None]) -> Iterator[None]:
    timer = threading.Timer(max(0.0, seconds), _quietly, [cut])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _quietly(cut: Callable[[], None]) -> None:
    """The answer may have ended in the same moment: then there is nothing left to cut."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        cut()
