"""Broker, beat, worker and web (and the sandbox) under one supervisor.

What they write under the data directory is readable by its owner alone. Files that were there keep
the mode they have: an installation of an earlier version is made strict by ``chmod -R go= DIR``.
"""

import argparse
import socket
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from crmsync import stack
from crmsync.broker import socket_path
from crmsync.frame import people
from crmsync.supervisor import AlreadyUp, Supervisor, lock

DEFAULT_PORT = 8000


class Command(BaseCommand):
    help = "Run everything until Ctrl-C; what dies is started again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the web server")
        parser.add_argument("--demo", action="store_true", help="with a sandbox of Sales")
        parser.add_argument("--customers", type=int, default=500, help="of the sandbox's demo data")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["demo"] and not settings.CRMSYNC_SANDBOX_PORT:
            raise CommandError("--demo needs CRMSYNC_SANDBOX_PORT: the loopback port to use.")
        _check_free(options["port"])
        try:
            held = lock(settings.CRMSYNC_DATA_DIR / "up.lock")
        except AlreadyUp as error:
            raise CommandError(f"{error} {error.remedy}") from error
        with held:
            self._run(options)

    def _run(self, options: dict[str, Any]) -> None:
        supervisor = Supervisor()
        supervisor.stop_on_signals()
        call_command("migrate", verbosity=0, interactive=False)
        try:
            if broker := stack.broker():
                socket_path(settings.CRMSYNC_DATA_DIR).unlink(missing_ok=True)
                supervisor.start(broker)
                path = socket_path(settings.CRMSYNC_DATA_DIR)
                stack.wait_until_ready(broker, path.exists)
            if options["demo"]:
                supervisor.start(stack.sandbox(customers=options["customers"]))
            supervisor.start(stack.worker())
            supervisor.start(stack.beat())
            web = stack.web(port=options["port"])
            supervisor.start(web)
            stopping = supervisor.stopping.is_set
            stack.wait_until_ready(web, lambda: stopping() or stack.is_served(options["port"]))
            if not stopping():
                self._greet(options)
        except TimeoutError as error:
            supervisor.stop_all()
            raise CommandError(str(error)) from error
        except BaseException:
            supervisor.stop_all()
            raise
        supervisor.keep_alive()

    def _greet(self, options: dict[str, Any]) -> None:
        """The address and, at the first start for real use, the way in."""
        self.stdout.write(f"Up: http://127.0.0.1:{options['port']}/ (Ctrl-C stops)")
        if options["demo"]:
            self.stdout.write(
                "To sign in, add somebody in another terminal with the same settings: "
                "'manage.py add_person NAME --group Administrators'."
            )
        # What a demo prints goes into a log, and no password does.
        first = None if options["demo"] else people.add_first_administrator()
        if first:
            self.stdout.write(
                f"First sign-in, shown this once: name {first.name}, password {first.password}\n"
                "Change it by a click on the name at the top; "
                "'manage.py add_person' adds other people."
            )
        self.stdout.flush()


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(f"--port: {port} is in use; name another one.") from error
