"""Somebody new who may sign in."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.frame import people


class Command(BaseCommand):
    help = "Add somebody to one of the three groups; the new password is printed once."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--group", required=True, choices=[role.value for role in people.Role])

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            person = people.add_with_new_password(
                name=options["name"], role=people.Role(options["group"])
            )
        except people.NameTaken as error:
            raise CommandError(f"{error} {error.remedy}") from error
        self.stdout.write(f"{person.name} is in {person.role}, password {person.password}")
