import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.stacks import Stack, outcomes, running_stack

CUSTOMERS = 5000
SMALL_MESSAGES = {"CRMSYNC_MAX_MESSAGE_ROWS": "100"}
LATENCY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """How a run goes when nobody disturbs it: how long it takes, and what it comes to."""

    seconds: float
    outcomes: dict[str, dict[str, int]]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a connected, coupled demo company: copied for each test."""
    folder = tmp_path_factory.mktemp("prepared")
    with running_stack(folder, customers=CUSTOMERS, environment=SMALL_MESSAGES) as stack:
        stack.prepare(CUSTOMERS)
    return folder


@pytest.fixture
def stack(prepared: Path, tmp_path: Path) -> Iterator[Stack]:
    """The product before its first full synchronization; Sales answers after 50 ms."""
    folder = tmp_path / "copy"
    shutil.copytree(prepared, folder)
    with running_stack(folder, customers=CUSTOMERS, environment=SMALL_MESSAGES) as stack:
        stack.sandbox.fault({"path": "/api/data/"}, {"latency": LATENCY_SECONDS})
        yield stack


@pytest.fixture(scope="session")
def undisturbed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed") / "copy"
    shutil.copytree(prepared, folder)
    with running_stack(folder, customers=CUSTOMERS, environment=SMALL_MESSAGES) as stack:
        stack.sandbox.fault({"path": "/api/data/"}, {"latency": LATENCY_SECONDS})
        stack.start()
        stack.manage("fullsync", "start")
        seconds = stack.wait_until_over()
        assert stack.differences() == []
        return Undisturbed(seconds, outcomes(stack.report()))
