"""Who may open which address: the whole table, held against the running product."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory

from crmsync.frame.middleware import DefaultDeny
from crmsync.frame.people import Role, add_person
from tests.pages import ADDRESSES, EVERYBODY, url, url_names
from tests.people import client_of

pytestmark = pytest.mark.django_db

NAMES = sorted(ADDRESSES)
# Asked last: whoever was signed out cannot ask anything else.
LAST = "frame:sign-out"


def is_refused(response: HttpResponseBase) -> bool:
    """Sent to sign in, or told that the role does not allow it."""
    location = response.headers.get("Location", "")
    return response.status_code == 403 or location.startswith("/sign-in/?next=")


def test_every_address_has_an_entry_and_every_entry_an_address() -> None:
    assert url_names() == NAMES


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_look_at_what_the_table_says(role: Role) -> None:
    client = client_of(role)
    client.raise_request_exception = False
    looked = {name for name in NAMES if not is_refused(client.get(url(name)))}
    assert looked == {
        name for name, entry in ADDRESSES.items() if entry.look is None or role in entry.look
    }


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_change_what_the_table_says(role: Role) -> None:
    client = client_of(role)
    client.raise_request_exception = False
    order = sorted(NAMES, key=lambda name: name == LAST)
    changed = {name for name in order if not is_refused(client.post(url(name)))}
    assert changed == {
        name for name, entry in ADDRESSES.items() if entry.change is None or role in entry.change
    }


@pytest.mark.parametrize("method", ["get", "post"])
def test_somebody_who_has_not_signed_in_is_sent_to_sign_in(method: str) -> None:
    client = Client()
    client.raise_request_exception = False
    opened = {name for name in NAMES if not is_refused(getattr(client, method)(url(name)))}
    attribute = "look" if method == "get" else "change"
    assert opened == {
        name for name, entry in ADDRESSES.items() if getattr(entry, attribute) is None
    }


def test_an_account_without_a_group_sees_home_and_its_password_alone() -> None:
    person = add_person(name="new", role=Role.OPERATIONS, password="correct horse 7")
    person.groups.clear()
    client = Client()
    client.raise_request_exception = False
    client.force_login(person, backend="crmsync.frame.access.GroupBackend")
    closed = {name for name in NAMES if is_refused(client.get(url(name)))}
    open_to_it = {"frame:home", "frame:password"}
    assert closed == {
        name
        for name, entry in ADDRESSES.items()
        if entry.look is not None and name not in open_to_it
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_post_without_its_token_changes_nothing(name: str) -> None:
    person = add_person(name="anna", role=Role.ADMINISTRATORS, password="correct horse 7")
    client = Client(enforce_csrf_checks=True)
    client.raise_request_exception = False
    client.force_login(person, backend="crmsync.frame.access.GroupBackend")
    assert client.post(url(name)).status_code in (403, 405)


def test_a_view_that_says_nothing_is_closed_to_everybody() -> None:
    person = add_person(name="anna", role=Role.ADMINISTRATORS, password="correct horse 7")
    request: HttpRequest = RequestFactory().get("/")
    request.user = person

    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("never reached")

    with pytest.raises(PermissionDenied):
        DefaultDeny(view).process_view(request, view, (), {})


def test_home_and_the_password_are_everybodys() -> None:
    assert all(ADDRESSES[name].look == EVERYBODY for name in ("frame:home", "frame:password"))
