"""The people page: who may sign in, with what, until when."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from crmsync.audit.actors import Actor, Door
from crmsync.audit.models import Entry
from crmsync.availability import keys
from crmsync.frame.errors import NameUnusable
from crmsync.frame.models import Account
from crmsync.frame.people import Role, add_non_interactive, add_person, add_with_new_password
from tests.people import client_of

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7"
SHOWN = re.compile(r'<code id="shown-once">([^<]+)</code>')


@pytest.fixture
def admin() -> Client:
    return client_of(Role.ADMINISTRATORS, name="anna")


def bo(role: Role | None = Role.OPERATIONS) -> User:
    return add_person(name="bo", role=role, password=PASSWORD)


def page_of(answer: Any) -> str:
    return str(answer.content.decode())


def signed_in(name: str, password: str) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/sign-in/", {"username": name, "password": password}, follow=True)


def shown_on(answer: Any) -> str:
    found = SHOWN.search(page_of(answer))
    assert found, page_of(answer)
    return found[1]


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def act(client: Client, user: User, name: str, **form: str) -> str:
    """What the page says after one of its buttons was pressed."""
    return page_of(client.post(f"/people/{user.pk}/{name}/", form, follow=True))


def test_the_list_shows_who_there_is_in_two_questions(
    admin: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(5):
        add_person(name=f"bo{number}", role=Role.OPERATIONS, password=PASSWORD)
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        page = page_of(admin.get("/people/"))
    assert all(name in page for name in ("anna", "bo0", "bo4", "Operations", "Never", "Enabled"))


def test_somebody_new_gets_a_password_that_is_shown_once_and_opens_one_page(admin: Client) -> None:
    answer = admin.post("/people/add/", {"name": "cleo", "role": Role.ACCOUNTANTS})
    password = shown_on(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert password not in page_of(admin.get(f"/people/{User.objects.get(username='cleo').pk}/"))

    client, page = signed_in("cleo", password)
    assert page.redirect_chain[-1][0] == "/password/"
    assert "Choose a password of your own." in page_of(page)
    for path in ("/", "/company/", "/tables/CUSTOMER/", "/jobs/"):
        assert client.get(path).headers["Location"] == "/password/"
    refreshed = client.get("/jobs/", headers={"hx-request": "true"})
    assert refreshed.headers["HX-Refresh"] == "true"

    chosen = "another horse 8"
    form = {"old_password": password, "new_password1": chosen, "new_password2": chosen}
    assert client.post("/password/", form).headers["Location"] == "/"
    assert is_in(client)
    assert is_in(signed_in("cleo", chosen)[0])
    assert not is_in(signed_in("cleo", password)[0])


def test_the_password_that_one_was_given_cannot_be_kept() -> None:
    added = add_with_new_password(name="cleo", role=Role.ACCOUNTANTS)
    client, _page = signed_in("cleo", added.password)
    form = dict.fromkeys(("old_password", "new_password1", "new_password2"), added.password)
    assert "Choose another password than the one you have." in page_of(
        client.post("/password/", form)
    )
    assert client.get("/").headers["Location"] == "/password/"


def test_a_wrong_name_or_group_is_named_beside_its_field(admin: Client) -> None:
    bo()
    for form, says in (
        ({"name": "", "role": ""}, "This field is required."),
        ({"name": "<b>", "role": ""}, "Enter a valid username"),
        ({"name": "BO", "role": ""}, "There is a person named BO already. Choose another name."),
        ({"name": "x", "role": "Kings"}, "Select a valid choice"),
        ({"name": "x", "email": "x"}, "Enter a valid email address."),
        (
            {"name": "x", "role": Role.OPERATIONS, "non_interactive": "on"},
            "What only uses a web service key is in no group.",
        ),
    ):
        page = page_of(admin.post("/people/add/", form))
        assert says in page
        assert "<title>Error:" in page
    assert set(User.objects.values_list("username", flat=True)) == {"anna", "bo"}


def test_a_program_signs_in_to_no_page(admin: Client) -> None:
    answer = admin.post("/people/add/", {"name": "sales", "non_interactive": "on"}, follow=True)
    user = User.objects.get(username="sales")
    assert "Nobody signs in to the pages with this account" in page_of(answer)
    user.set_password(PASSWORD)  # even if somebody gave it one
    user.save()
    assert not is_in(signed_in("sales", PASSWORD)[0])
    client = Client()
    client.force_login(user, backend="crmsync.frame.access.GroupBackend")
    assert not is_in(client)
    assert "only uses a web service key" in act(admin, user, "password")
    assert "only uses a web service key" in act(admin, user, "group", role=Role.ADMINISTRATORS)
    assert not user.groups.exists()


def test_a_group_is_changed_at_once(admin: Client) -> None:
    user = bo()
    client, _page = signed_in("bo", PASSWORD)
    assert client.get("/people/").status_code == 403
    assert "The group is changed." in act(admin, user, "group", role=Role.ADMINISTRATORS)
    assert client.get("/people/").status_code == 200
    act(admin, user, "group", role="")
    assert client.get("/people/").status_code == 403
    entries = Entry.objects.filter(act="group_changed").order_by("pk")
    assert [(one.before["group"], one.after["group"]) for one in entries] == [
        ("Operations", "Administrators"),
        ("Administrators", ""),
    ]


def test_disabling_ends_all_sessions_for_good(admin: Client) -> None:
    user = bo()
    clients = [signed_in("bo", PASSWORD)[0] for _ in range(2)]
    assert all(is_in(client) for client in clients)

    assert "The account is disabled." in act(admin, user, "disable")
    assert not any(is_in(client) for client in clients)
    assert not is_in(signed_in("bo", PASSWORD)[0])

    act(admin, user, "enable")
    assert not any(is_in(client) for client in clients)
    assert is_in(signed_in("bo", PASSWORD)[0])
    assert is_in(admin)


def test_a_reset_password_ends_the_former_one_and_all_sessions(admin: Client) -> None:
    user = bo()
    client, _page = signed_in("bo", PASSWORD)
    password = shown_on(admin.post(f"/people/{user.pk}/password/"))
    assert not is_in(client)
    assert not is_in(signed_in("bo", PASSWORD)[0])
    _client, page = signed_in("bo", password)
    assert page.redirect_chain[-1][0] == "/password/"


def test_ones_own_new_password_ends_the_other_sessions() -> None:
    bo()
    here, there = signed_in("bo", PASSWORD)[0], signed_in("bo", PASSWORD)[0]
    chosen = "another horse 8"
    form = {"old_password": PASSWORD, "new_password1": chosen, "new_password2": chosen}
    here.post("/password/", form)
    assert is_in(here)
    assert not is_in(there)


def test_the_last_administrator_stays_one(admin: Client) -> None:
    anna = User.objects.get(username="anna")
    for name, form in (("disable", {}), ("group", {"role": ""}), ("group", {"role": "Operations"})):
        assert "is the last administrator who can sign in" in act(admin, anna, name, **form)
    assert is_in(admin)
    assert admin.get("/people/").status_code == 200


def test_nobody_disables_oneself_or_leaves_the_administrators(admin: Client) -> None:
    anna, other = User.objects.get(username="anna"), bo(Role.ADMINISTRATORS)
    assert "You cannot" in act(admin, anna, "disable")
    assert "You cannot" in act(admin, anna, "group", role="Operations")
    assert "by a click on your name" in act(admin, anna, "password")
    assert "The account is disabled." in act(admin, other, "disable")
    assert "is the last administrator" in act(admin, anna, "disable")


def test_a_disabled_or_non_interactive_administrator_does_not_count(admin: Client) -> None:
    other = bo(Role.ADMINISTRATORS)
    other.account.is_non_interactive = True
    other.account.save()
    assert "is the last administrator" in act(
        admin, User.objects.get(username="anna"), "group", role=""
    )


def test_a_key_is_shown_once_and_renewed_only_when_confirmed(admin: Client) -> None:
    user = bo()
    first = shown_on(admin.post(f"/people/{user.pk}/key/"))
    assert keys.holder_of(name="bo", key=first) == user.pk

    asked = page_of(admin.post(f"/people/{user.pk}/key/"))
    assert "Replace the web service key of bo?" in asked
    assert keys.holder_of(name="bo", key=first) == user.pk

    second = shown_on(admin.post(f"/people/{user.pk}/key/", {"confirmed": "1"}))
    assert keys.holder_of(name="bo", key=first) is None
    assert keys.holder_of(name="bo", key=second) == user.pk
    for path in ("/people/", f"/people/{user.pk}/", "/audit/", "/audit/export/"):
        answer = admin.get(path)
        content = answer.getvalue() if answer.streaming else answer.content
        assert first not in content.decode()
        assert second not in content.decode()


def test_what_is_shown_once_is_found_nowhere_afterwards(admin: Client) -> None:
    added = admin.post("/people/add/", {"name": "cleo", "role": Role.ACCOUNTANTS})
    user = User.objects.get(username="cleo")
    canaries = [
        shown_on(added),
        shown_on(admin.post(f"/people/{user.pk}/password/")),
        shown_on(admin.post(f"/people/{user.pk}/key/")),
    ]
    kept = " ".join(str(session.get_decoded()) for session in Session.objects.all())
    kept += str(admin.cookies)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own tables
            kept += str(cursor.fetchall())
    assert [canary for canary in canaries if canary in kept] == []


@pytest.mark.parametrize("name", ["", "group/", "disable/", "enable/", "password/", "key/"])
def test_nobody_is_not_found(admin: Client, name: str) -> None:
    path = f"/people/4711/{name}"
    answer = admin.post(path, {"confirmed": "1"}) if name else admin.get(path)
    assert answer.status_code == 404


def test_names_and_addresses_stay_text(admin: Client) -> None:
    hostile = '<img src=x onerror="alert(1)">'
    user = User.objects.create_user(username=hostile, email=f"{hostile}@example.org")
    keys.change_key(user_id=user.pk, by=Actor(hostile, Door.PAGE))
    act(admin, user, "group", role=Role.OPERATIONS)
    for path in ("/people/", f"/people/{user.pk}/", "/audit/"):
        page = page_of(admin.get(path))
        assert "<img" not in page
        assert "&lt;img src=x" in page
    assert "<img" not in page_of(admin.post(f"/people/{user.pk}/key/"))


MISLEADING = [
    "\u202eanna",
    "an\u200ena",
    "\u0430nna",
    "bj\u00f8rn",
    "an\u200bna",
    "a  b",
    "anna\u0301",
]


@pytest.mark.parametrize("name", MISLEADING)
def test_a_name_that_looks_like_another_one_is_refused(admin: Client, name: str) -> None:
    answer = admin.post("/people/add/", {"name": name, "role": Role.OPERATIONS})
    assert "There is a problem" in page_of(answer)
    assert "Enter a valid username" in page_of(answer)
    assert "letters from a to z" in page_of(answer)
    with pytest.raises(NameUnusable, match="no name"):
        add_person(name=name, role=None, password=PASSWORD)
    assert list(User.objects.values_list("username", flat=True)) == ["anna"]


def test_a_name_of_an_earlier_version_stays_as_it_is(admin: Client) -> None:
    user = User.objects.create_user(username="bj\u00f8rn", password=PASSWORD)
    Account.objects.create(user=user, is_non_interactive=True)

    assert "The group is changed." not in act(admin, user, "group", role=Role.OPERATIONS)
    assert "The account is disabled." in act(admin, user, "disable")
    assert add_non_interactive(name="bj\u00f8rn", by=Actor("anna", Door.PAGE)) == user.pk


def test_many_people_are_paged_by_name(admin: Client) -> None:
    User.objects.bulk_create([User(username=f"p{number:03}") for number in range(120)])
    first = admin.get("/people/").context["page"]
    second = admin.get("/people/", {"after": first.following}).context["page"]
    names = [person.name for person in (*first.people, *second.people)]
    assert names == sorted(names)
    assert len(set(names)) == 121
    assert second.following == ""
