"""Sandboxes for the tests of the sandbox."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmsync.sandbox.environment import open_environment
from tests.sandbox.harness import Client, Sandbox, running


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data file without a demo company, made once and copied for each test."""
    path = tmp_path_factory.mktemp("empty") / "sandbox.sqlite3"
    open_environment(path, seed="empty", customers=0).store.close()
    return path


@pytest.fixture
def data_file(empty_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_file, tmp_path / "sandbox.sqlite3"))


@pytest.fixture
def sandbox(data_file: Path) -> Iterator[Sandbox]:
    with running(data_file) as started:
        yield started


@pytest.fixture
def api(sandbox: Sandbox) -> Client:
    """The application user, who holds the integration role."""
    return sandbox.application()


@pytest.fixture
def admin(sandbox: Sandbox) -> Client:
    return sandbox.administrator()
