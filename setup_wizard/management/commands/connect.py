"""What the assisted setup does, without a browser."""

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.connections.models import Connection
from crmsync.terms import Scope
from setup_wizard import services
from setup_wizard.errors import SetupProblem


class Command(BaseCommand):
    help = (
        "Connect this installation to an environment of Dynamics 365 Sales. Secrets are never "
        "arguments: they are read from a file, from standard input (-), or asked for."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="like https://yourname.crm4.dynamics.com")
        parser.add_argument("--admin-user", required=True, help="a System Administrator of Sales")
        parser.add_argument("--admin-password-file", help="a file, or - for standard input")
        parser.add_argument(
            "--application-id",
            required=True,
            help="the app registration through which users sign in",
        )
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--integration-user", help="a user name, with a password")
        who.add_argument("--integration-application", help="an application id, with a secret")
        parser.add_argument("--integration-secret-file", help="a file, or - for standard input")
        parser.add_argument(
            "--scope",
            action="append",
            choices=[scope.value for scope in Scope],
            help="what to exchange; may be repeated; everything when left out",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            connected = services.connect(
                url=options["url"],
                application_id=options["application_id"],
                administrator=services.Administrator(
                    options["admin_user"],
                    _secret(options["admin_password_file"], "Password of the administrator: "),
                ),
                integration_user=_integration_user(options),
                scopes=[Scope(value) for value in options["scope"] or list(Scope)],
            )
        except SetupProblem as problem:
            raise CommandError(f"--{problem.field}: {problem.in_full}") from problem
        self.stdout.write(
            f"Connected to {connected.organization_name} at {connected.origin} as "
            f"{connected.integration_user}. The administrator's password was not kept."
        )


def _integration_user(options: dict[str, Any]) -> services.IntegrationUser:
    path = options["integration_secret_file"]
    if options["integration_application"]:
        return services.IntegrationUser(
            Connection.IdentityKind.APPLICATION,
            options["integration_application"],
            _secret(path, "Secret of the application: "),
        )
    return services.IntegrationUser(
        Connection.IdentityKind.PASSWORD,
        options["integration_user"],
        _secret(path, "Password of the integration user: "),
    )


def _secret(path: str | None, prompt: str) -> str:
    """From a file, from one line of standard input, or typed without echo."""
    if path == "-":
        secret = sys.stdin.readline().rstrip("\r\n")
    elif path:
        try:
            secret = Path(path).read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} cannot be read: {error}.") from error
    else:
        secret = getpass.getpass(prompt)
    if not secret:
        raise CommandError("The secret is empty.")
    return secret
