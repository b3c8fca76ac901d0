"""The audit log as administrators read it, and what the frame writes into it."""

import csv
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor, Door
from crmsync.audit.acts import Act
from crmsync.audit.models import Entry
from crmsync.frame.people import Role, add_person
from tests.people import client_of

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse 7"


@pytest.fixture
def admin() -> Client:
    return client_of(Role.ADMINISTRATORS, name="anna")


def sign_in(name: str, password: str) -> None:
    Client().post("/sign-in/", {"username": name, "password": password})


def acts() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("act", flat=True))


def exported(client: Client, **asked: str) -> list[dict[str, str]]:
    answer: Any = client.get("/audit/export/", asked)
    return list(csv.DictReader(answer.getvalue().decode("utf-8-sig").splitlines()))


def test_what_the_frame_does_is_kept_with_who_did_it(admin: Client) -> None:
    company = {"name": "Ålborg Værft", "local_currency_code": "DKK", "experience": "basic"}
    admin.post("/company/", company)
    admin.post("/company/", company)  # nothing changed
    admin.post("/company/", {**company, "experience": "suite"})

    first, second = Entry.objects.filter(act=Act.COMPANY_CHANGED).order_by("pk")
    assert (first.who, first.door, first.label) == ("anna", "page", "Ålborg Værft")
    assert (second.before, second.after) == ({"experience": "basic"}, {"experience": "suite"})


def test_sign_ins_and_refusals_are_kept_and_a_lockout_once() -> None:
    add_person(name="bo", role=Role.OPERATIONS, password=PASSWORD)
    sign_in("bo", PASSWORD)
    for _ in range(12):
        sign_in("bo", "canary-wrong-password")

    assert acts() == [
        "person_added",
        "signed_in",
        *["sign_in_failed"] * 9,
        "sign_in_locked",
    ]
    latest = Entry.objects.latest("pk")
    assert (latest.who, latest.label, latest.detail) == ("", "bo", "127.0.0.1")
    assert "canary" not in str(list(Entry.objects.values()))


def test_a_name_that_nobody_has_is_not_kept_as_it_may_be_a_password() -> None:
    sign_in("canary-typed-into-the-wrong-field", "x")
    sign_in("", "")

    (entry,) = Entry.objects.all()
    assert (entry.act, entry.label) == ("sign_in_failed", "")
    assert "canary" not in str(list(Entry.objects.values()))


def test_the_page_tells_who_did_what_and_when(admin: Client) -> None:
    bo = add_person(name="bo", role=Role.OPERATIONS, password=PASSWORD)
    admin.post(f"/people/{bo.pk}/group/", {"role": Role.ACCOUNTANTS})
    sign_in("nobody", "x")

    page = admin.get("/audit/").content.decode()

    assert "Changed the group of bo." in page
    assert "<del>Operations</del>" in page
    assert "<ins>Accountants</ins>" in page
    assert "Failed to sign in as an unknown name." in page
    assert "somebody unknown" in page


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"who": "ANN"}, ["bo"]),
        ({"who": "carl"}, ["dora"]),
        ({"act": "person_enabled"}, ["dora"]),
        ({"act": "person_enabled", "who": "anna"}, []),
        ({"day": "2020-01-01"}, []),
        ({"day": "today"}, ["dora", "bo"]),
    ],
)
def test_it_is_filtered_by_person_act_and_day(
    admin: Client, asked: dict[str, str], found: list[str]
) -> None:
    for who, act, label in (
        ("anna", Act.PERSON_DISABLED, "bo"),
        ("carl", Act.PERSON_ENABLED, "dora"),
    ):
        subject = audit.Subject("person", "1", label)
        audit.record(act=act, by=Actor(who, Door.PAGE), subject=subject)
    if asked.get("day") == "today":
        asked = {"day": timezone.localdate().isoformat()}

    lines = admin.get("/audit/", asked).context["page"].lines
    names = [one for line in lines for one in ("bo", "dora") if one in line.sentence]

    assert names == found
    assert [row["label"] for row in exported(admin, **asked) if row["label"] != "anna"] == found


@pytest.mark.parametrize(
    "asked",
    [
        *({"day": "yesterday"}, {"act": "x"}, {"before": "0"}),
        *({"day": "9999-12-31"}, {"day": "9999-12-30"}, {"day": "0001-01-01"}),
    ],
)
def test_an_answer_that_makes_no_sense_is_named(admin: Client, asked: dict[str, str]) -> None:
    page = admin.get("/audit/", asked).content.decode()
    assert "There is a problem" in page
    assert admin.get("/audit/export/", asked).status_code == 302


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "Europe/Copenhagen"])
@pytest.mark.parametrize("day", ["1970-01-01", "2999-12-31"])
def test_the_first_and_the_last_day_can_be_asked_for_in_every_zone(
    admin: Client, settings: Settings, zone: str, day: str
) -> None:
    settings.TIME_ZONE = zone

    assert admin.get("/audit/", {"day": day}).context["page"].lines == ()
    assert exported(admin, day=day) == []


def test_a_number_that_no_entry_has_goes_on_after_the_newest(admin: Client) -> None:
    asked = {"before": "9" * 30}
    assert admin.get("/audit/", asked).status_code == 200
    assert admin.get("/audit/export/", asked).getvalue().count(b"person_added") == 1


def test_values_that_are_codes_are_told_in_words_and_exported_as_codes(admin: Client) -> None:
    audit.record(
        act=Act.CONNECTION_SET_UP,
        by=Actor("anna", Door.PAGE),
        subject=audit.Subject("connection", "1", "Fjord"),
        before={"ownership": "salesperson", "experience": "basic", "scopes": ["customers"]},
        after={
            "ownership": "team",
            "owner": "Fjord Sales",
            "administrator": "mona@fjord.example",
            "experience": "suite",
            "scopes": ["salespeople", "customers", "of_a_newer_version"],
            "signs_in_with": "application with secret",
            "credentials": "new",
        },
    )
    (line, *_) = admin.get("/audit/").context["page"].lines

    assert {value.caption: (value.before, value.after) for value in line.values} == {
        "Ownership": ("the user of the salesperson", "a team"),
        "Owner": ("", "Fjord Sales"),
        "Administrator": ("", "mona@fjord.example"),
        "Experience": ("Basic", "Suite"),
        "What to synchronize": ("Customers", "Salespeople, Customers, of_a_newer_version"),
        "Signs in with": ("", "application with secret"),
        "Secret": ("", "set"),
    }
    assert "scopes: ['salespeople', 'customers'" in exported(admin)[0]["after"]


def test_times_are_told_to_the_second(admin: Client) -> None:
    at = timezone.localtime(Entry.objects.latest("pk").at)
    page = admin.get("/audit/").content.decode()
    assert f"{at:%H:%M:%S}</time>" in page


def test_older_entries_keep_what_was_chosen(admin: Client) -> None:
    for _ in range(60):
        audit.record(
            act=Act.PERSON_ENABLED,
            by=Actor("anna", Door.PAGE),
            subject=audit.Subject("person", "1", "bo"),
        )
    page = admin.get("/audit/", {"who": "anna"})
    older = f"?who=anna&amp;before={page.context['page'].following}"
    assert older in page.content.decode()
    assert len(admin.get(f"/audit/{older.replace('&amp;', '&')}").context["page"].lines) == 10


def test_the_export_is_a_file_without_formulas(admin: Client) -> None:
    audit.record(
        act=Act.COMPANY_CHANGED,
        by=Actor("anna", Door.PAGE),
        subject=audit.Subject("company", "1", '=HYPERLINK("x"),\n"y"'),
    )
    answer = admin.get("/audit/export/")

    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    row = exported(admin)[0]
    assert row["label"].startswith("'=HYPERLINK")
    assert row["act"] == "company_changed"


def test_only_administrators_read_it() -> None:
    for role in (Role.ACCOUNTANTS, Role.OPERATIONS):
        client = client_of(role)
        assert client.get("/audit/").status_code == 403
        assert client.get("/audit/export/").status_code == 403
        assert "Audit Log" not in client.get("/").content.decode()


def test_a_head_of_the_export_has_no_body(admin: Client) -> None:
    answer: Any = admin.head("/audit/export/")
    assert answer.status_code == 200
    assert answer.getvalue() == b""
