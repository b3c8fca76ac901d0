"""Imports only go down: the contracts hold, and each of them notices when it is broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandboxes import ROOT

PACKAGES = ("crmsync", "coupling", "fullsync", "setup_wizard")


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, to be broken."""
    folder = tmp_path_factory.mktemp("house") / "tree"
    folder.mkdir()
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-c"),
            "from importlinter.cli import lint_imports_command as run; run()",
            "--no-cache",
        ],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_contracts_hold(copied: Path) -> None:
    ended = lint(copied)

    assert ended.returncode == 0, ended.stdout
    assert "0 broken" in ended.stdout


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("coupling/matching.py", "import fullsync.plan", "The three doors"),
        ("crmsync/sync/twins.py", "import coupling.matching", "The three doors"),
        ("crmsync/mapping/registry.py", "import crmsync.sync.models", "Inside the ground"),
        ("crmsync/dataverse/odata.py", "import django.conf", "plain Python"),
        ("crmsync/sandbox/rules.py", "import crmsync.terms", "island"),
        ("crmsync/sync/jobs.py", "import crmsync.sandbox.rules", "Nothing imports the sandbox"),
        ("crmsync/sync/decide.py", "import requests", "Decisions are pure"),
    ],
)
def test_an_import_that_goes_up_is_noticed(
    copied: Path, module: str, planted: str, contract: str
) -> None:
    file = copied / module
    whole = file.read_text()
    file.write_text(f"{whole}\n{planted}\n")
    try:
        ended = lint(copied)
    finally:
        file.write_text(whole)

    assert ended.returncode != 0
    broken = [line for line in ended.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(contract in line for line in broken), ended.stdout
