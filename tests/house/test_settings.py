"""A wrong value refuses to start and names itself; nothing else is read from the environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandboxes import ROOT


def start(tmp_path: Path, code: str = "", **values: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a program of its own."""
    environment = {name: value for name, value in os.environ.items() if "CRMSYNC" not in name}
    environment.pop("DATABASE_URL", None)
    settings = {"CRMSYNC_DATA_DIR": str(tmp_path / "data"), "DJANGO_SETTINGS_MODULE": SETTINGS}
    return subprocess.run(
        [sys.executable, "-c", f"from crmsync import settings\n{code}"],
        cwd=ROOT,
        env={**environment, **settings, **values},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


SETTINGS = "crmsync.settings"


def test_it_starts_with_nothing_set(tmp_path: Path) -> None:
    ended = start(tmp_path, "print(settings.DEBUG, settings.CRMSYNC_SANDBOX_PORT)")

    assert ended.stderr == ""
    assert ended.stdout == "False 0\n"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CRMSYNC_SANDBOX_PORT", "http", "a whole number from 0 to 65535"),
        ("CRMSYNC_SANDBOX_PORT", "65536", "a whole number from 0 to 65535"),
        ("CRMSYNC_SANDBOX_PORT", "-1", "a whole number from 0 to 65535"),
        ("CRMSYNC_MAX_MESSAGE_ROWS", "0", "a whole number from 1 to 1000"),
        ("CRMSYNC_MAX_MESSAGE_ROWS", "5000", "a whole number from 1 to 1000"),
        ("CRMSYNC_LEASE_SECONDS", "3", "a whole number from 25 to 300"),
        ("CRMSYNC_WORKER_THREADS", "53", "a whole number from 1 to 52"),
        ("CRMSYNC_DEBUG", "maybe", "give on or off"),
        ("DATABASE_URL", "mysql://user@host/name", "must begin with postgresql://"),
        ("CRMSYNC_DATA_DIR", "/dev/null/data", "cannot be used"),
    ],
)
def test_a_wrong_value_refuses_to_start_and_names_itself(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    ended = start(tmp_path, **{name: value})

    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured")
    assert name in last
    assert says in last


def test_a_secret_can_be_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("canary\n")

    ended = start(tmp_path, "print(settings.SECRET_KEY)", CRMSYNC_SECRET_KEY_FILE=str(file))

    assert ended.stdout == "canary\n"


def test_a_secret_key_is_made_once_and_stays(tmp_path: Path) -> None:
    first, second = (start(tmp_path, "print(settings.SECRET_KEY)").stdout for _ in range(2))

    assert first == second
    assert len(first.strip()) >= 43
