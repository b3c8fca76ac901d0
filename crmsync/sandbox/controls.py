"""The doors under /_sandbox/: look at rows and journal, add faults, edit, reset.

Outside the imitated surface: on loopback, without a token, never journaled, never hit by faults.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final

import orjson

from crmsync.sandbox import plants
from crmsync.sandbox.callers import caller_of
from crmsync.sandbox.credentials import SALESPERSON
from crmsync.sandbox.environment import Environment
from crmsync.sandbox.errors import DataverseError
from crmsync.sandbox.faults import UnknownKeyError
from crmsync.sandbox.jobs import paced
from crmsync.sandbox.messages import Request, Response, json_response
from crmsync.sandbox.payloads import Reading
from crmsync.sandbox.query import options
from crmsync.sandbox.schema import Table
from crmsync.sandbox.store import Transaction, timestamp
from crmsync.sandbox.writing import Writer

ROOT: Final = "/_sandbox/"
DOORS: Final = {
    "GET /_sandbox/dump/<entityset>?select=<columns>": "all rows of a set, as stored",
    "GET /_sandbox/journal?since=<n>": "requests after number n",
    "GET|POST|DELETE /_sandbox/faults": "list, add, remove faults",
    "POST /_sandbox/imports": "how imports of solutions go: seconds, hidden, outcome, message",
    "POST /_sandbox/plant": "what others have installed or switched on, by name or as rows",
    "POST /_sandbox/reset": "back to the seeded rows",
    "POST /_sandbox/edit": "change, create, delete rows as a salesperson; move the clock",
}


class BadDoorError(Exception):
    """A request to a door says something that the door does not understand."""


def answer(environment: Environment, request: Request) -> Response:
    """Answer a request to one of the doors."""
    door, _, rest = request.path.removeprefix(ROOT).partition("/")
    try:
        handler = _HANDLERS.get((request.method, door))
        if handler is None:
            return json_response(404, {"error": "No such door.", "doors": DOORS})
        return handler(environment, request, rest)
    except (UnknownKeyError, BadDoorError, orjson.JSONDecodeError) as error:
        return json_response(400, {"error": str(error)})
    except DataverseError as error:
        body = {"error": {"code": error.code, "message": error.message}}
        return json_response(error.status, body)


def _doors(environment: Environment, request: Request, rest: str) -> Response:
    del environment, request, rest
    return json_response(200, {"doors": DOORS})


def _dump(environment: Environment, request: Request, entity_set: str) -> Response:
    """Return rows without paging; `select` narrows wide tables to a comma list of columns."""
    table = _table(environment, entity_set)
    wanted = options(request.query).get("select")
    names = tuple(wanted.split(",")) if wanted else table.stored_names
    unknown = sorted(set(names) - set(table.stored_names))
    if unknown:
        raise BadDoorError(f"Unknown columns: {', '.join(unknown)}.")
    with environment.store.read() as snapshot:
        rows = snapshot.rows(table, f"1 ORDER BY {table.primary_id}", names=names)
    for name in table.booleans.intersection(names):
        for row in rows:
            row[name] = None if row[name] is None else bool(row[name])
    return json_response(200, {"count": len(rows), "value": rows})


def _table(environment: Environment, name: str) -> Table:
    """Find a table by its entity set or, as for intersect tables, by its own name."""
    schema = environment.store.schema
    return schema.tables.get(name) or schema.of_set(name)


def _journal(environment: Environment, request: Request, rest: str) -> Response:
    del rest
    since = options(request.query).get("since", "0")
    return json_response(200, environment.journal.since(int(since) if since.isdecimal() else 0))


def _list_faults(environment: Environment, request: Request, rest: str) -> Response:
    del request, rest
    return json_response(200, {"value": environment.faults.described()})


def _add_faults(environment: Environment, request: Request, rest: str) -> Response:
    del rest
    described = orjson.loads(request.body)
    if isinstance(described, list):
        ids = [environment.faults.add(one) for one in map(_object, described)]
        return json_response(201, {"ids": ids})
    return json_response(201, {"id": environment.faults.add(_object(described))})


def _clear_faults(environment: Environment, request: Request, rest: str) -> Response:
    del request, rest
    environment.faults.clear()
    return Response(204)


def _reset(environment: Environment, request: Request, rest: str) -> Response:
    del request, rest
    environment.reset()
    return json_response(200, {"reset": True})


def _edit(environment: Environment, request: Request, rest: str) -> Response:
    """Carry out one edit or a list of them, in one transaction."""
    del rest
    body = orjson.loads(request.body)
    edits = [_object(edit) for edit in (body if isinstance(body, list) else [body])]
    for edit in edits:
        if "clock" in edit:
            _move_clock(environment, _object(edit["clock"]))
    rows = [edit for edit in edits if "clock" not in edit]
    with environment.store.write() as transaction:
        writer = _salesperson(environment, transaction)
        ids = [_edited(writer, edit) for edit in rows]
    return json_response(200, {"ids": ids})


def _salesperson(environment: Environment, transaction: Transaction) -> Writer:
    user = environment.credentials.user(SALESPERSON)
    caller = caller_of(transaction, user.id, user.username)
    return Writer(transaction, caller, timestamp(environment.store.now()))


def _edited(writer: Writer, edit: Mapping[str, object]) -> str:
    table = writer.transaction.schema.of_set(str(edit.get("set")))
    keys = frozenset(edit) - {"set"}
    if keys == {"create"}:
        body = _object(edit["create"])
        return writer.create(table, [body], Reading(creating=True, operator=True))[0]
    if keys == {"delete"}:
        row_id = str(edit["delete"]).lower()
        writer.delete(table, row_id)
        return row_id
    if keys == {"id", "values"}:
        row_id = str(edit["id"]).lower()
        reading = Reading(creating=False, operator=True)
        writer.update(table, row_id, _object(edit["values"]), reading)
        return row_id
    raise BadDoorError(
        "An edit has 'set' with either 'id' and 'values', or 'create', or 'delete'; "
        "or it has 'clock' alone."
    )


def _move_clock(environment: Environment, clock: Mapping[str, object]) -> None:
    seconds = clock.get("advance")
    if frozenset(clock) != {"advance"} or not isinstance(seconds, int | float):
        raise BadDoorError("The clock takes 'advance', a number of seconds.")
    environment.store.advance(float(seconds))


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise BadDoorError("A JSON object is expected.")
    return value


def _imports(environment: Environment, request: Request, rest: str) -> Response:
    """Say how the imports of solutions go that begin after this."""
    del rest
    try:
        environment.pace = paced(environment.pace, _object(orjson.loads(request.body)))
    except ValueError as error:
        raise BadDoorError(str(error)) from error
    return json_response(200, asdict(environment.pace))


def _plant(environment: Environment, request: Request, rest: str) -> Response:
    del rest
    body = orjson.loads(request.body)
    wishes = body if isinstance(body, list) else [body]
    try:
        return json_response(200, {"planted": plants.plant(environment, wishes)})
    except plants.UnknownPlantError as error:
        raise BadDoorError(str(error)) from error


Handler = Callable[[Environment, Request, str], Response]

_HANDLERS: Final[dict[tuple[str, str], Handler]] = {
    ("GET", ""): _doors,
    ("GET", "dump"): _dump,
    ("GET", "journal"): _journal,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "reset"): _reset,
    ("POST", "edit"): _edit,
    ("POST", "imports"): _imports,
    ("POST", "plant"): _plant,
}
