"""The whole stack with the demo company and a sandbox of Sales, from nothing to synchronized.

It does what its user would do, with the same commands, then holds the records that need attention
against the trouble that was planted. Exit status 0: every line finished and they are the same.
"""

import argparse
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from crmsync import stack
from crmsync.frame import people
from crmsync.ledger.demo import planted_attention
from crmsync.mapping.registry import get_mapping
from crmsync.supervisor import AlreadyUp, Child, Supervisor, lock
from crmsync.sync.models import CrmRecord, Obstacle
from crmsync.terms import Side

READY_SECONDS = 120.0
USUAL_PORT = 8000


class Command(BaseCommand):
    help = "Show the product at work: connect, couple what matches, synchronize, compare."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--customers", type=int, default=500)
        parser.add_argument("--once", action="store_true", help="exit after the run")
        parser.add_argument(
            "--port", type=int, default=0, help=f"of the web server; 0: {USUAL_PORT}, or a free one"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if not settings.CRMSYNC_SANDBOX_PORT:
            _begin_again_in_own_folder()
        supervisor = Supervisor()
        port = options["port"] or _free_port(USUAL_PORT)
        try:
            supervisor.start(_up(port=port, customers=options["customers"]))
            self._synchronize(options["customers"], supervisor.children[0])
            unexpected = self._compare()
            if unexpected:
                raise CommandError("What needs attention is not what was planted.")
            self.stdout.write("Every record that needs attention is one of the planted ones.")
            if not options["once"]:
                self._stay(supervisor, port)
        finally:
            supervisor.stop_all()

    def _synchronize(self, customers: int, up: Child) -> None:
        identities = _wait_for_sandbox(up)
        self.stdout.write(f"Demo company with {customers} customers ...")
        call_command("seed_demo", customers=customers, stdout=self.stdout)
        _connect(identities)
        self.stdout.write("Connected. Coupling what certainly matches ...")
        call_command("couple", "accept", "SALESPEOPLE", "--certain", "--winner", "crm")
        call_command("couple", "accept", "CUSTOMER", "--certain", "--winner", "ledger")
        self.stdout.write("Full synchronization ...")
        call_command("fullsync", "start", "--watch", stdout=self.stdout)

    def _compare(self) -> bool:
        """Whether the records that need attention differ from the planted ones; says how."""
        expected = {
            (one.mapping, str(one.side), one.key, str(one.outcome), one.code)
            for one in planted_attention()
        }
        found = attention_keys()
        for missing in sorted(expected - found):
            self.stdout.write(f"planted but not found: {' '.join(missing)}")
        for extra in sorted(found - expected):
            self.stdout.write(f"found but not planted: {' '.join(extra)}")
        return expected != found

    def _stay(self, supervisor: Supervisor, port: int) -> None:
        self.stdout.write(f"\nOpen http://127.0.0.1:{port}/ and sign in as one of these:")
        for person in people.add_one_of_each():
            self.stdout.write(
                f"  {person.role:15} name: {person.name:14} password: {person.password}"
            )
        self.stdout.write(
            "\nIn another terminal, to use the commands on this demo:\n"
            f"  export CRMSYNC_DATA_DIR={settings.CRMSYNC_DATA_DIR} "
            f"CRMSYNC_SANDBOX_PORT={settings.CRMSYNC_SANDBOX_PORT}\n"
            "Ctrl-C stops everything."
        )
        self.stdout.flush()
        supervisor.stop_on_signals()
        supervisor.keep_alive()


def attention_keys() -> set[tuple[str, str, str, str, str]]:
    """What needs attention, by mapping, side, number or name, outcome and code."""
    return {
        (one.mapping, one.side, _key(one), one.outcome, one.code) for one in Obstacle.objects.all()
    }


def _key(obstacle: Obstacle) -> str:
    mapping = get_mapping(obstacle.mapping)
    if obstacle.side == Side.LEDGER:
        rows = mapping.ledger._default_manager.filter(pk=obstacle.record_id)
        return str(rows.values_list(mapping.number, flat=True).first())
    record = CrmRecord.objects.get(table=mapping.crm.logical_name, crm_id=obstacle.record_id)
    return str(record.values[mapping.crm_title])


def _begin_again_in_own_folder() -> None:
    """Run this command anew on a fresh folder of its own, so that real books are never touched."""
    folder = settings.CRMSYNC_DATA_DIR / "demo"
    connection.close()
    if folder.exists():
        try:
            lock(folder / "up.lock").close()
        except AlreadyUp as error:
            raise CommandError(f"Another demo is up. {error.remedy}") from error
        shutil.rmtree(folder)
    environment = {
        **os.environ,
        "CRMSYNC_DATA_DIR": str(folder),
        "CRMSYNC_SANDBOX_PORT": str(_free_port()),
    }
    environment.pop("DATABASE_URL", None)
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - ourselves


def _up(*, port: int, customers: int) -> Child:
    return Child(
        "up",
        stack.manage("up", "--demo", "--port", str(port), "--customers", str(customers)),
        os.environ,
        settings.CRMSYNC_DATA_DIR / "logs" / "up.log",
    )


def _wait_for_sandbox(up: Child) -> dict[str, Any]:
    """The identities that the sandbox printed; the database is ready then, too."""
    path = stack.sandbox_identities()
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if up.is_dead:
            raise CommandError(f"The stack did not start; its log is {up.log}.")
        if path.exists() and (line := path.read_text()).endswith("\n"):
            identities: dict[str, Any] = orjson.loads(line)
            return identities
        time.sleep(0.1)
    raise CommandError("The sandbox did not start; its log is sandbox.log beside that of 'up'.")


def _connect(identities: dict[str, Any]) -> None:
    """As an administrator would: secrets from files, which are removed at once."""
    application = identities["application"]
    with tempfile.TemporaryDirectory() as folder:
        admin, secret = Path(folder) / "admin", Path(folder) / "secret"
        admin.write_text(identities["administrator"]["password"])
        secret.write_text(application["client_secret"])
        call_command(
            "connect",
            url=identities["origin"],
            admin_user=identities["administrator"]["username"],
            admin_password_file=str(admin),
            application_id=application["client_id"],
            integration_application=application["client_id"],
            integration_secret_file=str(secret),
        )


def _free_port(wanted: int = 0) -> int:
    """The wanted port where it is free, any free one otherwise."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return _free_port()
        port: int = probe.getsockname()[1]
        return port
