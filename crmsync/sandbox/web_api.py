"""The routes under /api/data/v9.2/: from an address and a method to a read or a write."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crmsync.sandbox import actions, bound, bulk, functions, metadata, solutions
from crmsync.sandbox.calls import Call
from crmsync.sandbox.errors import (
    DUPLICATE_RECORD,
    DataverseError,
    bad_query,
    not_implemented,
)
from crmsync.sandbox.messages import Request, Response, json_response
from crmsync.sandbox.payloads import (
    API_PATH,
    TYPE_PREFIX,
    Reading,
    json_object,
    key_value,
    reference,
)
from crmsync.sandbox.query import Query, navigated, options, parse
from crmsync.sandbox.reading import Reader
from crmsync.sandbox.schema import ManyToMany, Table
from crmsync.sandbox.tracking import Tracker

_SEGMENT: Final = re.compile(r"(?P<name>[^(]+)(?:\((?P<key>.*)\))?")
READ_TYPE: Final = {
    "Content-Type": "application/json; odata.metadata=minimal; odata.streaming=true"
}
ROW_TYPE: Final = {"Content-Type": "application/json; odata.metadata=minimal"}


@dataclass(frozen=True, slots=True)
class Address:
    """A row or a set, and the segments after it."""

    table: Table
    key: str | None
    rest: tuple[str, ...]

    @property
    def row_id(self) -> str:
        return key_value(self.table, self.key or "")


def answer(call: Call, request: Request) -> Response:
    """Carry out one request of the Web API; refusals are raised as DataverseError."""
    path = request.path.removeprefix(API_PATH)
    function = functions.find(path) or actions.find(path)
    if function is not None:
        return function(call, request)
    if metadata.is_about_columns(path):
        return metadata.answer(call, request, path)
    address = _address(call, path)
    if address.key is None:
        return _answer_set(call, request, address)
    if not address.rest:
        return _answer_row(call, request, address)
    return _answer_navigation(call, request, address)


def _address(call: Call, path: str) -> Address:
    first, *rest = path.rstrip("/").split("/")
    match = _SEGMENT.fullmatch(first)
    if match is None:
        raise bad_query(f"Bad Request - Error in query syntax: '{first}'.")
    schema = call.environment.store.schema
    table = schema.of_set(match["name"])
    key = match["key"]
    if key is not None and table.entity_set == "EntityDefinitions":
        key = metadata.definition_key(schema, key)
    return Address(table, key, tuple(rest))


def _answer_set(call: Call, request: Request, address: Address) -> Response:
    if address.rest == ("$count",) and request.method == "GET":
        return _count(call, request, address.table)
    if address.rest and address.rest[0].startswith(TYPE_PREFIX):
        return bulk.answer(call, request, address.table, address.rest[0])
    if address.rest:
        raise not_implemented(f"The address '{request.path}'")
    if request.method == "GET":
        return _collection(call, request, address.table)
    if request.method == "POST":
        return _create(call, request, address.table)
    raise _method_not_allowed(request)


def _answer_row(call: Call, request: Request, address: Address) -> Response:
    answers: dict[str, Callable[[Call, Request, Address], Response]] = {
        "GET": _row,
        "PATCH": _patch,
        "DELETE": _delete,
    }
    if address.table.name == "EntityMetadata" and request.method == "PUT":
        return metadata.update(call, request, address.row_id)
    if request.method not in answers:
        raise _method_not_allowed(request)
    return answers[request.method](call, request, address)


def _collection(call: Call, request: Request, table: Table) -> Response:
    query = parse(table, options(request.query))
    with call.reading(request) as reader:
        tracker = Tracker(reader, call.environment.store.now())
        if query.delta_token is not None:
            body = tracker.changes(table, query, query.delta_token)
        elif _is_tracking(reader, query):
            body = tracker.first_read(table, query)
        else:
            body = reader.collection(table, query)
    return json_response(200, body, READ_TYPE)


def _is_tracking(reader: Reader, query: Query) -> bool:
    in_token = query.skip_token is not None and 'istracking="True"' in query.skip_token
    return in_token or reader.asks_for("odata.track-changes")


def _count(call: Call, request: Request, table: Table) -> Response:
    query = parse(table, options(request.query))
    with call.reading(request) as reader:
        if query.delta_token is not None:
            tracker = Tracker(reader, call.environment.store.now())
            number = tracker.count(table, query, query.delta_token)
        else:
            number = reader.count(table, query)
    # The byte order mark is the service's own habit.
    return Response(200, {"Content-Type": "text/plain"}, f"\ufeff{number}".encode())


def _row(call: Call, request: Request, address: Address) -> Response:
    query = parse(address.table, options(request.query))
    with call.reading(request) as reader:
        row = reader.one(address.table, address.row_id, query)
        context = reader.context(address.table, query, "/$entity")
        may_match = reader.annotator.is_idle and not query.expansions
    etag = str(row["@odata.etag"])
    if may_match and request.headers.get("if-none-match") == etag:
        return Response(304, {"ETag": etag})
    return json_response(200, {"@odata.context": context, **row}, {**READ_TYPE, "ETag": etag})


def _create(call: Call, request: Request, table: Table) -> Response:
    body = json_object(request, table.entity_set)
    reading = Reading(creating=True, resolve=call.resolve)
    with call.writing() as writer:
        row_id = writer.create(table, [body], reading)[0]
    return _written(call, request, table, row_id, is_new=True)


def _patch(call: Call, request: Request, address: Address) -> Response:
    """Update or, without If-Match, upsert (docs: perform-conditional-operations-using-web-api)."""
    table, row_id = address.table, address.row_id
    body = json_object(request, table.entity_set)
    with call.writing() as writer:
        exists = writer.transaction.exists(table, row_id)
        _check_none_match(request, exists=exists)
        is_new = not exists and request.headers.get("if-match") is None
        if is_new:
            reading = Reading(creating=True, resolve=call.resolve)
            writer.create(table, [{**body, table.primary_id: row_id}], reading)
        else:
            writer.existing(table, row_id)
            writer.check_version(table, row_id, request.headers.get("if-match"))
            writer.update(table, row_id, body, Reading(creating=False, resolve=call.resolve))
    return _written(call, request, table, row_id, is_new=is_new)


def _check_none_match(request: Request, *, exists: bool) -> None:
    if exists and request.headers.get("if-none-match") == "*":
        raise DataverseError(
            412, DUPLICATE_RECORD, "A record with matching key values already exists."
        )


def _delete(call: Call, request: Request, address: Address) -> Response:
    with call.writing() as writer:
        writer.check_version(address.table, address.row_id, request.headers.get("if-match"))
        if address.table.name == "solution":
            solutions.uninstall(writer, address.row_id)
        else:
            writer.delete(address.table, address.row_id)
    return Response(204)


def _written(call: Call, request: Request, table: Table, row_id: str, *, is_new: bool) -> Response:
    url = f"{request.origin}{API_PATH}{table.entity_set}({row_id})"
    if request.preferences.get("return") != "representation":
        return Response(204, {"OData-EntityId": url, "Location": url})
    query = parse(table, _representation_options(request))
    with call.reading(request) as reader:
        found = reader.one(table, row_id, query)
        context = reader.context(table, query, "/$entity")
    headers = {**ROW_TYPE, "ETag": str(found["@odata.etag"])}
    if is_new:
        headers["Location"] = url
    return json_response(201 if is_new else 200, {"@odata.context": context, **found}, headers)


def _representation_options(request: Request) -> Mapping[str, str]:
    given = options(request.query)
    return {name: value for name, value in given.items() if name in {"$select", "$expand", "tag"}}


def _answer_navigation(call: Call, request: Request, address: Address) -> Response:
    if address.rest[-1] == "$ref":
        return _answer_reference(call, request, address)
    if address.rest[0].startswith(TYPE_PREFIX):
        name = address.table.name
        return bound.answer(call, request, name, address.row_id, "/".join(address.rest))
    if len(address.rest) > 1 or request.method != "GET" or "(" in address.rest[0]:
        raise not_implemented(f"{request.method} of the address '{request.path}'")
    navigation = address.rest[0]
    target = navigated(address.table, navigation)
    query = parse(target, options(request.query))
    with call.reading(request) as reader:
        found = reader.related(address.table, address.row_id, navigation, query)
    return Response(204) if found is None else json_response(200, found, READ_TYPE)


def _answer_reference(call: Call, request: Request, address: Address) -> Response:
    """Tie rows together or apart (docs: associate-disassociate-entities-using-web-api)."""
    match = _SEGMENT.fullmatch(address.rest[0])
    name = match["name"] if match else ""
    if name in address.table.relations:
        other_id = _other_end(call, request, address.table, match["key"] if match else None)
        _tie(call, request, address, address.table.relations[name], other_id)
    elif name in address.table.by_navigation:
        body = _reference_body(request, name)
        reading = Reading(creating=False, resolve=call.resolve)
        with call.writing() as writer:
            writer.update(address.table, address.row_id, body, reading)
    else:
        raise not_implemented(f"The navigation '{name}'")
    return Response(204)


def _tie(
    call: Call, request: Request, address: Address, relation: ManyToMany, other_id: str
) -> None:
    with call.writing() as writer:
        change = writer.associate if request.method == "POST" else writer.dissociate
        change(address.table, address.row_id, relation, other_id)


def _other_end(call: Call, request: Request, table: Table, key: str | None) -> str:
    """Return the row to tie to: named in the body, the key, or the `$id` option."""
    if request.method == "POST":
        url = json_object(request, table.entity_set).get("@odata.id")
        return reference(table.entity_set, url, call.resolve)[1]
    if request.method != "DELETE":
        raise _method_not_allowed(request)
    if key is not None:
        return key_value(table, key)
    return reference(table.entity_set, options(request.query).get("$id"), None)[1]


def _reference_body(request: Request, navigation: str) -> dict[str, object]:
    if request.method == "DELETE":
        return {f"{navigation}@odata.bind": None}
    if request.method != "PUT":
        raise _method_not_allowed(request)
    return {f"{navigation}@odata.bind": json_object(request, navigation).get("@odata.id")}


def _method_not_allowed(request: Request) -> DataverseError:
    return DataverseError(
        405,
        "0x8006088a",
        f"The requested resource does not support http method '{request.method}'.",
    )
