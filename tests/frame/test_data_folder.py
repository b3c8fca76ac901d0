"""What an installation keeps is readable by its owner alone, whichever process writes it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.stacks import running_stack


@pytest.fixture
def permissive() -> Iterator[None]:
    """As most machines begin: new files can be read by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("broker", ["", "filesystem://"])
def test_no_file_of_a_stack_that_is_up_can_be_read_by_others(
    tmp_path: Path, permissive: None, broker: str
) -> None:
    environment = {"CRMSYNC_BROKER_URL": broker} if broker else {}
    with running_stack(tmp_path, customers=60, environment=environment) as stack:
        stack.manage("migrate")
        stack.start()
        kept = [path for path in stack.folder.rglob("*") if path.name != "up.log"]

    names = {path.name for path in kept}
    assert {"crmsync.sqlite3", "crmsync.sqlite3-wal", "worker.log", "web.pid", "up.lock"} <= names
    assert [path for path in kept if path.exists() and _others_may(path)] == []


def _others_may(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) & 0o077
