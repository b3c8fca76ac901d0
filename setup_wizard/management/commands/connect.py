"""What the assisted setup does, without a browser; each act of it is said when it is done."""

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
from setup_wizard.guide.ownership import OwnerWish


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Connect this installation to an environment of Dynamics 365 Sales. Secrets are never "
        "arguments: they are read from a file, from standard input (-), or asked for."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="like https://yourname.crm4.dynamics.com")
        parser.add_argument(
            "--application-id",
            required=True,
            help="the app registration through which users sign in",
        )
        admin = parser.add_mutually_exclusive_group(required=True)
        admin.add_argument("--admin-user", help="a System Administrator of Sales")
        admin.add_argument(
            "--no-administrator",
            action="store_true",
            help="change nothing in Sales: the solution and the roles are there already",
        )
        parser.add_argument("--admin-password-file", help="a file, or - for standard input")
        who = parser.add_mutually_exclusive_group(required=True)
        who.add_argument("--integration-user", help="a user name, with a password")
        who.add_argument(
            "--integration-application", help="an application id, with a secret or a certificate"
        )
        secret = parser.add_mutually_exclusive_group()
        secret.add_argument("--integration-secret-file", help="a file, or - for standard input")
        secret.add_argument(
            "--integration-certificate-file",
            help="a PEM file with the application's certificate and its private key",
        )
        parser.add_argument(
            "--scope",
            action="append",
            choices=[scope.value for scope in Scope],
            help="what to exchange; may be repeated; everything when left out",
        )
        parser.add_argument(
            "--track-changes",
            action="append",
            metavar="TABLE",
            help="a table of Sales to switch change tracking on for; may be repeated",
        )
        owner = parser.add_mutually_exclusive_group()
        owner.add_argument(
            "--owner-team",
            metavar="TEAM",
            help="the owner team, by name or id, that owns records created in Sales; without it "
            "the user of the salesperson does",
        )
        owner.add_argument(
            "--fallback-owner",
            metavar="USER",
            help="the user, by name or id, who owns them where a salesperson has no user; without "
            "one the integration user does",
        )
        parser.add_argument(
            "--ledger-url", default="", help="where people open these books, for Sales to know"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            connected = services.connect(
                url=options["url"],
                application_id=options["application_id"],
                administrator=_administrator(options),
                integration_user=_integration_user(options),
                scopes=[Scope(value) for value in options["scope"] or list(Scope)],
                tracked=options["track_changes"] or (),
                owner=_owner(options),
                address=options["ledger_url"],
                say=self.stdout.write,
            )
        except SetupProblem as problem:
            named = f"--{problem.field}: " if problem.field else ""
            raise CommandError(f"{named}{problem.in_full}") from problem
        self.stdout.write(
            f"Connected to {connected.organization_name} at {connected.origin} as "
            f"{connected.integration_user}. The administrator's password was not kept."
        )


def _administrator(options: dict[str, Any]) -> services.Administrator | None:
    if options["no_administrator"]:
        return None
    password = _secret(options["admin_password_file"], "Password of the administrator: ")
    return services.Administrator(options["admin_user"], password)


def _integration_user(options: dict[str, Any]) -> services.IntegrationUser:
    path = options["integration_secret_file"]
    if certificate := options["integration_certificate_file"]:
        return services.IntegrationUser(
            Connection.IdentityKind.CERTIFICATE,
            options["integration_application"] or "",
            _secret(certificate, ""),
        )
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


def _owner(options: dict[str, Any]) -> OwnerWish:
    if team := options["owner_team"]:
        return OwnerWish(Connection.Ownership.TEAM, team)
    return OwnerWish(named=options["fallback_owner"] or "")


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
