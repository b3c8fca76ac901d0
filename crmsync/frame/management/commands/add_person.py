"""Somebody new who may sign in."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.audit.actors import at_terminal
from crmsync.frame import people
from crmsync.frame.errors import PersonProblem


class Command(BaseCommand):
    help = (
        "Add somebody to one of the three groups; the new password is printed once, and has to be "
        "changed at the first sign-in."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--group", required=True, choices=[role.value for role in people.Role])
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--keep-password",
            action="store_true",
            help="the printed password stays, for an account that a script signs in with",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            person = people.add_with_new_password(
                name=options["name"],
                role=people.Role(options["group"]),
                email=options["email"],
                must_choose_password=not options["keep_password"],
                by=at_terminal(),
            )
        except PersonProblem as error:
            raise CommandError(f"{error} {error.remedy}") from error
        self.stdout.write(f"{person.name} is in {person.role}, password {person.password}")
