"""The log: nobody forges an entry of it, and no secret gets into it by any library's fault."""

import io
import logging
import logging.config
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from crmsync.frame.people import Role, add_person

FORGED = "2026-01-01 00:00:00,000 INFO crmsync Signed in as anna."
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEcanary\nMIIEcanary2\n-----END PRIVATE KEY-----"


@pytest.fixture
def written() -> Iterator[Callable[[], list[str]]]:
    """The lines of the log, as the configured handler writes them."""
    stream = io.StringIO()
    configured: dict[str, Any] = settings.LOGGING
    handlers = {"stderr": {**configured["handlers"]["stderr"], "stream": stream}}
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logging.config.dictConfig({**configured, "handlers": handlers})
    root.setLevel(logging.DEBUG)
    yield lambda: stream.getvalue().splitlines()
    root.handlers[:] = before
    root.setLevel(level)


def fails(said: str) -> None:
    raise ValueError(said)


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n", "\x0b", "\x85", "\u2028", "\x1b[2K\r"])
def test_no_text_begins_an_entry_of_its_own(written: Callable[[], list[str]], newline: str) -> None:
    logging.getLogger("crmsync").warning("Part %s waits.", f"x{newline}{FORGED}")

    lines = written()
    assert len(lines) == 1
    assert lines[0].endswith("Signed in as anna. waits.")
    assert "\x1b" not in lines[0]


def test_what_a_traceback_says_passes_for_no_entry(written: Callable[[], list[str]]) -> None:
    try:
        fails(f"no name: x\n{FORGED}\r{FORGED}")
    except ValueError:
        logging.getLogger("crmsync").exception("It failed.")

    assert [line for line in written()[1:] if not line.startswith("    ")] == []


@pytest.mark.django_db
def test_a_name_that_somebody_types_forges_no_line(written: Callable[[], list[str]]) -> None:
    add_person(name="bo", role=Role.OPERATIONS, password="correct horse 7")
    form = {"username": f"bo\r\n{FORGED}", "password": "x"}

    Client().post("/sign-in/", form)
    Client().get(f"/nowhere/%0d%0a{FORGED.replace(' ', '%20')}/")

    lines = written()
    assert any("Not Found" in line for line in lines)
    assert any("axes" in line for line in lines)
    assert [line for line in lines if line.startswith(FORGED[:19])] == []


@pytest.mark.parametrize(
    "said",
    [
        f"Authorization: Bearer {JWT}",
        "Authorization: Basic Y2FuYXJ5OmNhbmFyeTI=",
        f"the token is {JWT}",
        "username=a&password=canary%26x&scope=y",
        '{"client_secret": "canary", "x": 1}',
        "{'refresh_token': 'canary'}",
        '{"code": "1.AX-canary-canary-canary-canary", "grant_type": "authorization_code"}',
        "GET /setup/signed-in/?code=canary-code&state=canary-state HTTP/1.1",
        "client_assertion=canary-assertion",
        "Cookie: setup_key=canary; sessionid=canary2",
        PEM,
        repr(PEM),
    ],
)
def test_what_a_library_says_of_a_secret_is_hidden(
    written: Callable[[], list[str]], said: str
) -> None:
    logging.getLogger("urllib3.connectionpool").debug("%s", said)
    try:
        fails(said)
    except ValueError:
        logging.getLogger("celery").exception("It failed.")

    told = "\n".join(written())
    for secret in ("canary", "eyJ", "Y2FuYXJ5", "MIIE"):
        assert secret not in told
    assert "***" in told


@pytest.mark.parametrize(
    "said",
    [
        "Part 7 waits: Sales refused the request (code 0x80040220).",
        "GET /api/data/v9.2/accounts?$select=name 200 in 0.006 s",
        "The user name or the password is wrong.",
        "basic experience",
    ],
)
def test_what_is_no_secret_stays(written: Callable[[], list[str]], said: str) -> None:
    logging.getLogger("crmsync").warning("%s", said)

    assert written()[0].endswith(said)
