"""Headers that every answer carries, and what pages say when the sealing key is lost."""

import pytest
from django.test import Client
from pytest_django import Settings

from crmsync.connections import secrets
from crmsync.connections import services as connections
from crmsync.connections.errors import SecretUnreadable
from crmsync.connections.models import Connection
from crmsync.connections.services import SECRET_PLACE
from crmsync.frame.people import Role
from tests.pages import ADDRESSES, url
from tests.people import client_of
from tests.safety.driving import do_until
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import FINISH, finish, imports_go, one_act
from tests.setup_wizard.guide import Guide, text

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
POLICY = ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'")


@pytest.mark.parametrize("method", ["get", "post", "head", "put"])
def test_every_address_answers_with_its_protection(connected: Sandbox, method: str) -> None:
    client = client_of(Role.ADMINISTRATORS)
    client.raise_request_exception = False
    names = sorted(set(ADDRESSES) - {"frame:sign-out"})
    answers = {name: getattr(client, method)(url(name)) for name in names}
    for who in (client, client_of(Role.OPERATIONS), Client()):
        answers |= {f"{path} {id(who)}": getattr(who, method)(path) for path in ("/x/", "/people/")}

    for name, answer in answers.items():
        for header, value in HEADERS.items():
            assert answer.headers.get(header) == value, (name, header)
        policy = answer.headers["Content-Security-Policy"]
        assert [part for part in POLICY if part not in policy] == [], name
        assert "unsafe" not in policy
        assert "no-store" in answer.headers["Cache-Control"], name
        assert "Server" not in answer.headers


def test_an_answer_that_breaks_carries_it_too(
    connected: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(Role.ADMINISTRATORS)
    client.raise_request_exception = False
    monkeypatch.setattr("crmsync.frame.home.look", None)

    answer = client.get("/")

    assert answer.status_code == 500
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Traceback" not in text(answer)
    assert "NoneType" not in text(answer)


def test_with_a_lost_key_every_page_still_opens(connected: Sandbox, settings: Settings) -> None:
    client = client_of(Role.ADMINISTRATORS)
    connections._clients.clear()
    settings.CRMSYNC_SEALING_KEYS = ["another key"]

    broken = {
        name: status
        for name in ADDRESSES
        if (status := client.get(url(name)).status_code) >= 500 and name != "health"
    }

    assert broken == {}


def test_with_a_lost_key_the_finish_says_what_to_do(guide: Guide, settings: Settings) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    guide.until("check")
    guide.post("check")
    do_until("verified", guide)
    settings.CRMSYNC_SEALING_KEYS = ["another key"]

    one_act(guide)

    page = text(guide.client.get(FINISH))
    assert "is not at hand" in page
    assert "restore the sealing key" in page
    assert not Connection.objects.filter(is_enabled=True).exists()
    # Confirmed again, the secret is sealed anew, with the key that is there.
    guide.post("tables", {"scopes": ["salespeople"]})
    guide.post("checks")
    guide.post("check")
    finish(guide)
    assert Connection.objects.get().is_enabled


@pytest.mark.django_db
def test_a_ciphertext_in_another_place_does_not_open(connected: Sandbox) -> None:
    sealed = Connection.objects.get().sealed_secret
    assert secrets.unseal(sealed, place=SECRET_PLACE)

    for place in ("connection/2/secret", "connection/1/other", "setup/1/integration_secret/x", ""):
        with pytest.raises(SecretUnreadable):
            secrets.unseal(sealed, place=place)
