"""Signing in: who gets in, who has to wait, and what the answers tell a stranger."""

import io
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from crmsync.frame.people import Role, add_first_administrator, add_person

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7"


@pytest.fixture(autouse=True)
def anna() -> None:
    add_person(name="anna", role=Role.ACCOUNTANTS, password=PASSWORD)
    add_person(name="bo", role=Role.OPERATIONS, password=PASSWORD)


def attempt(name: str, password: str, client: Client | None = None, **headers: str) -> int:
    client = client or Client()
    form = {"username": name, "password": password}
    return client.post(reverse("frame:sign-in"), form, headers=headers).status_code


def test_the_right_password_opens_home() -> None:
    client = Client()
    answer = client.post("/sign-in/", {"username": "anna", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == "/"
    assert answer.status_code == 200


def test_after_ten_wrong_passwords_the_right_one_has_to_wait_but_nobody_else() -> None:
    for _ in range(9):
        assert attempt("anna", "wrong") == 200
    assert attempt("anna", "wrong") == 429
    assert attempt("anna", PASSWORD) == 429
    assert attempt("bo", PASSWORD) == 302


def test_a_forged_forwarding_header_does_not_evade_the_wait() -> None:
    for number in range(10):
        attempt("anna", "wrong", x_forwarded_for=f"10.0.0.{number}")
    assert attempt("anna", PASSWORD, x_forwarded_for="10.0.0.99") == 429


def test_after_the_wait_the_right_password_works_again() -> None:
    for _ in range(10):
        attempt("anna", "wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=11))
    assert attempt("anna", PASSWORD) == 302


def test_wrong_passwords_are_not_kept() -> None:
    attempt("anna", "canary-wrong-password")
    kept = str(list(AccessAttempt.objects.values()))
    assert "anna" in kept
    assert "canary-wrong-password" not in kept


def test_signing_in_makes_a_new_session_and_signing_out_ends_it() -> None:
    client = Client()
    client.get("/sign-in/")
    attempt("anna", PASSWORD, client)
    first = client.cookies["sessionid"].value
    client.post("/sign-out/")
    assert not Session.objects.filter(session_key=first).exists()
    stranger = Client()
    stranger.cookies["sessionid"] = first
    assert stranger.get("/").status_code == 302


def test_a_get_does_not_sign_out() -> None:
    client = Client()
    attempt("anna", PASSWORD, client)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https:evil.example"])
def test_signing_in_leads_nowhere_else(target: str) -> None:
    form = {"username": "anna", "password": PASSWORD, "next": target}
    assert Client().post("/sign-in/", form).headers["Location"] == "/"


def test_a_fragment_asked_for_after_the_session_ended_reloads_the_page() -> None:
    answer = Client().get("/full-synchronization/", headers={"hx-request": "true"})
    assert answer.headers["HX-Refresh"] == "true"


def test_the_first_administrator_is_added_once() -> None:
    assert add_first_administrator() is None  # there are people already


def test_the_first_administrator_has_to_choose_a_password() -> None:
    User.objects.all().delete()
    first = add_first_administrator()
    assert first is not None
    client = Client()
    attempt(first.name, first.password, client)
    assert client.get("/").headers["Location"] == "/password/"


def test_a_script_may_keep_the_password_that_it_was_given() -> None:
    said = io.StringIO()
    arguments = ("add_person", "robot", "--group", "Operations")
    call_command(*arguments, "--keep-password", stdout=said)
    client = Client()
    attempt("robot", said.getvalue().split()[-1], client)
    assert client.get("/").status_code == 200

    with pytest.raises(CommandError, match="There is a person named robot already"):
        call_command(*arguments)


def test_pages_are_never_stored_and_carry_their_policy() -> None:
    client = Client()
    attempt("anna", PASSWORD, client)
    for path in ("/", "/sign-in/", "/nowhere/", "/company/"):
        headers = client.get(path).headers
        assert "no-store" in headers["Cache-Control"]
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"


def test_a_head_is_answered_without_a_body(live_server: LiveServer) -> None:
    """Over a real socket: two questions on one connection, one after the other."""
    address = urlsplit(live_server.url)
    connection = HTTPConnection(address.hostname or "", address.port)
    connection.request("HEAD", "/sign-in/")
    assert connection.getresponse().read() == b""
    connection.request("GET", "/health")
    assert connection.getresponse().read().startswith(b"{")
    connection.close()


@pytest.mark.parametrize("form", [{"username": "anna", "password": "wrong"}, {"username": "anna"}])
def test_the_title_says_first_that_signing_in_failed(form: dict[str, str]) -> None:
    refused = Client().post("/sign-in/", form).content.decode()
    assert "<title>Error: Sign in" in refused
    assert "<title>Sign in" in Client().get("/sign-in/").content.decode()
