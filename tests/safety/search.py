"""Where a secret shows: in clear, or in a disguise that anybody can take off."""

import base64
import html
import json
import re
import zlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

from django.db import connection

_SPLITS = re.compile(r"[:.\s\"]")


def found(known: Collection[str], places: Mapping[str, str]) -> list[str]:
    """Each secret that shows, by its first characters, with where."""
    return [
        f"{secret[:4]}... in {name}"
        for secret in known
        for name, place in places.items()
        if any(disguise in place for disguise in disguises(secret))
    ]


def disguises(secret: str) -> Iterator[str]:
    """As addresses, pages, JSON, Python and base64 write it."""
    yield from {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    yield from {html.escape(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    for shift in range(3):
        # What base64 makes of it in the middle of a text depends on where it begins.
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            inner = encode(b"\0" * shift + secret.encode()).decode()
            yield inner[4 if shift else 0 : -4]


def database() -> str:
    """Every cell of every table, and what is inside of cells that are encoded."""
    cells: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            # Names of our own tables, no input.
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            for row in cursor.fetchall():
                for cell in row:
                    value = cell.tobytes() if isinstance(cell, memoryview) else cell
                    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                    cells.extend((text, *_decoded(text)))
    return "\n".join(cells)


def files(folder: Path) -> str:
    """Every file below, and what is inside of those that are packed."""
    pieces: list[str] = []
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            pieces.extend((raw.decode("latin-1"), *_unpacked(raw)))
            # Django's file cache: a pickle of the expiry, then the packed value.
            begins = raw.find(b"x\x9c")
            if begins >= 0:
                pieces.extend(_unpacked(raw[begins:]))
    return "\n".join(pieces)


def processes() -> str:
    """Arguments and environments of every process that we may look at."""
    pieces: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                pieces.append((process / name).read_bytes().decode("latin-1"))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it has ended, or is none of ours
    return "\n".join(pieces)


def _decoded(text: str) -> Iterator[str]:
    """The parts of a signed text such as a session, out of base64 and out of zlib."""
    for part in _SPLITS.split(text):
        try:
            raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        except ValueError:
            continue
        yield raw.decode("utf-8", "replace")
        yield from _unpacked(raw)


def _unpacked(raw: bytes) -> Iterator[str]:
    try:
        yield zlib.decompress(raw).decode("utf-8", "replace")
    except zlib.error:
        return
