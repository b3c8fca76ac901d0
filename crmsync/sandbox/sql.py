"""What the rows need of SQLite: tables and indexes by declaration, and the rules for texts."""

import re
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from crmsync.sandbox.schema import VERSION_COLUMN, Column, Kind, Ownership, Table
from crmsync.sandbox.tables import TABLES

_AFFINITIES: Final = {
    Kind.INTEGER: "INTEGER",
    Kind.BIG_INTEGER: "INTEGER",
    Kind.BOOLEAN: "INTEGER",
    Kind.CHOICE: "INTEGER",
    Kind.DECIMAL: "REAL",
    Kind.MONEY: "REAL",
}


def quoted(name: str) -> str:
    """Return a name as an SQL identifier. Only declared names ever reach SQL."""
    return '"' + name.replace('"', '""') + '"'


def text_matches(value: str | None, pattern: str) -> bool | None:
    """Say whether a text fits a pattern with the wildcards of the service: %, _ and [...].

    Comparison ignores case. `value` null gives null, as in SQL.
    """
    if value is None:
        return None
    return _compiled(pattern).fullmatch(value) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    wildcards = {"%": ".*", "_": "."}
    pieces = re.findall(r"\[\^?[^\]]+\]|.", pattern, re.DOTALL)
    body = "".join(
        piece if len(piece) > 1 else wildcards.get(piece, re.escape(piece)) for piece in pieces
    )
    return re.compile(body, re.IGNORECASE | re.DOTALL)


def compare_caseless(left: str, right: str) -> int:
    first, second = left.casefold(), right.casefold()
    return (first > second) - (first < second)


def prepare(connection: sqlite3.Connection, table: Table) -> None:
    """Create the SQL table, or add the columns that it did not have when the file was made."""
    name, key = quoted(table.name), quoted(table.primary_id)
    connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({key} TEXT PRIMARY KEY)")
    present = {str(row[1]) for row in connection.execute(f"PRAGMA table_info({name})")}
    for column in table.columns:
        for stored in filter(None, (column.name, column.type_column)):
            if stored not in present:
                affinity = _AFFINITIES.get(column.kind, "TEXT")
                connection.execute(f"ALTER TABLE {name} ADD COLUMN {quoted(stored)} {affinity}")
    for indexed in _indexed(table):
        index = quoted(f"{table.name}_by_{indexed}")
        # Most lookups are empty: those rows need no place in the index.
        connection.execute(
            f"CREATE INDEX IF NOT EXISTS {index} ON {name} ({quoted(indexed)}) "
            f"WHERE {quoted(indexed)} IS NOT NULL"
        )


def _indexed(table: Table) -> Iterator[str]:
    """Name the columns that deletions, change tracking and polling search by."""
    yield VERSION_COLUMN
    if "modifiedon" in table.by_name:
        yield "modifiedon"
    yield from (c.name for c in table.columns if c.kind is Kind.GUID and not table.is_secured)
    yield from (column.name for column in table.lookups if _names_people_data(column))


def _names_people_data(column: Column) -> bool:
    return any(TABLES[target].ownership is Ownership.USER for target in column.targets)
