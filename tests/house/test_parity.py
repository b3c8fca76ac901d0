"""The page that holds us against the original names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


def test_every_test_that_the_parity_page_names_exists() -> None:
    named = set(NAMED.findall((ROOT / "docs" / "parity.md").read_text()))
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in DEFINED.findall(path.read_text())
    }

    assert named
    assert named - defined == set()
