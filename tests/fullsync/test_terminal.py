"""The terminal as a door: a sentence, a remedy, an exit status; never a traceback."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.stacks import Stack, running_stack
from tests.sandboxes import ROOT

CUSTOMERS = 60


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A connected demo company; nothing is up."""
    folder = tmp_path_factory.mktemp("terminal")
    with running_stack(folder, customers=CUSTOMERS) as stack:
        stack.prepare(CUSTOMERS)
        yield stack


def test_a_start_without_a_broker_is_stored_and_says_what_to_do(prepared: Stack) -> None:
    answer = prepared.manage("fullsync", "start", check=False)

    assert answer.returncode == 3
    assert "broker does not answer" in answer.stderr
    assert "manage.py up" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert len(prepared.rows("SELECT id FROM fullsync_fullsync")) == 1
    assert prepared.manage("fullsync", "cancel").returncode == 0


def test_a_run_that_waits_for_a_worker_says_so(prepared: Stack) -> None:
    prepared.manage("fullsync", "start", check=False)

    status = prepared.manage("fullsync", "status")

    assert "Waits for a worker since" in status.stdout
    prepared.manage("fullsync", "cancel")


def test_a_start_while_sales_is_away_is_refused_and_stores_nothing(prepared: Stack) -> None:
    before = prepared.rows("SELECT id FROM fullsync_fullsync")
    away = {**prepared.environment, "CRMSYNC_SANDBOX_PORT": "9"}

    answer = _manage(away, "fullsync", "start")

    assert answer.returncode == 1
    assert "cannot be reached" in answer.stderr or "connection to Sales was lost" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert prepared.rows("SELECT id FROM fullsync_fullsync") == before


def test_a_locked_database_gives_a_sentence(prepared: Stack) -> None:
    database = prepared.folder / "crmsync.sqlite3"
    soon = {**prepared.environment, "DATABASE_URL": f"sqlite:///{database}?timeout=1"}
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        answer = _manage(soon, "fullsync", "start")
    finally:
        connection.execute("ROLLBACK")
        connection.close()

    assert answer.returncode == 1
    assert "database does not answer" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_preview_counts_outcomes_and_writes_nothing(prepared: Stack) -> None:
    mark = prepared.sandbox.mark()
    stamps = prepared.rows("SELECT number, stamp FROM ledger_customer ORDER BY number")

    answer = prepared.manage("fullsync", "preview")

    assert "inserted" in answer.stdout
    assert "->" in answer.stdout
    assert prepared.sandbox.writes(mark) == []
    assert prepared.rows("SELECT number, stamp FROM ledger_customer ORDER BY number") == stamps


def test_without_a_connection_every_command_says_how_to_connect(tmp_path: Path) -> None:
    environment = {**os.environ, "CRMSYNC_DATA_DIR": str(tmp_path)}
    _manage(environment, "migrate", "-v0")

    for command in (
        ["fullsync", "start"],
        ["couple", "suggest", "CUSTOMER"],
        ["fullsync", "preview"],
    ):
        answer = _manage(environment, *command)
        assert answer.returncode == 1
        assert "Dynamics 365 Connection Setup" in answer.stderr
        assert "Traceback" not in answer.stderr


def test_a_wrong_setting_refuses_to_start_and_names_itself(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "CRMSYNC_DATA_DIR": str(tmp_path),
        "CRMSYNC_MAX_MESSAGE_ROWS": "many",
    }

    answer = _manage(environment, "check")

    assert answer.returncode == 1
    assert "CRMSYNC_MAX_MESSAGE_ROWS" in answer.stderr
    assert "Traceback" not in answer.stderr


def _manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
