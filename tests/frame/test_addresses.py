"""Addresses that lead nowhere: what is asked of them is answered by a page, and never breaks."""

import re
from typing import Any

import pytest
from django.test import Client

from crmsync.frame.people import Role, add_person
from tests.pages import ADDRESSES, url
from tests.people import client_of
from tests.safety.test_methods_and_fields import CHANGING

pytestmark = pytest.mark.django_db

NEXT = re.compile(r'name="next" value="([^"]*)"')
NUMBERS = re.compile(r"(?<=/)\d+(?=/)")
NUMBERED = sorted(name for name in ADDRESSES if NUMBERS.search(url(name)))
TOO_MUCH = ["9" * 18, str(2**63 - 1), str(2**63), "9" * 26, "9" * 300]


def page_of(answer: Any) -> str:
    return str(answer.content.decode())


def led_to(answer: Any) -> str:
    """Where the language switch of a page goes on."""
    found = NEXT.search(page_of(answer))
    assert found, page_of(answer)
    return found[1]


@pytest.mark.parametrize("number", TOO_MUCH)
@pytest.mark.parametrize("name", NUMBERED)
def test_a_number_that_no_row_can_have_is_not_found(name: str, number: str) -> None:
    client = client_of(Role.ADMINISTRATORS)
    path, is_possible = NUMBERS.sub(number, url(name)), len(number) <= 18

    for answer in (client.get(path), client.post(path, {"confirmed": "1", "role": ""})):
        # Of ids that a row could have, some are refused for the method, or lead to their page.
        assert answer.status_code == 404 or (is_possible and answer.status_code in {302, 405})


def test_numbers_are_in_the_addresses_that_this_tries() -> None:
    assert {"frame:change-key", "fullsync:job", "coupling:result"} <= set(NUMBERED)


@pytest.mark.parametrize("name", CHANGING)
def test_an_address_that_shows_no_page_says_so_on_one(name: str) -> None:
    answer = client_of(Role.ADMINISTRATORS).get(url(name))

    assert answer.status_code == 405
    assert answer.headers["Allow"].startswith("POST")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "This address shows no page" in page_of(answer)
    assert '<a class="button" href="/">Home</a>' in page_of(answer)


def test_the_page_about_a_method_is_there_for_strangers_and_in_danish(client: Client) -> None:
    client.post("/language/", {"language": "da"})
    answer = client.get("/language/")
    assert answer.status_code == 405
    assert '<html lang="da">' in page_of(answer)


def test_a_fragment_and_a_head_are_refused_without_a_page() -> None:
    client = client_of(Role.ADMINISTRATORS)
    path = url("fullsync:start")

    assert client.get(path, headers={"HX-Request": "true"}).content == b""
    assert client.head(path).content == b""


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_the_language_switch_of_a_page_leads_to_one_that_can_be_looked_at(name: str) -> None:
    """Also where the page answers to a form at an address that shows none."""
    client = client_of(Role.ADMINISTRATORS)
    answer = client.post(url(name))
    if not NEXT.search(page_of(answer)):
        return  # answered by a redirect, or by a fragment

    assert client.get(led_to(answer)).status_code not in {405, 500}


def test_the_language_switch_stays_at_a_form_that_was_refused() -> None:
    client = client_of(Role.ADMINISTRATORS)
    assert led_to(client.post("/company/?x=1", {"name": ""})) == "/company/?x=1"


def test_the_language_switch_leads_from_what_is_shown_once_to_its_person() -> None:
    client = client_of(Role.ADMINISTRATORS)
    bo = add_person(name="bo", role=Role.OPERATIONS, password="correct horse 7")
    person = f"/people/{bo.pk}/"

    assert led_to(client.post(f"{person}password/")) == person
    assert led_to(client.post(f"{person}key/")) == person
    assert led_to(client.post(f"{person}key/")) == person  # asks whether to replace it
    added = client.post("/people/add/", {"name": "cleo", "role": Role.ACCOUNTANTS})
    assert client.get(led_to(added)).context["person"].name == "cleo"


def test_the_language_switch_of_an_unknown_address_stays_there() -> None:
    client = client_of(Role.ADMINISTRATORS)
    assert led_to(client.get("/nowhere/at/all/")) == "/nowhere/at/all/"
    assert led_to(client.post("/nowhere/at/all/")) == "/"
