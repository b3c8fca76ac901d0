"""What a request may change: nothing by GET, and nothing by fields that no form has."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core import serializers
from django.db import IntegrityError, transaction
from django.test import Client

from crmsync.audit.errors import NeverChanged
from crmsync.audit.models import Entry
from crmsync.connections.models import Connection
from crmsync.frame.people import Role, add_person
from crmsync.ledger.models import CompanyInformation
from setup_wizard.models import SetupProgress
from tests.pages import ADDRESSES, url
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.guide import Guide

# Of people who look, these may change: when they were last here.
OF_LOOKING = {"sessions", "axes"}
# Answered to a GET although no page is shown there.
READ_ALONE = {
    "setup_wizard:connection-status",
    "health",
    "frame:audit-export",
    "setup_wizard:finish",
    "coupling:match-state",
}
# A GET shows the question that the POST answers.
ASK_FIRST = {"setup_wizard:cancel", "fullsync:cancel", "fullsync:cancel-job", "coupling:create"}
CHANGING = sorted(
    name
    for name, entry in ADDRESSES.items()
    if not entry.shown and name not in READ_ALONE | ASK_FIRST
)


def everything() -> dict[str, str]:
    """Every row of ours, by table."""
    models = [
        model
        for model in apps.get_models()
        if model._meta.managed and model._meta.app_label not in OF_LOOKING
    ]
    return {
        model._meta.db_table: serializers.serialize("json", model._default_manager.order_by("pk"))
        for model in models
    }


@pytest.mark.parametrize("method", ["get", "head"])
def test_no_address_changes_anything_by_being_looked_at(connected: Sandbox, method: str) -> None:
    client = client_of(Role.ADMINISTRATORS)
    client.raise_request_exception = False
    before, mark = everything(), connected.mark()

    for name in sorted(ADDRESSES):
        answer = getattr(client, method)(url(name), {"confirmed": "1", "ids": "1"})
        assert answer.status_code < 500 or name == "health", name

    after = everything()
    assert {table for table in after if after[table] != before[table]} == set()
    assert connected.writes(mark) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", CHANGING)
def test_an_address_that_only_changes_takes_no_get(name: str) -> None:
    client = client_of(Role.ADMINISTRATORS)

    for answer in (client.get(url(name)), client.head(url(name))):
        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_no_address_knows_other_methods(method: str) -> None:
    client = client_of(Role.ADMINISTRATORS)

    answers = {name: getattr(client, method)(url(name)).status_code for name in ADDRESSES}

    assert set(answers.values()) == {405}


EXTRA: dict[str, Any] = {
    "id": "7",
    "pk": "7",
    "user": "7",
    "user_id": "7",
    "is_superuser": "on",
    "is_staff": "on",
    "is_active": "on",
    "groups": "1",
    "user_permissions": "1",
    "password": "taken over",
    "state": "enabled",
    "epoch": "9",
    "crm_id": "9",
    "is_enabled": "on",
    "sealed_secret": "x",
    "sealed": "{}",
    "claimed_until": "",
    "finish": "{}",
    "answers": "{}",
    "seen": "{}",
    "origin": "https://evil.example",
    "token": "x",
    "is_non_interactive": "",
    "last_login": "",
}


@pytest.mark.django_db
def test_fields_that_the_form_has_not_make_nobody_more_than_they_are() -> None:
    client = client_of(Role.ADMINISTRATORS, name="anna")
    client.post("/people/add/", {**EXTRA, "name": "cleo", "role": Role.OPERATIONS, "email": ""})
    cleo = User.objects.get(username="cleo")

    client.post(f"/people/{cleo.pk}/group/", {**EXTRA, "role": Role.ACCOUNTANTS})
    client.post("/company/", {**EXTRA, "name": "X", "local_currency_code": "DKK"})

    cleo.refresh_from_db()
    assert (cleo.is_superuser, cleo.is_staff, cleo.user_permissions.count()) == (False, False, 0)
    assert [group.name for group in cleo.groups.all()] == ["Accountants"]
    assert not cleo.check_password("taken over")
    assert not User.objects.filter(is_superuser=True).exists()
    assert not CompanyInformation.objects.filter(pk=7).exists()


@pytest.mark.django_db
def test_ones_own_password_page_changes_nobody_elses() -> None:
    other = add_person(name="anna", role=Role.ADMINISTRATORS, password="correct horse 7")
    client = client_of(Role.OPERATIONS, name="bo")
    chosen = "another horse 8"
    form = {"old_password": "correct horse 7", "new_password1": chosen, "new_password2": chosen}

    client.post("/password/", {**EXTRA, **form, "user": other.pk, "username": "anna"})

    other.refresh_from_db()
    assert other.check_password("correct horse 7")
    assert User.objects.get(username="bo").groups.get().name == "Operations"


def test_a_step_of_the_guide_keeps_its_own_fields_alone(guide: Guide) -> None:
    later = {"application_secret": "x", "scopes": ["customers"], "change_tracking": ["account"]}
    guide.post("environment", {**EXTRA, **later, "tenant": "x", "authority": "https://evil"})
    row = SetupProgress.objects.get()

    assert row.answers == {
        "environment": {
            "url": guide.sandbox.ready["origin"],
            "application_id": guide.sandbox.ready["application"]["client_id"],
        }
    }
    assert row.seen["environment"]["tenant"] == guide.sandbox.ready["tenant"]
    assert (row.sealed, row.finish, row.claimed_until) == ({}, {}, None)
    assert not Connection.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "target",
    [
        *("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example"),
        *("https:evil.example", "https://evil.example", "http:///evil.example", "ftp://evil"),
        *("javascript:alert(1)", "data:text/html,x", " //evil.example", "\t//evil.example"),
        *("/%0d%0aLocation:%20//evil.example", "https://testserver@evil.example", "//testserver.x"),
    ],
)
def test_no_address_leads_to_another_site(target: str) -> None:
    add_person(name="anna", role=Role.ACCOUNTANTS, password="correct horse 7")
    client = Client()
    form = {"username": "anna", "password": "correct horse 7", "next": target}

    signed_in = client.post("/sign-in/", form)
    again = client.get("/sign-in/", {"next": target})
    language = client.post("/language/", {"language": "da", "next": target})
    out = client.post("/sign-out/", {"next": target})

    for answer in (signed_in, again, language, out):
        location = answer.headers.get("Location", "/")
        assert location.startswith("/"), location
        assert not location.startswith(("//", "/\\")), location
        assert "\n" not in location


def test_an_entry_of_the_audit_log_is_changed_by_no_way_of_the_models(guide: Guide) -> None:
    guide.client.post("/company/", {"name": "X", "local_currency_code": "GBP"})
    entry = Entry.objects.latest("pk")
    entries = Entry.objects.all()
    ways: list[Callable[[], Any]] = [
        lambda: entries.update(who="x"),
        lambda: entries.delete(),
        lambda: entries.bulk_create(
            [entry], update_conflicts=True, unique_fields=["pk"], update_fields=["who"]
        ),
        lambda: Entry.objects.update_or_create(pk=entry.pk, defaults={"who": "x"}),
        lambda: entry.save(force_update=True),
    ]
    for number, way in enumerate(ways):
        with pytest.raises(NeverChanged):
            way()
        assert Entry.objects.get(pk=entry.pk).who == entry.who, number
    with pytest.raises(IntegrityError), transaction.atomic():
        Entry(pk=entry.pk, who="x", act="x").save()
    assert Entry.objects.get(pk=entry.pk).who == entry.who
