"""No English for a Dane who sets up the connection to its end, or looks after the people."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from crmsync.frame.people import Role
from tests.house.danish import english_on, in_danish
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import DONE, FINISH, confirmed, finish, imports_go, one_act
from tests.setup_wizard.guide import Guide
from tests.setup_wizard.microsoft import begin, come_back

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    """A page's language stays active in its thread, which is that of all tests."""
    yield
    translation.deactivate()


@pytest.fixture
def dane() -> Client:
    return in_danish(client_of(Role.ADMINISTRATORS))


@pytest.fixture
def guide(sandbox: Sandbox, books: object, dane: Client) -> Guide:
    return Guide(dane, sandbox)


def seen(answer: Any) -> list[str]:
    """The English of an answer that is a page."""
    assert answer.status_code == 200
    return english_on(answer.content.decode())


def test_the_finish_act_by_act_and_the_receipt(guide: Guide) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    confirmed(guide)
    found = [seen(guide.client.get(FINISH)), seen(one_act(guide)), seen(one_act(guide))]
    finish(guide)
    found += [seen(guide.client.get(DONE)), seen(guide.client.get("/audit/"))]

    assert [pieces for pieces in found if pieces] == []


def test_an_import_that_fails(guide: Guide) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0, outcome="failed", message="")
    confirmed(guide)

    assert [pieces for _ in range(3) if (pieces := seen(one_act(guide)))] == []


def test_every_kind_of_administrator_and_of_integration_user(guide: Guide) -> None:
    guide.until("administrator")
    come_back(guide, begin(guide).cancel())
    assert seen(guide.get("administrator")) == []
    guide.post("administrator", {"kind": "none"})
    form = {"kind": "certificate", "certificate": "x"}
    assert seen(guide.post("integration-user", form)) == []


def test_people_their_keys_and_what_is_kept_of_them(dane: Client) -> None:
    wrong = ({"name": "<b>"}, {"name": "x", "role": "Operations", "non_interactive": "on"})
    found = [seen(dane.post("/people/add/", form)) for form in wrong]
    found.append(seen(dane.post("/people/add/", {"name": "bo", "role": Role.OPERATIONS})))
    dane.post("/people/add/", {"name": "sales", "non_interactive": "on"})
    for user in User.objects.all():
        place = f"/people/{user.pk}/"
        for act in ("key/", "password/", "group/", "disable/", "", "enable/"):
            answer = dane.post(place + act, {"confirmed": "1"}, follow=True)
            found.append(english_on(answer.content.decode()))
    found += [seen(dane.get("/people/")), seen(dane.get("/audit/"))]

    assert [pieces for pieces in found if pieces] == []
