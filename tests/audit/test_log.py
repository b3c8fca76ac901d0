"""What was done is kept: in the transaction of the change, without secrets, and for good."""

import json

import pytest
from django.db import connection, transaction

from crmsync.audit import queries
from crmsync.audit import services as audit
from crmsync.audit.actors import Actor, Door, at_terminal, of_worker
from crmsync.audit.acts import ACTS, Act, caption_of, sentence_of
from crmsync.audit.errors import NeverChanged
from crmsync.audit.models import Entry

pytestmark = pytest.mark.django_db

ANNA = Actor("anna", Door.PAGE, 7)
BERT = audit.Subject("person", "8", "bert")


def record(**changes: object) -> Entry:
    given = {"act": Act.GROUP_CHANGED, "by": ANNA, "subject": BERT, **changes}
    audit.record(**given)  # type: ignore[arg-type]  # a test's own values
    return Entry.objects.latest("pk")


def test_an_entry_says_who_did_what_through_which_door() -> None:
    entry = record(before={"group": "Operations"}, after={"group": "Accountants"})

    assert (entry.who, entry.user_id, entry.door, entry.act) == ("anna", 7, "page", "group_changed")
    assert (entry.table, entry.record, entry.label) == ("person", "8", "bert")
    assert (entry.before, entry.after) == ({"group": "Operations"}, {"group": "Accountants"})


def test_only_what_differs_is_kept() -> None:
    entry = record(before={"a": 1, "b": 2}, after={"a": 1, "b": 3})

    assert (entry.before, entry.after) == ({"b": 2}, {"b": 3})


def test_an_entry_and_its_change_happen_both_or_neither() -> None:
    def interrupted() -> None:
        with transaction.atomic():
            record()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert not Entry.objects.exists()


@pytest.mark.parametrize("name", ["password", "clientSecret", "ACCESS_TOKEN", "web_service_key"])
def test_no_secret_gets_in_whatever_its_name_and_depth(name: str) -> None:
    canary = "canary-5f2c"
    record(before={name: canary}, after={name: f"{canary}-new", "more": [{name: canary}]})
    record(after={"more": {"deep": {name: canary}}})

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_entry")
        assert canary not in str(cursor.fetchall())
    first, second = Entry.objects.order_by("pk")
    assert (first.before[name], first.after[name]) == ("set", "changed")
    assert second.after["more"]["deep"][name] == "set"


def test_an_entry_is_neither_changed_nor_removed() -> None:
    entry = record()

    for attempt in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.update(who="x"),
        lambda: Entry.objects.bulk_update([entry], ["who"]),
    ):
        with pytest.raises(NeverChanged):
            attempt()
    assert Entry.objects.get().who == "anna"


def test_what_is_too_long_or_holds_a_zero_is_kept_as_far_as_it_goes() -> None:
    entry = record(
        by=Actor("a\x00" * 300, Door.COMMAND), subject=audit.Subject("person", "1" * 200, "x" * 300)
    )

    assert (entry.who, len(entry.record), len(entry.label)) == ("a" * 200, 100, 200)


def test_every_act_has_a_caption_and_a_sentence_that_names_its_subject() -> None:
    assert set(ACTS) == set(Act)
    for act in Act:
        assert caption_of(act)
        assert "bert" in sentence_of(act, what="bert")


def test_an_act_of_a_newer_version_is_shown_by_its_code() -> None:
    Entry.objects.create(who="anna", door="page", act="of_tomorrow", table="x", label="y")

    (line,) = queries.read_page(queries.Chosen()).lines
    assert (line.caption, line.sentence) == ("of_tomorrow", "of_tomorrow: y")


def test_commands_and_workers_act_under_their_names() -> None:
    assert at_terminal().door is Door.COMMAND
    assert record(by=of_worker("run 3")).door == "worker"


def test_the_log_is_paged_by_key() -> None:
    for _ in range(queries.PAGE_ENTRIES + 3):
        record()

    first = queries.read_page(queries.Chosen())
    second = queries.read_page(queries.Chosen(), before=first.following)

    assert (len(first.lines), len(second.lines), second.following) == (
        queries.PAGE_ENTRIES,
        3,
        None,
    )


def test_an_export_reads_on_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "BLOCK_ENTRIES", 2)
    for number in range(5):
        record(subject=audit.Subject("person", str(number), ""))

    rows = list(queries.rows_of_export(queries.Chosen()))

    at = rows[0].index("record")
    assert [row[at] for row in rows[1:]] == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_an_export_is_a_formula(mark: str) -> None:
    record(by=Actor(f"{mark}HYPERLINK()", Door.PAGE), after={f"{mark}name": "x"})

    row = list(queries.rows_of_export(queries.Chosen()))[1]

    assert f"'{mark}HYPERLINK()" in row
    assert not [cell for cell in row if cell.startswith(mark)]


def test_values_of_any_kind_can_be_kept() -> None:
    entry = record(after={"at": at_terminal().door, "scopes": {"b"}, "none": None, "yes": True})

    assert json.loads(json.dumps(entry.after))["scopes"] == ["b"]
