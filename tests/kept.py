"""Both sides as they once were: kept after a long way there, laid in wherever a test begins so."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from tests.sandboxes import Sandbox

# Who may sign in, and who has, is a matter of each test.
OF_PEOPLE = {"auth", "axes", "contenttypes", "frame", "sessions"}


@dataclass(frozen=True, slots=True)
class Kept:
    """``sales`` is the sandbox's file; ``rows`` are ours by table, as SQLite stores them."""

    sales: sqlite3.Connection
    rows: dict[str, list[tuple[Any, ...]]]


def keep(sandbox: Sandbox) -> Kept:
    sales = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(sandbox.data)) as stored:
        stored.backup(sales)
    return Kept(sales, rows_of_ours())


def lay_in(kept: Kept, sandbox: Sandbox) -> None:
    """Put it in place of what is there; people who sign in, and their sessions, stay."""
    with closing(sqlite3.connect(sandbox.data)) as stored:
        kept.sales.backup(stored)
    with transaction.atomic():
        for table in kept.rows:
            connection.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        for table, rows in kept.rows.items():
            _insert(table, rows)


def _insert(table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        statement = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608 - our own names
        connection.connection.executemany(statement, rows)


def rows_of_ours() -> dict[str, list[tuple[Any, ...]]]:
    """As stored, of every table with what numbers its next row; what is not committed, too."""
    with closing(sqlite3.connect(":memory:")) as plain:
        plain.deserialize(connection.connection.serialize())
        return {
            table: plain.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - our own names
            for table in _tables()
        }


def _tables() -> list[str]:
    """In reverse: exchange rates come before their currency, which they would stamp again."""
    about = [model._meta for model in apps.get_models()]
    ours = {one.db_table for one in about if one.app_label not in OF_PEOPLE}
    return ["sqlite_sequence", *sorted(ours, reverse=True)]
