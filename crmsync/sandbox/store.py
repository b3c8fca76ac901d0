"""The rows, in one SQLite file: a single writer, any number of readers on a stable snapshot.

Every row carries a version that grows over the whole environment; it is the row's etag and the
clock of change tracking. Deletions leave their id and version behind.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson

from crmsync.sandbox.added import Added
from crmsync.sandbox.errors import DUPLICATE_RECORD, DataverseError
from crmsync.sandbox.schema import VERSION_COLUMN, Table
from crmsync.sandbox.sql import compare_caseless, prepare, quoted, text_matches
from crmsync.sandbox.tables import TABLES, Schema

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


def among(expression: str, *, word: str = "IN") -> str:
    """Return the condition that an SQL expression is one of the values of a `value_list`.

    The list is a single parameter however long it is: SQLite limits their number.
    """
    return f"{expression} {word} (SELECT value FROM json_each(?))"


def value_list(values: Iterable[object]) -> str:
    return orjson.dumps(list(values)).decode()


class Snapshot:
    """One consistent view of the rows. `schema` describes the tables they are in."""

    def __init__(self, connection: sqlite3.Connection, schema: Schema) -> None:
        self._connection = connection
        self.schema = schema

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
        return _meta(self._connection, key)

    @property
    def version(self) -> int:
        """The highest version given out so far."""
        found = self.meta("version")
        return found if isinstance(found, int) else 0


class Transaction(Snapshot):
    """The one writer at work. `rows_written` counts what it inserted, changed and deleted."""

    def __init__(self, connection: sqlite3.Connection, schema: Schema) -> None:
        super().__init__(connection, schema)
        self._next_version = self.version
        self.rows_written = 0

    @property
    def added(self) -> Added:
        """What the environment has beyond the declared tables."""
        return Added.from_kept(self.meta("added"))

    def set_added(self, added: Added) -> None:
        """Change what is added: new tables and columns come to be, tables left out go.

        Columns left out stay in the file, unseen, as SQLite keeps them cheaply.
        """
        before, self.schema = self.schema, added.schema()
        self.set_meta("added", added.kept())
        for table in self.schema.tables.values():
            if table is not before.tables.get(table.name):
                prepare(self._connection, table)
        for name in before.tables.keys() - self.schema.tables.keys():
            self._connection.execute(f"DROP TABLE {quoted(name)}")

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
        """Forget every row, addition, deletion and journal entry; settings and numbering stay."""
        self.set_added(Added())
        for table in TABLES.values():
            self._connection.execute(f"DELETE FROM {quoted(table.name)}")
        self._connection.execute("DELETE FROM _deletion")
        self._connection.execute("DELETE FROM _journal")

    def append_journal(self, entry: bytes) -> int:
        """Return the number of the entry."""
        sql = "INSERT INTO _journal (entry) VALUES (?)"
        return int(self._connection.execute(sql, (entry.decode(),)).lastrowid or 0)

    def correct_journal(self, n: int, name: str, value: float) -> None:
        sql = "UPDATE _journal SET entry = json_set(entry, '$.' || ?, ?) WHERE n = ?"
        self._connection.execute(sql, (name, value, n))

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
        self.schema = Added.from_kept(_meta(self._writer, "added")).schema()
        for table in self.schema.tables.values():
            prepare(self._writer, table)
        self._clock_offset = _number(_meta(self._writer, "clock_offset"))

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
                transaction = Transaction(self._writer, self.schema)
                yield transaction
                transaction.finish()
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")
            self.schema = transaction.schema

    @contextmanager
    def read(self) -> Iterator[Snapshot]:
        """Open a snapshot: what is committed after this moment stays invisible in it."""
        connection = self._take_reader()
        connection.execute("BEGIN")
        try:
            yield Snapshot(connection, self.schema)
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
        # A killed process loses nothing this way either, and no answer waits for the disk.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -65536")
        connection.create_function("text_matches", 2, text_matches, deterministic=True)
        connection.create_collation("CASELESS", compare_caseless)
        return connection


def _meta(connection: sqlite3.Connection, key: str) -> object:
    found = connection.execute("SELECT value FROM _meta WHERE key = ?", (key,)).fetchone()
    return orjson.loads(str(found[0])) if found else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
