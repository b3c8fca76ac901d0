"""The rows, in one SQLite file: a single writer, any number of readers on a stable snapshot.

Every row carries a version that grows over the whole environment; it is the row's etag and the
clock of change tracking. Deletions leave their id and version behind.
"""

import re
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

import orjson

from crmsync.sandbox.errors import DUPLICATE_RECORD, DataverseError
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

Row = dict[str, object]

_OWN_TABLES: Final = """
CREATE TABLE IF NOT EXISTS _meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _deletion (
    "table" TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS _deletion_by_version ON _deletion ("table", version);
CREATE TABLE IF NOT EXISTS _journal (
    n INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL);
"""


def timestamp(moment: float) -> str:
    """Return an epoch time as the service writes it: UTC, whole seconds."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quoted(name: str) -> str:
    """Return a name as an SQL identifier. Only declared names ever reach SQL."""
    return '"' + name.replace('"', '""') + '"'


def among(expression: str, *, word: str = "IN") -> str:
    """Return the condition that an SQL expression is one of the values of a `value_list`.

    The list is a single parameter however long it is: SQLite limits their number.
    """
    return f"{expression} {word} (SELECT value FROM json_each(?))"


def value_list(values: Iterable[object]) -> str:
    return orjson.dumps(list(values)).decode()


class Snapshot:
    """One consistent view of the rows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def all(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[object, ...]]:
        return self._connection.execute(sql, parameters).fetchall()

    def one(self, sql: str, parameters: Sequence[object] = ()) -> tuple[object, ...] | None:
        row: tuple[object, ...] | None = self._connection.execute(sql, parameters).fetchone()
        return row

    def rows(
        self,
        table: Table,
        where: str = "1",
        parameters: Sequence[object] = (),
        *,
        names: Sequence[str] | None = None,
    ) -> list[Row]:
        """Return rows as stored, booleans still 0 and 1; whole ones unless `names` are given."""
        names = names or table.stored_names
        columns = ",".join(map(quoted, names))
        sql = f"SELECT {columns} FROM {quoted(table.name)} WHERE {where}"
        return [dict(zip(names, row, strict=True)) for row in self.all(sql, parameters)]

    def row(self, table: Table, row_id: str) -> Row | None:
        found = self.rows(table, f"{quoted(table.primary_id)} = ?", (row_id,))
        return found[0] if found else None

    def exists(self, table: Table, row_id: str) -> bool:
        sql = f"SELECT 1 FROM {quoted(table.name)} WHERE {quoted(table.primary_id)} = ?"
        return self.one(sql, (row_id,)) is not None

    def meta(self, key: str) -> object:
        """Return a setting of the environment, or None."""
        found = self.one("SELECT value FROM _meta WHERE key = ?", (key,))
        return orjson.loads(str(found[0])) if found else None

    @property
    def version(self) -> int:
        """The highest version given out so far."""
        found = self.meta("version")
        return found if isinstance(found, int) else 0


class Transaction(Snapshot):
    """The one writer at work. `rows_written` counts what it inserted, changed and deleted."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._next_version = self.version
        self.rows_written = 0

    def set_meta(self, key: str, value: object) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO _meta VALUES (?, ?)",
            (key, orjson.dumps(value).decode()),
        )

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows given under their stored names; missing columns become null.

        Raises 412 0x80040237 where a key is taken; then nothing of the transaction may be kept.
        """
        for row in rows:
            row[VERSION_COLUMN] = self._take_version()
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns, marks = ",".join(map(quoted, names)), ",".join("?" * len(names))
        sql = f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({marks})"
        try:
            self._connection.executemany(sql, [tuple(map(row.get, names)) for row in rows])
        except sqlite3.IntegrityError:
            raise DataverseError(
                412, DUPLICATE_RECORD, "A record with matching key values already exists."
            ) from None
        self.rows_written += len(rows)

    def update(self, table: Table, row_id: str, values: Mapping[str, object]) -> int:
        """Write `values` and return the row's new version."""
        version = self._take_version()
        changed = {**values, VERSION_COLUMN: version}
        columns = ",".join(f"{quoted(name)} = ?" for name in changed)
        sql = f"UPDATE {quoted(table.name)} SET {columns} WHERE {quoted(table.primary_id)} = ?"
        self._connection.execute(sql, (*changed.values(), row_id))
        self.rows_written += 1
        return version

    def delete(self, table: Table, row_id: str) -> None:
        sql = f"DELETE FROM {quoted(table.name)} WHERE {quoted(table.primary_id)} = ?"
        self._connection.execute(sql, (row_id,))
        self._connection.execute(
            "INSERT INTO _deletion VALUES (?, ?, ?)", (table.name, row_id, self._take_version())
        )
        self.rows_written += 1

    def clear(self) -> None:
        """Forget every row, deletion and journal entry; settings and numbering stay."""
        for table in TABLES.values():
            self._connection.execute(f"DELETE FROM {quoted(table.name)}")
        self._connection.execute("DELETE FROM _deletion")
        self._connection.execute("DELETE FROM _journal")

    def append_journal(self, entry: bytes) -> None:
        self._connection.execute("INSERT INTO _journal (entry) VALUES (?)", (entry.decode(),))

    def finish(self) -> None:
        """Keep the version counter with the rows it numbered."""
        if self._next_version != self.version:
            self.set_meta("version", self._next_version)

    def _take_version(self) -> int:
        self._next_version += 1
        return self._next_version


class Store:
    """The data file. `now()` is the environment's clock, which `advance()` moves."""

    def __init__(self, path: Path) -> None:
        # The file holds the identities' secrets: nobody else may read it.
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._path = path
        self._writing = threading.RLock()
        self._readers: list[sqlite3.Connection] = []
        self._writer = self._connect()
        self._writer.executescript(_OWN_TABLES)
        for table in TABLES.values():
            _prepare(self._writer, table)
        self._clock_offset = _number(Snapshot(self._writer).meta("clock_offset"))

    def now(self) -> float:
        return time.time() + self._clock_offset

    def advance(self, seconds: float) -> None:
        with self.write() as transaction:
            self._clock_offset += seconds
            transaction.set_meta("clock_offset", self._clock_offset)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Open the one write transaction; an exception undoes all of it."""
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                transaction = Transaction(self._writer)
                yield transaction
                transaction.finish()
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """Open a snapshot: what is committed after this moment stays invisible in it."""
        connection = self._take_reader()
        connection.execute("BEGIN")
        try:
            yield Snapshot(connection)
        finally:
            connection.execute("ROLLBACK")
            self._readers.append(connection)

    def close(self) -> None:
        with self._writing:
            for connection in (*self._readers, self._writer):
                connection.close()
            self._readers.clear()

    def _take_reader(self) -> sqlite3.Connection:
        # list.pop and list.append are atomic; a lost race only opens one connection more.
        try:
            return self._readers.pop()
        except IndexError:
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -65536")
        connection.create_function("text_matches", 2, text_matches, deterministic=True)
        connection.create_collation("CASELESS", _compare_caseless)
        return connection


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


def _compare_caseless(left: str, right: str) -> int:
    first, second = left.casefold(), right.casefold()
    return (first > second) - (first < second)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _prepare(connection: sqlite3.Connection, table: Table) -> None:
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
