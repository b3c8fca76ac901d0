"""Documents that name tests: which they name, and which there are."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"`(test_\w+)`")
_DEFINED = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


def named_in(document: str) -> set[str]:
    return set(_NAMED.findall((ROOT / "docs" / document).read_text()))


def missing_of(document: str) -> set[str]:
    """Tests that the document names and nobody wrote; each has a name of its own in the suite."""
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in _DEFINED.findall(path.read_text())
    }
    return named_in(document) - defined
