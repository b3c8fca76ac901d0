"""Start the sandbox alone: a Dynamics 365 Sales to run against, on loopback."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from crmsync.sandbox import server


class Command(BaseCommand):
    help = "Start a sandbox of Dynamics 365 Sales; prints one JSON line when it is ready."
    requires_system_checks = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """The sandbox reads its own arguments: it can be started without Django, too."""
        sys.exit(server.main(argv[2:]))

    def handle(self, *_: Any, **__: Any) -> None:
        """Never reached from the command line; see run_from_argv."""
        server.main([])
