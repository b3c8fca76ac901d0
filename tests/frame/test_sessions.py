"""A session ends when nobody used it for eight hours, and at the latest after seven days."""

import time

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client

from crmsync.frame.people import Role
from tests.people import client_of

pytestmark = pytest.mark.django_db

HOUR, DAY = 3600, 24 * 3600


@pytest.fixture
def client() -> Client:
    return client_of(Role.ACCOUNTANTS)


def aged(client: Client, *, began: float, seen: float) -> SessionStore:
    """The session as it would be that many seconds later."""
    session = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    session["began"], session["seen"] = time.time() - began, time.time() - seen
    session.save()
    return session


@pytest.mark.parametrize(
    ("began", "seen", "status"),
    [
        (1 * HOUR, 0, 200),
        (8 * HOUR, 7.9 * HOUR, 200),
        (9 * HOUR, 8.1 * HOUR, 302),
        (6.9 * DAY, 0, 200),
        (7.1 * DAY, 0, 302),
    ],
)
def test_it_lasts_so_long(client: Client, began: float, seen: float, status: int) -> None:
    aged(client, began=began, seen=seen)
    assert client.get("/").status_code == status


def test_what_has_ended_is_gone(client: Client) -> None:
    aged(client, began=8 * DAY, seen=0)
    client.get("/")
    assert not Session.objects.exists()


def test_a_session_without_a_beginning_is_over(client: Client) -> None:
    session = aged(client, began=0, seen=0)
    del session["began"]
    session.save()
    assert client.get("/").status_code == 302


def test_use_is_noted_and_a_page_that_looks_for_news_is_no_use(client: Client) -> None:
    seen = aged(client, began=2 * HOUR, seen=HOUR)["seen"]
    key = client.cookies[settings.SESSION_COOKIE_NAME].value

    client.get("/jobs/", headers={"hx-request": "true"})
    assert SessionStore(key)["seen"] == seen

    client.get("/jobs/")
    assert SessionStore(key)["seen"] > seen + HOUR / 2


def test_noting_use_is_no_write_a_page(
    client: Client, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        client.get("/password/")
