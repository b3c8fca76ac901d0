"""The database refuses what the finish stores: said, nothing half done, and no secret shows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from crmsync.audit.models import Entry
from crmsync.connections.models import Connection
from setup_wizard.models import SetupProgress
from tests.safety.canaries import Canaries, listening
from tests.safety.driving import do_until, due_now
from tests.setup_wizard.finishes import FINISH, finish, imports_go, one_act, states
from tests.setup_wizard.guide import Guide, text

SAID = "The database of this installation did not keep this."


@contextmanager
def refusing(table: str, event: str) -> Iterator[None]:
    """As a full disk or a broken file would: every such statement fails."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TRIGGER refuses BEFORE {event} ON main.{table} "  # our own names
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
        yield
        cursor.execute("DROP TRIGGER refuses")


@pytest.mark.parametrize(
    ("act", "table", "event"),
    [
        ("stored", "connections_connection", "INSERT"),
        ("counterpart", "auth_user", "INSERT"),
        ("counterpart", "audit_entry", "INSERT"),
        ("enabled", "connections_connection", "UPDATE"),
        ("enabled", "audit_entry", "INSERT"),
        ("enabled", "setup_wizard_setupprogress", "DELETE"),
    ],
)
def test_what_is_not_kept_is_said_and_tried_again(
    guide: Guide,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    act: str,
    table: str,
    event: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    canaries = listening(Canaries(guide, caplog), monkeypatch)
    imports_go(guide.sandbox, seconds=0, hidden=0)
    guide.until("check")
    guide.post("check")
    do_until(act, guide)
    before = list(Connection.objects.values()), Entry.objects.count()

    with refusing(table, event):
        canaries.show(one_act(guide))

    assert SAID in text(guide.client.get(FINISH))
    assert states()[act] == "waiting"
    assert (list(Connection.objects.values()), Entry.objects.count()) == before
    assert not Connection.objects.filter(is_enabled=True).exists()
    assert "the disk is full" in caplog.text
    canaries.look_everywhere()
    assert canaries.leaks() == []
    due_now()
    finish(guide)
    assert Connection.objects.get().is_enabled
    assert not SetupProgress.objects.exists()
