import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.crash.stacks import Stack, outcomes, running_stack
from tests.shared import shared_folder

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
    return shared_folder(tmp_path_factory, "prepared", _prepare)


def _prepare(folder: Path) -> None:
    with running_stack(folder, customers=CUSTOMERS, environment=SMALL_MESSAGES) as stack:
        stack.prepare(CUSTOMERS)


@pytest.fixture
def stack(prepared: Path, tmp_path: Path) -> Iterator[Stack]:
    """The product before its first full synchronization; Sales answers after 50 ms."""
    with _slow_copy(prepared, tmp_path / "copy") as stack:
        yield stack


@contextmanager
def _slow_copy(prepared: Path, folder: Path) -> Iterator[Stack]:
    shutil.copytree(prepared, folder)
    with running_stack(folder, customers=CUSTOMERS, environment=SMALL_MESSAGES) as stack:
        stack.sandbox.fault({"path": "/api/data/"}, {"latency": LATENCY_SECONDS})
        yield stack


@pytest.fixture(scope="session")
def undisturbed(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Measured once, on a copy of the same company."""
    folder = shared_folder(
        tmp_path_factory, "undisturbed", lambda folder: _run_undisturbed(prepared, folder)
    )
    return Undisturbed(**json.loads((folder / "undisturbed.json").read_text()))


def _run_undisturbed(prepared: Path, folder: Path) -> None:
    with _slow_copy(prepared, folder / "copy") as stack:
        stack.start()
        stack.manage("fullsync", "start")
        seconds = stack.wait_until_over()
        assert stack.differences() == []
        found = Undisturbed(seconds, outcomes(stack.report()))
    (folder / "undisturbed.json").write_text(json.dumps(asdict(found)))
