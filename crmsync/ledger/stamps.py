"""A stamp that changes with every edit, kept by the database itself.

Synchronization finds edits by comparing stamps, so an edit that forgot to change its stamp would
be lost. Triggers see every writer: pages, imports, bulk updates and plain SQL.
"""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from crmsync.ledger import models

STAMPED_TABLES = (
    models.Salesperson._meta.db_table,
    models.Currency._meta.db_table,
    models.Customer._meta.db_table,
)

# A change of the second table is an edit of the record in the first one that owns it.
OWNED_TABLES = (
    (models.Currency._meta.db_table, models.CurrencyExchangeRate._meta.db_table, "currency_id"),
)


def install_stamp_triggers(
    sender: AppConfig, using: str, plan: list[Any] | None = None, **_: object
) -> None:
    """(Re)create the triggers after each migrate: a rebuilt SQLite table has lost its own."""
    connection = connections[using]
    if STAMPED_TABLES[0] not in connection.introspection.table_names():
        return
    statements = {"sqlite": _sqlite_statements, "postgresql": _postgresql_statements}
    with connection.schema_editor() as editor:
        for statement in statements[connection.vendor]():
            _execute(editor, statement)


def _execute(editor: BaseDatabaseSchemaEditor, statement: str) -> None:
    editor.execute(statement, params=None)


def _sqlite_statements() -> list[str]:
    statements = []
    for table in STAMPED_TABLES:
        statements += [
            f"DROP TRIGGER IF EXISTS {table}_stamp",
            f"CREATE TRIGGER {table}_stamp AFTER UPDATE ON {table} "
            # A record saved from an older copy brings its old stamp along.
            f"WHEN NEW.stamp <= OLD.stamp BEGIN "
            f"UPDATE {table} SET stamp = OLD.stamp + 1 WHERE id = NEW.id; END",
        ]
    for owner, table, column in OWNED_TABLES:
        for event, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            name = f"{table}_{event.lower()}_stamp"
            statements += [
                f"DROP TRIGGER IF EXISTS {name}",
                f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN "
                f"UPDATE {owner} SET stamp = stamp + 1 WHERE id = {row}.{column}; END",
            ]
    return statements


def _postgresql_statements() -> list[str]:
    statements = [
        "CREATE OR REPLACE FUNCTION ledger_next_stamp() RETURNS trigger AS "
        "'BEGIN NEW.stamp := OLD.stamp + 1; RETURN NEW; END' LANGUAGE plpgsql",
    ]
    for table in STAMPED_TABLES:
        statements += [
            f"DROP TRIGGER IF EXISTS {table}_stamp ON {table}",
            f"CREATE TRIGGER {table}_stamp BEFORE UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION ledger_next_stamp()",
        ]
    for owner, table, column in OWNED_TABLES:
        statements += [
            f"CREATE OR REPLACE FUNCTION {table}_edits_owner() RETURNS trigger AS "
            f"'BEGIN UPDATE {owner} SET stamp = stamp + 1 WHERE id = "
            f"CASE WHEN TG_OP = ''DELETE'' THEN OLD.{column} ELSE NEW.{column} END; "
            "RETURN NULL; END' LANGUAGE plpgsql",
            f"DROP TRIGGER IF EXISTS {table}_stamp ON {table}",
            f"CREATE TRIGGER {table}_stamp AFTER INSERT OR UPDATE OR DELETE ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_edits_owner()",
        ]
    return statements
