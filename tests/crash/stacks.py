"""The product as it runs for real, in processes that can be killed."""

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from crmsync.stack import is_served
from tests.sandboxes import ROOT, Sandbox, running_sandbox
from tests.sync import checker

PATIENCE_SECONDS = 240.0
POLL_SECONDS = 0.2

WRITTEN_BY_TESTS = {"up.log", "admin.txt", "secret.txt"}
KEPT_WHILE_UP = {"crmsync.sqlite3", "crmsync.sqlite3-wal", "worker.log", "web.pid", "up.lock"}

Command = tuple[str, ...]

COUPLE_CERTAIN: tuple[Command, ...] = (
    ("couple", "accept", "SALESPEOPLE", "--certain", "--winner", "crm"),
    ("couple", "accept", "CUSTOMER", "--certain", "--winner", "ledger"),
)


def demo_company(customers: int) -> tuple[Command, ...]:
    """The commands that plant it in a new installation."""
    return ("migrate", "-v0"), ("seed_demo", "--customers", str(customers))


@dataclass(slots=True)
class Stack:
    """One installation: its folder, its environment, and ``manage.py up`` while it runs."""

    folder: Path
    sandbox: Sandbox
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    port: int = field(default_factory=lambda: free_port())
    beats_before: set[str] = field(default_factory=set)

    def manage(
        self, *arguments: str, check: bool = True, patience: float = PATIENCE_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=patience,
        )
        assert done.returncode == 0 or not check, f"{arguments}: {done.stdout}{done.stderr}"
        return done

    def manage_all(self, *commands: Command) -> str:
        """Several commands, one after the other in one process; what they print."""
        lines = [f"call_command(*{list(command)})" for command in commands]
        script = "\n".join(("from django.core.management import call_command", *lines))
        patience = PATIENCE_SECONDS * len(commands)
        return self.manage("shell", "-v0", "-c", script, patience=patience).stdout

    def start(self) -> None:
        """``manage.py up``, until its worker has given a sign of life and its pages are served."""
        with contextlib.suppress(sqlite3.OperationalError, psycopg.Error):
            beats = self.rows("SELECT name, seen_at FROM connections_workerheartbeat")
            self.beats_before = {str(beat) for beat in beats}
        with (self.folder / "up.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", str(self.port)],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self.wait_for(lambda: self._worker_alive(), "a worker")
        self.wait_for(lambda: is_served(self.port), "the web server")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.let_recover()
            self.process.wait(40)

    def pid(self, name: str) -> int:
        return int((self.folder / "logs" / f"{name}.pid").read_text())

    def log(self, name: str) -> str:
        return (self.folder / "logs" / f"{name}.log").read_text()

    def kill(self, name: str) -> None:
        """SIGKILL a process and all of its group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid(name), signal.SIGKILL)

    def lose(self, name: str) -> None:
        """Kill a process for good: the supervisor is held, so that nobody starts it again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        self.kill(name)

    def let_recover(self) -> None:
        """The supervisor goes on: what was lost is started again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def kill_everything(self) -> None:
        """The supervisor dies and takes its children along: nothing can clean up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def wipe_broker(self) -> None:
        shutil.rmtree(self.folder / "broker", ignore_errors=True)

    def rows(self, query: str) -> list[dict[str, Any]]:
        with contextlib.closing(self.connect()) as connection:
            return checker.rows(connection.cursor(), query)

    def connect(self) -> Any:  # a connection of any DB-API driver
        if url := self.environment.get("DATABASE_URL"):
            return psycopg.connect(url)
        return sqlite3.connect(self.folder / "crmsync.sqlite3", timeout=20)

    def readable_by_others(self) -> list[Path]:
        """Files of the installation that not their owner alone may read, once it is up."""
        kept = [path for path in self.folder.rglob("*") if path.name not in WRITTEN_BY_TESTS]
        assert {path.name for path in kept} >= KEPT_WHILE_UP
        return [path for path in kept if path.exists() and path.stat().st_mode & 0o077]

    def differences(self) -> list[str]:
        with contextlib.closing(self.connect()) as connection:
            return checker.differences(self.sandbox, connection.cursor())

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.manage("fullsync", "status", "--json").stdout)
        return found

    def prepare(self, customers: int) -> None:
        """The demo company, connected, with everything coupled that certainly matches."""
        self.manage_all(*demo_company(customers), self._connect(), *COUPLE_CERTAIN)

    def connect_and_couple(self) -> None:
        """Connect, and accept every certain pair."""
        self.manage_all(self._connect(), *COUPLE_CERTAIN)

    def connect_to_sales(self) -> None:
        self.manage_all(self._connect())

    def _connect(self) -> Command:
        """Set up without a browser, as the sandbox's application."""
        ready = self.sandbox.ready
        admin, secret = self.folder / "admin.txt", self.folder / "secret.txt"
        admin.write_text(ready["administrator"]["password"])
        secret.write_text(ready["application"]["client_secret"])
        return (
            "connect",
            *("--url", ready["origin"]),
            *("--admin-user", ready["administrator"]["username"]),
            *("--admin-password-file", str(admin)),
            *("--application-id", ready["application"]["client_id"]),
            *("--integration-application", ready["application"]["client_id"]),
            *("--integration-secret-file", str(secret)),
        )

    def wait_for(self, event: Callable[[], bool], what: str) -> float:
        """Seconds until it happened; fails, naming it, when patience ends."""
        began = time.monotonic()
        while not event():
            assert time.monotonic() - began < PATIENCE_SECONDS, f"waited in vain for {what}"
            time.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def timed(self, act: Callable[[], None]) -> float:
        began = time.monotonic()
        act()
        return time.monotonic() - began

    def wait_until_over(self) -> float:
        return self.wait_for(
            lambda: not self.rows("SELECT id FROM fullsync_fullsync WHERE state = 'running'"),
            "the end of the run",
        )

    def seen(self, phase: str) -> int:
        """How many records of the phase are accounted for, over all jobs."""
        query = f"SELECT COALESCE(SUM(seen), 0) AS n FROM sync_part WHERE phase = '{phase}'"  # noqa: S608 - our own word
        return int(self.rows(query)[0]["n"])

    def _worker_alive(self) -> bool:
        """A sign of life since ``start`` was called."""
        with contextlib.suppress(sqlite3.OperationalError, psycopg.Error):
            beats = self.rows("SELECT name, seen_at FROM connections_workerheartbeat")
            return {str(beat) for beat in beats} - self.beats_before != set()
        return False


@contextmanager
def permissive() -> Iterator[None]:
    """As most machines begin: new files can be read by everybody."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def running_stack(
    folder: Path, *, customers: int, environment: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """A sandbox of its own, and an installation that is not up yet."""
    with running_sandbox(folder / "sandbox.sqlite3", customers=customers) as sandbox:
        data = folder / "var"
        data.mkdir(exist_ok=True)
        ours = ("CRMSYNC_", "DATABASE_")
        inherited = {name: v for name, v in os.environ.items() if not name.startswith(ours)}
        settings = {
            "CRMSYNC_DATA_DIR": str(data),
            "CRMSYNC_SANDBOX_PORT": str(sandbox.port),
            **(environment or {}),
        }
        stack = Stack(data, sandbox, {**inherited, **settings})
        try:
            yield stack
        finally:
            stack.stop()


def outcomes(report: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Per table and phase the number of records by outcome."""
    return {
        f"{line['mapping']} {phase}": found["outcomes"]
        for line in report["lines"]
        for phase, found in line["phases"].items()
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
