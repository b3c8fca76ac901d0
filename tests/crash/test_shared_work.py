"""Several workers, several starts: every record is done once."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.crash.conftest import CUSTOMERS, LATENCY_SECONDS, SMALL_MESSAGES, Undisturbed
from tests.crash.postgres import running_postgres
from tests.crash.stacks import Stack, outcomes, running_stack
from tests.sandboxes import ROOT


def test_twenty_starts_in_parallel_make_one_run(stack: Stack) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(lambda _: stack.manage("fullsync", "start", check=False), range(20))
        )

    assert {answer.stderr.count("Traceback") for answer in answers} == {0}
    assert sum("started" in answer.stdout for answer in answers) == 1
    assert sum("under way already" in answer.stdout for answer in answers) == 19
    assert len(stack.rows("SELECT id FROM fullsync_fullsync")) == 1
    jobs = stack.rows("SELECT mapping FROM sync_job WHERE phases LIKE '%_crm%'")
    assert Counter(job["mapping"] for job in jobs) == {"CURRENCY": 1, "SALESPEOPLE": 1}


@pytest.fixture
def on_postgres(tmp_path: Path) -> Iterator[Stack]:
    """The product on PostgreSQL and Redis, with a fresh demo company."""
    with running_postgres() as url:
        environment = {**SMALL_MESSAGES, "DATABASE_URL": url, "CRMSYNC_WORKER_THREADS": "2"}
        with running_stack(tmp_path, customers=CUSTOMERS, environment=environment) as stack:
            stack.prepare(CUSTOMERS)
            stack.sandbox.fault({"path": "/api/data/"}, {"latency": LATENCY_SECONDS})
            yield stack


def test_two_worker_processes_on_postgres_share_a_table_and_do_each_record_once(
    on_postgres: Stack, undisturbed: Undisturbed
) -> None:
    stack = on_postgres
    stack.start()
    second = _start_worker(stack)
    try:
        stack.wait_for(lambda: len(_workers(stack)) == 2, "the second worker")
        stack.manage("fullsync", "start")
        workers: set[str] = set()

        def note_workers_until_over() -> bool:
            workers.update(
                row["worker"]
                for row in stack.rows("SELECT worker FROM sync_part WHERE worker <> ''")
            )
            return not stack.rows("SELECT id FROM fullsync_fullsync WHERE state = 'running'")

        stack.wait_for(note_workers_until_over, "the end of the run")
    finally:
        second.send_signal(signal.SIGTERM)
        second.wait(40)

    assert len(workers) == 2
    assert stack.differences() == []
    assert outcomes(stack.report()) == undisturbed.outcomes
    assert written_more_than_once(stack.sandbox.journal()) == {}


def _workers(stack: Stack) -> list[dict[str, Any]]:
    return stack.rows("SELECT name FROM connections_workerheartbeat")


def _start_worker(stack: Stack) -> subprocess.Popen[bytes]:
    """Another worker process, as on another machine."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "--app", "crmsync.celery", "worker"),
            *("--pool", "threads", "--concurrency", "2", "--hostname", "second@%h"),
            *("--without-gossip", "--without-mingle"),
        ],
        cwd=ROOT,
        env=stack.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def written_more_than_once(journal: list[dict[str, Any]]) -> dict[str, int]:
    """Rows that more than one applied request created or updated."""
    written: Counter[str] = Counter()
    for entry in journal:
        if not entry["applied"]:
            continue
        if entry["url"].endswith("CreateMultiple"):
            written.update(row["accountid"] for row in json.loads(entry["body"])["Targets"])
        elif entry["url"].endswith("$batch"):
            lines = entry["body"].splitlines()
            written.update(line.split(" ")[1] for line in lines if line.startswith("PATCH "))
    return {row: n for row, n in written.items() if n > 1}
