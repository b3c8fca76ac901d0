"""Keeps the Danish catalogue in step with the source: ``python -m tests.house.catalogue``.

Texts are read out of Python and out of templates, the latter through Django's own translation of
template tags to calls. With ``--check`` nothing is written, and what is missing is printed.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
PO = ROOT / "locale" / "da" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
PACKAGES = ("crmsync", "coupling", "fullsync", "setup_wizard")
TEMPLATES = ("*.html", "*.txt")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}

Text = tuple[str, ...]  # singular, or singular and plural


def wanted() -> Catalog:
    """Every text of the product that a reader may see."""
    catalogue = Catalog(locale="da", project="crmsync", charset="utf-8")
    for path, source in _sources():
        for _line, text, _comments, context in extract("python", io.BytesIO(source), KEYWORDS):
            catalogue.add(text, locations=[(str(path), 0)], context=context)
    return catalogue


def _sources() -> Iterator[tuple[Path, bytes]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "sandbox" not in path.relative_to(ROOT).parts:
                yield path.relative_to(ROOT), path.read_bytes()
    for path in sorted(found for kind in TEMPLATES for found in (ROOT / "templates").rglob(kind)):
        yield path.relative_to(ROOT), templatize(path.read_text(), origin=str(path)).encode()


def stored() -> Catalog:
    if not PO.exists():
        return Catalog(locale="da")
    with PO.open("rb") as file:
        return read_po(file, locale="da")


def update() -> Catalog:
    """The stored translations with what is wanted now: new ones blank, dead ones gone."""
    catalogue = stored()
    catalogue.update(wanted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def missing() -> list[str]:
    """Texts without a Danish translation."""
    return [
        str(message.id) for message in update() if message.id and not _is_complete(message.string)
    ]


def _is_complete(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(texts_of(string)) and bool(string)


def texts_of(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """A text, or its plural forms."""
    return (string,) if isinstance(string, str) else tuple(string or ())


def write() -> None:
    catalogue = update()
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, catalogue, width=100, no_location=True, omit_header=False, sort_output=True)
    compile_catalogue()


def compile_catalogue() -> None:
    with MO.open("wb") as file:
        write_mo(file, stored())


def compiled() -> bytes:
    target = io.BytesIO()
    write_mo(target, stored())
    return target.getvalue()


def main() -> int:
    if "--check" not in sys.argv:
        write()
    lacking = missing()
    for text in lacking:
        sys.stdout.write(f"not translated: {text}\n")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
