"""New keys for what is stored sealed. Exit status 1 when a secret does not open."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.audit.actors import at_terminal
from crmsync.connections import rotation, secrets
from crmsync.connections.errors import ConnectionProblem


class Command(BaseCommand):
    help = (
        "Seal every stored secret with the newest sealing key, so that older keys can go. The keys "
        "are the lines of sealing.key, or CRMSYNC_SEALING_KEYS, the newest first."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--new", action="store_true", help="first put a new key in front of those in the file"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            rotated = rotation.rotate(by=at_terminal(), with_new_key=options["new"])
        except ConnectionProblem as problem:
            raise CommandError(f"{problem} {problem.remedy} Nothing was changed.") from problem
        self.stdout.write(
            f"{rotated.resealed} sealed anew, {rotated.already} under the newest key already."
        )
        self.stdout.write(
            f"Only the newest key is needed from now on: remove the others from "
            f"{secrets.key_file()} or CRMSYNC_SEALING_KEYS once no backup needs them."
        )
