"""One password tried on many names from one address, and who has to wait for that."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from crmsync.audit.models import Entry
from crmsync.frame.people import Role, add_person

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7"
MANY = settings.SIGN_IN_NAMES_AN_ADDRESS
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"


@pytest.fixture(autouse=True)
def anna() -> None:
    add_person(name="anna", role=Role.ACCOUNTANTS, password=PASSWORD)


def attempt(name: str, password: str, address: str = HERE, **more: Any) -> int:
    form = {"username": name, "password": password}
    return Client().post("/sign-in/", form, REMOTE_ADDR=address, **more).status_code


def spray(times: int = MANY, address: str = HERE, **more: Any) -> int:
    """The same password on many names; the status of the last one."""
    return [attempt(f"name{n}", "Winter2026", address, **more) for n in range(times)][-1]


def test_one_password_on_many_names_makes_the_address_wait_and_no_other() -> None:
    assert spray(MANY - 1) == 200
    assert attempt("one-more", "Winter2026") == 429

    assert attempt("anna", PASSWORD) == 429
    assert attempt("anna", PASSWORD, ELSEWHERE) == 302


def test_it_is_kept_on_record_once_with_the_address() -> None:
    spray(MANY + 5)

    entry = Entry.objects.get(act="address_locked")
    assert (entry.table, entry.label) == ("address", HERE)
    assert Entry.objects.filter(act="sign_in_failed").count() == MANY - 1


def test_other_browsers_and_forged_headers_do_not_evade_it() -> None:
    for number in range(MANY):
        forged = {"HTTP_USER_AGENT": f"b{number}", "HTTP_X_FORWARDED_FOR": f"10.0.0.{number}"}
        attempt(f"name{number}", "Winter2026", **forged)

    assert attempt("anna", PASSWORD, HTTP_X_FORWARDED_FOR="10.9.9.9") == 429


def test_an_office_where_people_mistype_and_then_get_in_does_not_wait() -> None:
    for number in range(MANY + 5):
        add_person(name=f"colleague{number}", role=Role.OPERATIONS, password=PASSWORD)
        assert attempt(f"colleague{number}", "wrong") == 200
        assert attempt(f"colleague{number}", PASSWORD) == 302


def test_the_wait_ends_whoever_goes_on_trying() -> None:
    spray()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=9))
    assert attempt("anna", PASSWORD) == 429
    assert spray(3) == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=11))

    assert attempt("anna", PASSWORD) == 302


def test_the_wait_of_one_name_ends_although_it_is_tried_on() -> None:
    for _ in range(12):
        attempt("anna", "wrong")
    kept = AccessAttempt.objects.get()

    assert kept.failures_since_start == settings.AXES_FAILURE_LIMIT
    assert Entry.objects.filter(act="sign_in_locked").count() == 1


def test_behind_a_proxy_that_names_nobody_no_address_is_held_up(settings: Settings) -> None:
    settings.CRMSYNC_HTTPS = True

    assert spray(MANY + 5, address="127.0.0.1") == 200
    assert attempt("anna", PASSWORD, "127.0.0.1") == 302


def test_behind_a_proxy_the_address_that_it_added_counts(settings: Settings) -> None:
    settings.CRMSYNC_HTTPS = settings.CRMSYNC_FORWARDED_FOR = True
    proxy = "127.0.0.1"
    for number in range(MANY):
        said = f"10.0.0.{number}, {HERE}"
        attempt(f"name{number}", "Winter2026", proxy, HTTP_X_FORWARDED_FOR=said)

    assert attempt("anna", PASSWORD, proxy, HTTP_X_FORWARDED_FOR=f"10.9.9.9, {HERE}") == 429
    assert attempt("anna", PASSWORD, proxy, HTTP_X_FORWARDED_FOR=ELSEWHERE) == 302
    assert Entry.objects.get(act="address_locked").label == HERE
