"""The whole stack on one machine: which processes it consists of, and how each is started."""

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from crmsync.broker import server_binary, socket_path
from crmsync.supervisor import Child

READY_SECONDS = 60.0


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def broker() -> Child | None:
    """A private broker on a unix socket, or None when the settings name another one."""
    binary = server_binary()
    path = socket_path(settings.CRMSYNC_DATA_DIR)
    if binary is None or f"redis+socket://{path}" != settings.CELERY_BROKER_URL:
        return None
    command = [
        binary,
        *("--port", "0"),
        *("--unixsocket", str(path)),
        *("--unixsocketperm", "700"),
        *("--dir", str(path.parent)),
        *("--appendonly", "no"),
        *("--save", ""),
    ]
    child = _child("broker", command)
    child.prepare = lambda: path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return child


def sandbox(*, customers: int) -> Child:
    """Its one line holds the secrets of its demo identities, so that it goes into no log."""
    child = _child(
        "sandbox",
        manage(
            "sandbox",
            *("--port", str(settings.CRMSYNC_SANDBOX_PORT)),
            *("--data", str(settings.CRMSYNC_DATA_DIR / "sandbox.sqlite3")),
            *("--seed", "demo"),
            *("--customers", str(customers)),
        ),
    )
    child.output = sandbox_identities()
    return child


def sandbox_identities() -> Path:
    """Where the sandbox of the stack wrote its addresses and demo identities, as JSON."""
    folder: Path = settings.CRMSYNC_DATA_DIR
    return folder / "sandbox.json"


def worker() -> Child:
    """Threads, not processes: the work waits for answers, and one process is one to kill."""
    return _child(
        "worker",
        _celery(
            "worker",
            *("--pool", "threads"),
            *("--concurrency", str(settings.CRMSYNC_WORKER_THREADS)),
            *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        ),
    )


def beat() -> Child:
    """The one clock; its schedule is in the settings, so it keeps no file."""
    return _child(
        "beat",
        _celery("beat", "--scheduler", "celery.beat:Scheduler"),
    )


def web(*, port: int) -> Child:
    """Two processes, so that pages use a second core; threads, as pages wait for the database.

    Both are copies of one that has loaded everything, so that nobody waits for it twice.
    """
    return _child(
        "web",
        [
            *(sys.executable, "-m", "gunicorn"),
            *("--bind", f"127.0.0.1:{port}"),
            *("--workers", "2", "--threads", "4", "--preload"),
            # Long enough for a page with what belongs to it. A connection that stays open stays
            # with its process, however busy that is: with 20 users the other one stood idle.
            *("--keep-alive", "1"),
            *("--log-level", "warning", "--no-control-socket"),
            "crmsync.wsgi:application",
        ],
    )


def wait_until_ready(child: Child, is_ready: Callable[[], bool]) -> None:
    """Raises TimeoutError, naming the log."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        if time.monotonic() > deadline or child.is_dead:
            raise TimeoutError(f"The {child.name} did not start; its log is {child.log}.")
        time.sleep(0.05)


def is_served(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _celery(*arguments: str) -> list[str]:
    """Without Django's checks: ``manage.py up`` has just made them."""
    application = ("--app", "crmsync.celery", "--skip-checks")
    return [sys.executable, "-m", "celery", *application, *arguments]


def _child(name: str, command: list[str]) -> Child:
    environment = {**os.environ, "PYTHONPATH": str(settings.BASE_DIR), "PYTHONUNBUFFERED": "1"}
    return Child(name, command, environment, settings.CRMSYNC_DATA_DIR / "logs" / f"{name}.log")
