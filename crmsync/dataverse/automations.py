"""What reacts in Sales when rows of a table are written: it can change, refuse or slow them.

Sources: Microsoft docs "workflow (process) table", "SdkMessageProcessingStep table",
"duplicate detection"; the place of a flow's table within its definition is that of public
exports.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from crmsync.dataverse import odata
from crmsync.dataverse.client import Client, Row
from crmsync.dataverse.shapes import reads_an_answer

_CLASSIC, _MODERN = 0, 5
_TRIGGER_TABLE = "subscriptionRequest/entityname"


class AutomationKind(StrEnum):
    WORKFLOW = "workflow"
    FLOW = "flow"
    PLUGIN = "plugin"


@dataclass(frozen=True, slots=True)
class Automation:
    """``message`` is what it reacts to, like ``Update``; empty where that is not told."""

    kind: AutomationKind
    table: str
    name: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    table: str
    name: str


def automations(client: Client, tables: Iterable[str]) -> tuple[Automation, ...]:
    """Active workflows, cloud flows and plug-in steps of tables, by logical name.

    Microsoft's own plug-in steps are left out as far as they can be told: managed, and named
    after its assemblies. Flows that poll without a Dataverse trigger are not to be seen here.
    """
    wanted = tuple(tables)
    if not wanted:
        return ()
    return (*_workflows(client, wanted), *_plugin_steps(client, wanted))


def duplicate_rules(client: Client, tables: Iterable[str]) -> tuple[DuplicateRule, ...]:
    """The published duplicate-detection rules of tables.

    They do not stop what is written through the Web API unless it asks for them; people who
    merge what the rules find do.
    """
    wanted = tuple(tables)
    if not wanted:
        return ()
    named = odata.either("baseentityname", map(odata.literal, wanted))
    where = f"statecode eq 1 and {named}"
    path = odata.query("duplicaterules", {"$select": "name,baseentityname", "$filter": where})
    return tuple(map(_duplicate_rule, client.every(path)))


@reads_an_answer
def _duplicate_rule(row: Row) -> DuplicateRule:
    return DuplicateRule(row["baseentityname"], row["name"])


def _workflows(client: Client, tables: tuple[str, ...]) -> Iterator[Automation]:
    """Type 1 is what people made; a second row of type 2 stands for each active one."""
    kinds = odata.either("category", map(str, (_CLASSIC, _MODERN)))
    options = {
        "$select": "name,category,primaryentity,clientdata",
        "$filter": f"statecode eq 1 and type eq 1 and {kinds}",
    }
    for row in client.every(odata.query("workflows", options)):
        yield from _of_workflow(row, tables)


@reads_an_answer
def _of_workflow(row: Row, tables: tuple[str, ...]) -> list[Automation]:
    is_flow = row.get("category") == _MODERN
    kind = AutomationKind.FLOW if is_flow else AutomationKind.WORKFLOW
    named = {str(row.get("primaryentity")), *_tables_of_flow(row)}
    return [Automation(kind, table, row["name"]) for table in tables if table in named]


def _tables_of_flow(row: Row) -> Iterator[str]:
    """The tables whose rows trigger a flow: its definition is a JSON text in ``clientdata``."""
    definition = _inner(_parsed(row.get("clientdata")), "properties", "definition", "triggers")
    for trigger in definition.values():
        table = _inner(trigger, "inputs", "parameters").get(_TRIGGER_TABLE)
        if isinstance(table, str):
            yield table


def _parsed(text: Any) -> Any:
    try:
        return orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}  # A flow that we cannot read: its row still names a table, if it has one.


def _inner(value: Any, *names: str) -> dict[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _plugin_steps(client: Client, tables: tuple[str, ...]) -> Iterator[Automation]:
    """Enabled steps that run when a row is written; those of reading change nothing."""
    column = "sdkmessagefilterid/primaryobjecttypecode"
    named = odata.either(column, map(odata.literal, tables))
    options = {
        "$select": "name,ismanaged",
        "$filter": f"statecode eq 0 and {named}",
        "$expand": ("sdkmessageid($select=name),sdkmessagefilterid($select=primaryobjecttypecode)"),
    }
    for row in client.every(odata.query("sdkmessageprocessingsteps", options)):
        step = _plugin_step(row)
        if not step.message.startswith("Retrieve") and not _is_microsofts(row):
            yield step


@reads_an_answer
def _plugin_step(row: Row) -> Automation:
    table = row["sdkmessagefilterid"]["primaryobjecttypecode"]
    return Automation(AutomationKind.PLUGIN, table, row["name"], row["sdkmessageid"]["name"])


def _is_microsofts(row: Row) -> bool:
    return row.get("ismanaged") is True and row["name"].startswith(("Microsoft.", "msdyn_"))
