"""What a client may ask about the columns of a table (Microsoft docs: query-metadata-web-api)."""

import re
from collections.abc import Iterable
from typing import Final

from crmsync.sandbox.calls import Call
from crmsync.sandbox.catalogue import metadata_id
from crmsync.sandbox.errors import (
    INVALID_ARGUMENT,
    DataverseError,
    bad_request,
    does_not_exist,
    not_implemented,
)
from crmsync.sandbox.messages import Request, Response, json_response
from crmsync.sandbox.payloads import API_PATH, TYPE_PREFIX, json_object
from crmsync.sandbox.query import options
from crmsync.sandbox.rights import WRITE_DEFINITION
from crmsync.sandbox.schema import Access, Column, Kind, Table
from crmsync.sandbox.tables import TABLES, Schema

_PATH: Final = re.compile(
    r"EntityDefinitions\((?P<key>[^)]*)\)/(?P<part>Attributes|Keys)"
    r"(?:\(LogicalName='(?P<name>\w+)'\))?(?:/Microsoft\.Dynamics\.CRM\.(?P<cast>\w+))?"
)
_CASTS: Final = {
    Kind.TEXT: "StringAttributeMetadata",
    Kind.INTEGER: "IntegerAttributeMetadata",
    Kind.BIG_INTEGER: "BigIntAttributeMetadata",
    Kind.DECIMAL: "DecimalAttributeMetadata",
    Kind.MONEY: "MoneyAttributeMetadata",
    Kind.BOOLEAN: "BooleanAttributeMetadata",
    Kind.DATE_TIME: "DateTimeAttributeMetadata",
    Kind.DATE: "DateTimeAttributeMetadata",
    Kind.GUID: "UniqueIdentifierAttributeMetadata",
    Kind.CHOICE: "PicklistAttributeMetadata",
    Kind.LOOKUP: "LookupAttributeMetadata",
}
_STATE_CASTS: Final = {
    "statecode": "StateAttributeMetadata",
    "statuscode": "StatusAttributeMetadata",
}
_UNDERSTOOD: Final = frozenset({"$select", "$expand", "$filter"})
_CONDITION: Final = re.compile(r"(?P<name>\w+) eq (?P<value>true|false|'[^']*')")
_DEFINITION: Final = TABLES["EntityMetadata"]
_TRACKING: Final = "ChangeTrackingEnabled"
_SWITCHES: Final = frozenset({_TRACKING, "versionnumber"})


def is_about_columns(path: str) -> bool:
    return _PATH.fullmatch(path) is not None


def definition_key(schema: Schema, key: str) -> str:
    """Return the id of the definition that a key of EntityDefinitions names."""
    match = re.fullmatch(r"LogicalName='(\w+)'", key)
    return metadata_id(_named(schema, match[1]).name) if match else key


def update(call: Call, request: Request, definition_id: str) -> Response:
    """Replace a table's definition; the one change that can be made here is to track changes.

    Microsoft docs: create-update-entity-definitions. Tracking cannot be switched off again; that
    the wish is refused is a guess.
    """
    body = json_object(request, "EntityDefinitions")
    with call.writing() as writer:
        writer.caller.require_named(writer.transaction, WRITE_DEFINITION)
        before = writer.existing(_DEFINITION, definition_id)
        for name, value in body.items():
            if name in before and name not in _SWITCHES and value != _shown(name, before[name]):
                raise not_implemented(f"Changing {name} of a table")
        wanted = body.get(_TRACKING)
        if before[_TRACKING] and wanted is False:
            raise bad_request(INVALID_ARGUMENT, "Change tracking cannot be disabled.")
        if wanted:
            writer.transaction.update(_DEFINITION, definition_id, {_TRACKING: True})
    return Response(204)


def _shown(name: str, value: object) -> object:
    return bool(value) if name in _DEFINITION.booleans and value is not None else value


def answer(call: Call, request: Request, path: str) -> Response:
    """Describe a table's columns, one column, or its alternate keys (there are none yet)."""
    schema = call.environment.store.schema  # anybody with a role may read definitions
    match = _PATH.fullmatch(path)
    if match is None or request.method != "GET":
        raise not_implemented(f"{request.method} of the address '{path}'")
    table = _table(schema, match["key"])
    context = f"{request.origin}{API_PATH}$metadata#{path}"
    if match["part"] == "Keys":
        return json_response(200, {"@odata.context": context, "value": []})
    described = (
        _described(schema, table, column)
        for column in table.columns
        if match["cast"] in {None, _cast(column)} and match["name"] in {None, column.attribute_name}
    )
    found = [_selected(one, request) for one in described if _fits(one, request)]
    if match["name"] is None:
        return json_response(200, {"@odata.context": context, "value": found})
    if not found:
        raise does_not_exist("Attribute", match["name"])
    return json_response(200, {"@odata.context": context, **found[0]})


def _fits(described: dict[str, object], request: Request) -> bool:
    """Judge a filter of the shape `Name eq value`, the only one understood here."""
    text = options(request.query).get("$filter")
    if text is None:
        return True
    match = _CONDITION.fullmatch(text.strip())
    if match is None or match["name"] not in described:
        raise not_implemented(f"The filter '{text}' on definitions of columns")
    literals: dict[str, object] = {"true": True, "false": False}
    wanted = literals.get(match["value"], match["value"].strip("'"))
    return described[match["name"]] == wanted


def _table(schema: Schema, key: str) -> Table:
    wanted = definition_key(schema, key)
    found = [table for table in schema.tables.values() if metadata_id(table.name) == wanted]
    if not found:
        raise does_not_exist("EntityMetadata", key)
    return found[0]


def _named(schema: Schema, logical_name: str) -> Table:
    if logical_name not in schema.tables:
        raise DataverseError(
            404,
            "0x80060888",
            f"Could not find an entity with name {logical_name} and id 00000000-0000-0000-0000-"
            "000000000000.",
        )
    return schema.tables[logical_name]


def _cast(column: Column) -> str:
    return _STATE_CASTS.get(column.name) or _CASTS[column.kind]


def _described(schema: Schema, table: Table, column: Column) -> dict[str, object]:
    described: dict[str, object] = {
        "@odata.type": f"#{TYPE_PREFIX}{_cast(column)}",
        "MetadataId": metadata_id(table.name, column.name),
        "LogicalName": column.attribute_name,
        "SchemaName": column.attribute_name,
        "EntityLogicalName": table.name,
        "AttributeType": _cast(column).removesuffix("AttributeMetadata"),
        "IsPrimaryId": column.name == table.primary_id,
        "IsPrimaryName": column.name == table.primary_name,
        "IsValidForCreate": column.access in {Access.FREE, Access.CREATE_ONLY},
        "IsValidForUpdate": column.access in {Access.FREE, Access.UPDATE_ONLY},
        "IsValidForRead": True,
        "IsSecured": (table.name, column.name.removesuffix("_base")) in schema.secured,
        "IsCustomAttribute": column.name not in _built_in_names(table),
        "RequiredLevel": {"Value": "SystemRequired" if column.required else "None"},
    }
    if column.kind is Kind.TEXT:
        described["MaxLength"] = column.length
    if column.kind is Kind.LOOKUP:
        described["Targets"] = list(column.targets)
    if column.options:
        described["OptionSet"] = {"Options": list(_options(column))}
    return described


def _built_in_names(table: Table) -> frozenset[str]:
    known = TABLES.get(table.name)
    return frozenset(known.by_name) if known else frozenset()


def _options(column: Column) -> Iterable[dict[str, object]]:
    for value, label in column.options.items():
        localized = {"Label": label, "LanguageCode": 1033}
        yield {
            "Value": value,
            "Label": {"LocalizedLabels": [localized], "UserLocalizedLabel": localized},
        }


def _selected(described: dict[str, object], request: Request) -> dict[str, object]:
    given = options(request.query)
    refused = given.keys() - _UNDERSTOOD
    if refused:
        raise not_implemented(f"The query option '{min(refused)}' on definitions of columns")
    if "$select" not in given:
        return described
    expanded = {part.partition("(")[0] for part in given.get("$expand", "").split(",")}
    shown = {*given["$select"].split(","), *expanded, "@odata.type", "MetadataId"}
    return {name: value for name, value in described.items() if name in shown}
