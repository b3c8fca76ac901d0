"""The words of `$filter`: tokens, literals and the values inside lists."""

import re
from typing import Final

import orjson

from crmsync.sandbox.errors import bad_query
from crmsync.sandbox.schema import Column, Kind
from crmsync.sandbox.values import canonical_date, canonical_guid, canonical_moment

_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<list>\[(?:[^\[\]"]|"(?:[^"\\]|\\.)*")*\])
    | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
    | (?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<alias>@\w+)
    | (?P<name>[A-Za-z_][\w./]*)
    | (?P<mark>[(),=])
    )""",
    re.VERBOSE,
)
_NUMERIC: Final = frozenset({Kind.INTEGER, Kind.BIG_INTEGER, Kind.DECIMAL, Kind.MONEY, Kind.CHOICE})

LITERAL_TYPES: Final = {
    "text": "Edm.String",
    "guid": "Edm.Guid",
    "moment": "Edm.DateTimeOffset",
    "number": "Edm.Int32",
    "boolean": "Edm.Boolean",
}


def tokens(text: str) -> list[tuple[str, str]]:
    """Split an expression into (kind, text) pairs; refuse what is no word of the language."""
    found, position = [], 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise bad_query(f"Syntax error at position {position} in '{text}'.")
        found.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return found


def literal_value(kind: str, text: str) -> object:
    """Return a literal token in the form in which such values are stored."""
    if kind == "text":
        return text[1:-1].replace("''", "'")
    if kind == "guid":
        return text.lower()
    if kind == "moment":
        return canonical_moment(text) or _bad_literal(text)
    return float(text) if "." in text else int(text)


def argument(kind: str, text: str) -> object:
    """Return the value of a named argument: a JSON list, a literal, or a bare word."""
    if kind != "list":
        return literal_value(kind, text) if kind in LITERAL_TYPES else text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return _bad_literal(text)


def membership_value(column: Column, value: object) -> object:
    """PropertyValues are texts whatever the column is; read them as the column's type."""
    text = str(value)
    if column.kind in {Kind.GUID, Kind.LOOKUP}:
        return canonical_guid(text) or _bad_literal(text)
    if column.kind in _NUMERIC:
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else _bad_literal(text)
    if column.kind is Kind.DATE_TIME:
        return canonical_moment(text) or _bad_literal(text)
    if column.kind is Kind.DATE:
        return canonical_date(text) or _bad_literal(text)
    return int(text.lower() == "true") if column.kind is Kind.BOOLEAN else text


def _bad_literal(text: str) -> object:
    raise bad_query(f"Unrecognized literal '{text}'.")
