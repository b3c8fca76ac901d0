"""A service that points elsewhere is not followed: a second listener hears nothing."""

import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.dataverse.errors import AddressRefused, DataverseError
from crmsync.dataverse.session import API_PATH
from crmsync.mapping.registry import get_mapping
from setup_wizard.models import SetupProgress
from tests.safety.driving import do_until
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import imports_go, one_act
from tests.setup_wizard.guide import Guide


class Listener:
    """Another host, on this machine: it counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.visits: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return
            with visitor:
                visitor.settimeout(1)
                self.visits.append(visitor.recv(65536))
                visitor.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def test_the_listener_hears_whoever_comes(listener: Listener) -> None:
    requests.get(f"http://127.0.0.1:{listener.port}/", timeout=5)

    assert len(listener.visits) == 1


def links(listener: Listener) -> list[str]:
    """To the listener, in the ways that fool a comparison of texts."""
    there = f"127.0.0.1:{listener.port}"
    path = f"{API_PATH}accounts"
    return [
        f"http://{there}{path}",
        f"https://{there}{path}",
        f"https://cronus.crm.sandbox.test@{there}{path}",
        f"https://cronus.crm.sandbox.test:{listener.port}{path}",
        f"http://cronus.crm.sandbox.test{path}",
        f"https://cronus.crm.sandbox.test.evil.example:{listener.port}{path}",
        f"//{there}{path}",
    ]


@pytest.mark.parametrize("name", ["@odata.nextLink", "@odata.deltaLink"])
def test_a_link_to_another_host_is_not_followed(
    connected: Sandbox, listener: Listener, name: str
) -> None:
    table = get_mapping("CUSTOMER").crm
    client = connections.open_client(connection=Connection.objects.get())
    for link in links(listener):
        body = json.dumps({"value": [], name: link})
        connected.fault({"path": "/accounts"}, {"body": body}, times=1)
        page = client.first_page(table, columns=["name"])
        with pytest.raises((AddressRefused, DataverseError)):
            client.page(page.next_link or page.delta_link or "", track_changes=False)
        connected.clear_faults()

    assert listener.visits == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_answer_that_redirects_is_an_error_and_nobody_goes_there(
    connected: Sandbox, listener: Listener, status: int
) -> None:
    client = connections.open_client(connection=Connection.objects.get())
    elsewhere = {"redirect": f"http://127.0.0.1:{listener.port}/", "status": status}
    connected.fault({"path": "/api/data/"}, elsewhere)

    for method in ("GET", "POST"):
        with pytest.raises(DataverseError):
            client.channel.send(method, "accounts", body=b"{}" if method == "POST" else None)

    assert listener.visits == []


@pytest.mark.parametrize("path", ["/api/data/", "openid-configuration", "/token"])
@pytest.mark.parametrize("step", ["environment", "administrator", "integration-user"])
def test_the_guide_takes_nobodys_password_elsewhere(
    guide: Guide, listener: Listener, step: str, path: str
) -> None:
    guide.until(step)
    elsewhere = {"redirect": f"http://127.0.0.1:{listener.port}/", "status": 307}
    guide.sandbox.fault({"path": path}, elsewhere)

    guide.post(step)

    assert listener.visits == []


def test_a_token_service_is_only_believed_at_microsofts(guide: Guide, listener: Listener) -> None:
    tenant = guide.sandbox.ready["tenant"]
    authority = f"https://127.0.0.1:{listener.port}/{tenant}/oauth2/authorize"
    challenge = {"WWW-Authenticate": f"Bearer authorization_uri={authority}"}
    guide.sandbox.fault({"path": "/api/data/"}, {"status": 401, "headers": challenge})

    guide.post("environment")

    assert listener.visits == []
    assert not SetupProgress.objects.exists()


def test_endpoints_of_a_discovery_that_lead_elsewhere_are_not_asked(
    guide: Guide, listener: Listener
) -> None:
    """The document of the sign-in service names where passwords are posted to."""
    guide.until("administrator")
    there = f"https://127.0.0.1:{listener.port}"
    document: dict[str, Any] = {
        "issuer": f"{there}/",
        "authorization_endpoint": f"{there}/authorize",
        "token_endpoint": f"{there}/token",
    }
    body = {"body": json.dumps(document), "headers": {"Content-Type": "application/json"}}
    guide.sandbox.fault({"path": "openid-configuration"}, body)

    guide.post("administrator")

    assert listener.visits == []
    assert SetupProgress.objects.get().sealed == {}


def test_the_finish_takes_no_token_elsewhere(guide: Guide, listener: Listener) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    guide.until("check")
    guide.post("check")
    do_until("roles", guide)
    elsewhere = {"redirect": f"http://127.0.0.1:{listener.port}/", "status": 307}
    guide.sandbox.fault({"path": "/api/data/"}, elsewhere)

    one_act(guide)

    assert listener.visits == []
