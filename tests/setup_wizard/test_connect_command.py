"""``manage.py connect``: the same door without a browser."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from crmsync.connections.models import Connection
from crmsync.ledger.models import CompanyInformation
from tests.sandboxes import ROOT, Sandbox


@pytest.fixture
def options(sandbox: Sandbox, books: object, tmp_path: Path) -> dict[str, Any]:
    """Right options, with the secrets in files."""
    ready = sandbox.ready
    admin, secret = tmp_path / "admin", tmp_path / "secret"
    admin.write_text(ready["administrator"]["password"] + "\n")
    secret.write_text(ready["application"]["client_secret"])
    return {
        "url": ready["origin"],
        "admin_user": ready["administrator"]["username"],
        "admin_password_file": str(admin),
        "application_id": ready["application"]["client_id"],
        "integration_application": ready["application"]["client_id"],
        "integration_secret_file": str(secret),
    }


def test_the_command_connects_with_secrets_from_files(options: dict[str, Any]) -> None:
    said = io.StringIO()

    call_command("connect", **options, stdout=said)

    assert Connection.objects.get().origin == options["url"]
    assert "password was not kept" in said.getvalue()


def test_the_command_says_each_act(options: dict[str, Any]) -> None:
    said = io.StringIO()

    call_command("connect", **options, ledger_url="https://books.example", stdout=said)

    assert "Version 1.0.0.0 was imported." in said.getvalue()
    assert "Roles of the integration user: Given to" in said.getvalue()
    assert "https://books.example" in said.getvalue()


def test_a_certificate_comes_from_a_file(
    options: dict[str, Any], sandbox: Sandbox, tmp_path: Path
) -> None:
    identity = sandbox.ready["certificate_application"]
    pem = tmp_path / "certificate.pem"
    pem.write_text(identity["pem"])
    del options["integration_secret_file"]

    call_command(
        "connect",
        **{**options, "integration_application": identity["client_id"]},
        integration_certificate_file=str(pem),
        stdout=io.StringIO(),
    )

    assert str(Connection.objects.get().integration_user_id) == identity["id"]


def test_without_an_administrator_what_is_missing_is_said(options: dict[str, Any]) -> None:
    for name in ("admin_user", "admin_password_file"):
        del options[name]

    with pytest.raises(CommandError, match="integration solution"):
        call_command("connect", **options, no_administrator=True, stdout=io.StringIO())

    assert Connection.objects.count() == 0


def test_the_basic_experience_is_refused(options: dict[str, Any]) -> None:
    CompanyInformation.objects.update(experience="basic")

    with pytest.raises(CommandError, match="Basic experience"):
        call_command("connect", **options, stdout=io.StringIO())


def test_a_secret_can_come_from_standard_input(
    options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    password = Path(options["admin_password_file"]).read_text()
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))

    call_command("connect", **{**options, "admin_password_file": "-"}, stdout=io.StringIO())

    assert Connection.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "https://evil.example"}, "--url: evil.example"),
        ({"admin_user": "nobody@cronus.sandbox.test"}, "--admin-user:"),
        ({"integration_application": "7"}, "--integration-user:"),
        ({"admin_password_file": "no/such/file"}, "no/such/file cannot be read"),
        ({"integration_secret_file": os.devnull}, "The secret is empty"),
    ],
)
def test_what_is_wrong_is_named_by_its_option(
    options: dict[str, Any], changes: dict[str, str], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("connect", **{**options, **changes})

    assert Connection.objects.count() == 0


def test_a_password_is_never_an_option() -> None:
    said = manage("connect", "--help").stdout

    assert "--admin-password-file" in said
    assert "--admin-password " not in said
    assert "--integration-secret " not in said


def manage(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=ROOT,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [("https://evil.example", "--url: evil.example"), ("http://x", "must begin with https")],
)
def test_as_a_program_it_ends_with_one_line_and_a_status(url: str, says: str) -> None:
    ended = manage(
        "connect",
        *("--url", url, "--admin-user", "admin", "--admin-password-file", "-"),
        *("--application-id", "1", "--integration-application", "1"),
        *("--integration-secret-file", "-"),
        typed="canary-one\ncanary-two\n",
    )

    assert ended.returncode != 0
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stdout + ended.stderr
