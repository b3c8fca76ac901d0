"""What others may have in an environment before we come: planted by name, or as rows."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid4

import orjson

from crmsync.sandbox.bootstrap import ORGANIZATION_ID, SYSTEM_USER_ID
from crmsync.sandbox.environment import Environment, completed
from crmsync.sandbox.rules import Rates
from crmsync.sandbox.store import Row, Transaction, timestamp
from crmsync.sandbox.tables import TABLES

_CREATE: Final = "Create"
_POST_OPERATION: Final = 40


class UnknownPlantError(Exception):
    """The wish names nothing that can be planted; the message says what can."""


def plant(environment: Environment, wishes: Sequence[object]) -> list[str]:
    """Carry out wishes in one transaction and return the ids of the rows made.

    A wish is a name from NAMES; `{"set", "row"}` for a row as it is stored; `{"secure": "t.c"}` or
    `{"unsecure": "t.c"}` for a column; `{"untrack": table}` to switch change tracking off.
    """
    now = timestamp(environment.store.now())
    with environment.store.write() as transaction:
        return [made for wish in wishes for made in _planted(transaction, wish, now)]


def _planted(transaction: Transaction, wish: object, now: str) -> list[str]:
    if isinstance(wish, str) and wish in NAMES:
        return _rows(transaction, NAMES[wish], now)
    if isinstance(wish, Mapping) and wish.keys() == {"set", "row"}:
        table = transaction.schema.of_set(str(wish["set"]))
        return _rows(transaction, [(table.name, dict(wish["row"]))], now)
    if isinstance(wish, Mapping) and len(wish) == 1:
        [(act, name)] = wish.items()
        if act in {"secure", "unsecure"}:
            return _secure(transaction, str(name), secured=act == "secure")
        if act == "untrack":
            return _untrack(transaction, str(name))
    raise UnknownPlantError(
        f"A wish is one of {', '.join(NAMES)}; or has 'set' and 'row'; or 'secure', 'unsecure' or "
        "'untrack'."
    )


def _rows(transaction: Transaction, rows: Sequence[tuple[str, Row]], now: str) -> list[str]:
    ids = []
    for name, given in rows:
        table = transaction.schema.tables[name]
        row = {table.primary_id: str(uuid4()), **given}
        if "_sdkmessageid_value" in row:
            row.update(_message_ids(transaction, row))
        unknown = sorted(row.keys() - set(table.stored_names))
        if unknown:
            raise UnknownPlantError(f"Unknown columns: {', '.join(unknown)}.")
        rates = Rates(transaction)
        complete = completed(table, row, rates, author=SYSTEM_USER_ID, now=now)
        transaction.insert(table, [complete])
        ids.append(str(row[table.primary_id]))
    return ids


def _message_ids(transaction: Transaction, row: Row) -> Row:
    """Turn the names of a message and its table into the ids of this environment."""
    found = transaction.one(
        "SELECT sdkmessagefilterid, sdkmessageid FROM sdkmessagefilter JOIN sdkmessage"
        " ON sdkmessageid = _sdkmessageid_value"
        " WHERE primaryobjecttypecode = ? AND sdkmessage.name = ?",
        (row["_sdkmessagefilterid_value"], row["_sdkmessageid_value"]),
    )
    if found is None:
        raise UnknownPlantError("There is no such message of that table.")
    return {"_sdkmessagefilterid_value": found[0], "_sdkmessageid_value": found[1]}


def _secure(transaction: Transaction, name: str, *, secured: bool) -> list[str]:
    table, _, column = name.partition(".")
    if column not in getattr(transaction.schema.tables.get(table), "by_name", {}):
        raise UnknownPlantError(f"There is no column {name}.")
    transaction.set_added(transaction.added.securing(table, column, secured=secured))
    return []


def _untrack(transaction: Transaction, name: str) -> list[str]:
    table = TABLES["EntityMetadata"]
    for row in transaction.rows(table, "LogicalName = ?", (name,)):
        transaction.update(table, str(row["MetadataId"]), {"ChangeTrackingEnabled": False})
    return []


def _solution(unique_name: str, friendly_name: str, version: str) -> tuple[str, Row]:
    return "solution", {
        "uniquename": unique_name,
        "friendlyname": friendly_name,
        "version": version,
        "ismanaged": True,
        "installedon": "2026-01-15T09:00:00Z",
        "_organizationid_value": ORGANIZATION_ID,
    }


# How a cloud flow says in its definition what starts it; its own primaryentity says "none".
_FLOW_DEFINITION: Final = orjson.dumps(
    {
        "properties": {
            "definition": {
                "triggers": {
                    "When_a_row_is_added_or_modified": {
                        "type": "OpenApiConnectionWebhook",
                        "inputs": {
                            "parameters": {
                                "subscriptionRequest/message": 4,
                                "subscriptionRequest/entityname": "account",
                                "subscriptionRequest/scope": 4,
                            }
                        },
                    }
                }
            }
        },
        "schemaVersion": "1.0.0.0",
    }
).decode()

_ACTIVE: Final[Row] = {"statecode": 1, "statuscode": 2}

NAMES: Final[dict[str, list[tuple[str, Row]]]] = {
    "microsoft_integration": [
        _solution("MicrosoftDynamicsNavIntegration", "Business Central Integration", "2.0.9.1"),
        _solution("bcbi_CdsBaseIntegration", "Business Central Base Integration", "1.4.0.2"),
    ],
    "dual_write": [_solution("DualWriteCore", "Dual-write Core", "1.0.24.1")],
    "classic_workflow": [
        (
            "workflow",
            {
                "name": "Tell the owner about a changed account",
                "category": 0,
                "primaryentity": "account",
                "triggeroncreate": True,
                "triggeronupdateattributelist": "name,telephone1",
                "scope": 4,
                **_ACTIVE,
            },
        )
    ],
    "cloud_flow": [
        (
            "workflow",
            {
                "name": "Post new accounts to a channel",
                "category": 5,
                "primaryentity": "none",
                "scope": 4,
                "clientdata": _FLOW_DEFINITION,
                **_ACTIVE,
            },
        )
    ],
    "plugin_step": [
        (
            "sdkmessageprocessingstep",
            {
                "name": "Contoso.Plugins.CheckAccount: Create of account",
                "stage": _POST_OPERATION,
                "mode": 0,
                # Names; planting turns them into the ids of this environment.
                "_sdkmessageid_value": _CREATE,
                "_sdkmessagefilterid_value": "account",
            },
        )
    ],
    "duplicate_rule": [
        (
            "duplicaterule",
            {
                "name": "Accounts with the same account name",
                "baseentityname": "account",
                "matchingentityname": "account",
                **_ACTIVE,
            },
        )
    ],
}
