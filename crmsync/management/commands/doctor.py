"""Every check with its remedy. Exit status 1 when something is not well."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.health import run_checks


class Command(BaseCommand):
    help = "Look whether everything is well, and say what to do when it is not."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        checks = run_checks()
        for check in checks:
            mark = "well" if check.is_well else "NOT WELL"
            self.stdout.write(f"{check.name:11} {mark:9} {check.saw} {check.remedy}".rstrip())
        ailing = [check.name for check in checks if not check.is_well]
        if ailing:
            raise CommandError(f"Not well: {', '.join(ailing)}.")
