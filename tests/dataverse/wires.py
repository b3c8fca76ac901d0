"""Channels to a sandbox, and a bare listener for what a sandbox never does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

from crmsync.dataverse.auth import ApplicationTokens, Authority, PasswordTokens
from crmsync.dataverse.client import Client, Table
from crmsync.dataverse.governor import Gate
from crmsync.dataverse.session import Channel, Tokens, open_session
from tests.sandboxes import Sandbox

ACCOUNT = Table("account", "accounts", "accountid")
CONTACT = Table("contact", "contacts", "contactid")
ORIGIN = "https://cronus.crm.sandbox.test"
API = "/api/data/"


@dataclass(slots=True)
class FixedTokens:
    """Hands out one token after the other: the first until a fresh one is asked for."""

    given: list[bool] = field(default_factory=list)

    def token(self, *, fresh: bool = False) -> str:
        self.given.append(fresh)
        return f"token-{sum(self.given)}"


class Clock:
    """Time that passes when told to, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def authority(sandbox: Sandbox) -> Authority:
    tenant = sandbox.ready["tenant"]
    return Authority(f"{sandbox.ready['login_origin']}/{tenant}", tenant)


def application_tokens(sandbox: Sandbox, *, secret: str | None = None) -> ApplicationTokens:
    application = sandbox.ready["application"]
    return ApplicationTokens(
        ORIGIN,
        authority(sandbox),
        application["client_id"],
        secret or application["client_secret"],
        open_session(sandbox_port=sandbox.port),
    )


def password_tokens(sandbox: Sandbox, username: str, password: str) -> PasswordTokens:
    return PasswordTokens(
        ORIGIN,
        authority(sandbox),
        sandbox.ready["application"]["client_id"],
        username,
        password,
        open_session(sandbox_port=sandbox.port),
    )


def open_channel(
    port: int, tokens: Tokens, *, gate: Gate | None = None, deadline_seconds: float = 20.0
) -> Channel:
    return Channel(
        origin=ORIGIN,
        tokens=tokens,
        gate=gate or Gate(),
        session=open_session(sandbox_port=port),
        deadline_seconds=deadline_seconds,
    )


@dataclass(slots=True)
class Listener:
    """A port that counts who connects, and answers each connection with the same bytes."""

    port: int
    connections: int = 0
    received: bytes = b""


@contextmanager
def listening(answer: bytes = b"") -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Listener(server.getsockname()[1])
        thread = threading.Thread(target=_answer_all, args=(server, found, answer), daemon=True)
        thread.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _answer_all(server: socket.socket, found: Listener, answer: bytes) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            found.connections += 1
            found.received += connection.recv(65_536)
            connection.sendall(answer)


def administrator(sandbox: Sandbox) -> Client:
    """A client of the System Administrator."""
    return client_of(sandbox, sandbox.ready["administrator"])


def client_of(sandbox: Sandbox, identity: dict[str, str]) -> Client:
    """A client of a user of the ready line."""
    tokens = password_tokens(sandbox, identity["username"], identity["password"])
    return Client(open_channel(sandbox.port, tokens))


def plant(sandbox: Sandbox, *wishes: object) -> None:
    """Put into the environment what others may have there."""
    answer = requests.post(sandbox.url("/_sandbox/plant"), json=list(wishes), timeout=30)
    assert answer.status_code == 200, answer.text


def pace(sandbox: Sandbox, **settings: object) -> None:
    """How imports go that begin after this; the sandbox names the settings."""
    answer = requests.post(sandbox.url("/_sandbox/imports"), json=settings, timeout=30)
    assert answer.status_code == 200, answer.text


def pass_time(sandbox: Sandbox, seconds: float) -> None:
    sandbox.edit({"clock": {"advance": seconds}})
