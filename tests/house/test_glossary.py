"""Every word of the glossary leads to code that is there."""

import re
from pkgutil import resolve_name

from tests.sandboxes import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
SYMBOL = re.compile(r"`([a-z_]\w*(?:\.\w+)+)`")
SEPARATOR = re.compile(r"[|\s:-]+")


def symbols() -> list[str]:
    """The dotted symbols of the last column of its tables."""
    rows = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("|")]
    told = [line.strip().strip("|") for line in rows if not SEPARATOR.fullmatch(line)]
    cells = [line.split("|")[-1] for line in told]
    return [symbol for cell in cells for symbol in SYMBOL.findall(cell)]


def test_every_symbol_of_the_glossary_can_be_imported() -> None:
    missing = []
    for symbol in symbols():
        try:
            resolve_name(symbol)
        except (ImportError, AttributeError) as error:
            missing.append(f"{symbol}: {error}")

    assert missing == []


def test_the_glossary_names_symbols() -> None:
    assert len(symbols()) >= 20
