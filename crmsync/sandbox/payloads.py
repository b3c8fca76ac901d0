"""From a request body to the columns it changes: names, access, lookups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from crmsync.sandbox.errors import (
    KEY_NOT_DEFINED,
    bad_payload,
    bad_request,
    not_implemented,
)
from crmsync.sandbox.messages import Request, path_of
from crmsync.sandbox.schema import Access, Column, Kind, Table
from crmsync.sandbox.store import Row
from crmsync.sandbox.tables import BUILT_IN, TABLES
from crmsync.sandbox.values import canonical_guid, stored

API_PATH: Final = "/api/data/v9.2/"
TYPE_PREFIX: Final = "Microsoft.Dynamics.CRM."
_BIND: Final = "@odata.bind"

Resolve = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a body is to be read.

    `resolve` turns a Content-ID reference (`$1`) into the address of the row it stands for.
    `operator` lets read-only columns and `_x_value` names pass, as a hand at the database would.
    """

    creating: bool
    resolve: Resolve | None = None
    operator: bool = False


def json_object(request: Request, entity_set: str) -> dict[str, object]:
    """Return the request's body, which must be a JSON object."""
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise bad_payload(entity_set, f"Invalid JSON. {error}") from None
    if not isinstance(body, dict):
        raise bad_payload(entity_set, "A resource must be a JSON object.")
    return body


def changes(table: Table, body: Mapping[str, object], reading: Reading) -> Row:
    """Return the stored columns that `body` sets; columns that may not be set are left out.

    Unknown names, wrong types and values out of range are refused with 400.
    """
    found: Row = {}
    for name, value in body.items():
        column = table.by_name.get(name)
        if column is not None:
            _take_value(table, column, value, reading, found)
        elif "@" in name:
            _take_annotation(table, name, value, reading, found)
        else:
            _take_navigation(table, name, value, found)
    return found


def reference(entity_set: str, url: object, resolve: Resolve | None) -> tuple[Table, str]:
    """Return the table and row id that a bind value or `@odata.id` names."""
    if not isinstance(url, str):
        raise bad_payload(entity_set, f"The value '{url}' is not a valid resource reference.")
    address = resolve(url) if resolve and url.startswith("$") else url
    target = path_of(address).removeprefix(API_PATH).lstrip("/")
    name, opening, rest = target.partition("(")
    if not opening or not rest.endswith(")"):
        raise bad_payload(entity_set, f"Resource not found for the segment '{target}'.")
    table = BUILT_IN.of_set(name)
    return table, key_value(table, rest[:-1])


def key_value(table: Table, key: str) -> str:
    """Return the row id written between parentheses; refuse keys that are not defined."""
    name, equals, value = key.partition("=")
    bare = value if equals and name.strip() == table.primary_id else key
    found = canonical_guid(bare.strip())
    if found:
        return found
    if equals:
        raise bad_request(
            KEY_NOT_DEFINED,
            f"The specified key attributes are not a defined key for the {table.name} entity",
        )
    raise bad_request(
        "0x8006088a", f"Bad Request - Error in query syntax: '{key}' is not a valid key."
    )


def _take_value(table: Table, column: Column, value: object, reading: Reading, found: Row) -> None:
    if reading.operator and column.kind is Kind.LOOKUP:
        _set_lookup(column, column.targets[0], stored(table, column, value), found)
    elif column.kind is Kind.LOOKUP:
        raise bad_payload(
            table.entity_set,
            "CRM do not support direct update of Entity Reference properties, Use Navigation "
            f"properties instead: '{column.name}'.",
        )
    elif _is_settable(column, reading):
        found[column.name] = stored(table, column, value)


def _take_annotation(table: Table, name: str, value: object, reading: Reading, found: Row) -> None:
    if not name.endswith(_BIND):
        _check_type(table, name, value)
        return
    navigation = name.removesuffix(_BIND)
    column = table.by_navigation.get(navigation)
    if column is None:
        raise bad_payload(
            table.entity_set,
            f"An undeclared property '{navigation}' which only has property annotations in the "
            "payload but no property value was found in the payload. In OData, only declared "
            "navigation properties and declared named streams can be represented as properties "
            "without values.",
        )
    if not _is_settable(column, reading):
        return
    if value is None:
        _set_lookup(column, None, None, found)
        return
    target, row_id = reference(table.entity_set, value, reading.resolve)
    _check_target(table, navigation, column, target)
    _set_lookup(column, target.name, row_id, found)


def _take_navigation(table: Table, name: str, value: object, found: Row) -> None:
    column = table.by_navigation.get(name)
    if column is not None and value is None:
        _set_lookup(column, None, None, found)
        return
    if column is not None or name in table.relations:
        raise not_implemented(f"Creating related rows through '{name}'")
    raise bad_payload(
        table.entity_set,
        f"The property '{name}' does not exist on type '{TYPE_PREFIX}{table.name}'. Make sure to "
        "only use property names that are defined by the type.",
    )


def _is_settable(column: Column, reading: Reading) -> bool:
    if reading.operator or column.access is Access.FREE:
        return True
    wanted = Access.CREATE_ONLY if reading.creating else Access.UPDATE_ONLY
    return column.access is wanted


def _set_lookup(column: Column, target: str | None, row_id: object, found: Row) -> None:
    found[column.name] = row_id
    if column.type_column:
        found[column.type_column] = target if row_id else None


def _check_target(table: Table, navigation: str, column: Column, target: Table) -> None:
    if target.name not in column.navigations[navigation]:
        raise bad_payload(
            table.entity_set,
            f"The navigation property '{navigation}' does not accept rows of type "
            f"'{TYPE_PREFIX}{target.name}'.",
        )


def _check_type(table: Table, name: str, value: object) -> None:
    if name == "@odata.type" and value not in _type_names(table):
        raise bad_payload(
            table.entity_set, f"The type '{value}' is not '{TYPE_PREFIX}{table.name}'."
        )


def _type_names(table: Table) -> tuple[str, str]:
    return TYPE_PREFIX + table.name, f"#{TYPE_PREFIX}{table.name}"


def targets_of(table: Table, body: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the rows of a bulk message; each must say its type (docs: bulk-operations)."""
    targets = body.get("Targets")
    if not isinstance(targets, list) or not all(isinstance(t, dict) for t in targets):
        raise bad_payload(table.entity_set, "The parameter 'Targets' must be a collection.")
    for target in targets:
        if "@odata.type" not in target:
            raise bad_payload(
                table.entity_set,
                "A type named 'Microsoft.Dynamics.CRM.crmbaseentity' is abstract: every target "
                "must state its '@odata.type'.",
            )
    return targets


def lookup_target(column: Column, row: Mapping[str, object]) -> Table:
    """Return the table that a filled lookup of a stored row names."""
    stated = row.get(column.type_column) if column.type_column else None
    return TABLES[str(stated or column.targets[0])]
