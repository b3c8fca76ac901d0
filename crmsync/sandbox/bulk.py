"""The bulk messages: many rows of one table in one request, all or none.

Microsoft docs: bulk-operations. A failure does not say which row it was.
"""

from collections.abc import Mapping
from typing import Final

from crmsync.sandbox.calls import Call
from crmsync.sandbox.errors import bad_payload, bad_request, not_implemented
from crmsync.sandbox.messages import Request, Response, json_response
from crmsync.sandbox.payloads import TYPE_PREFIX, Reading, json_object, reference, targets_of
from crmsync.sandbox.schema import Table
from crmsync.sandbox.values import canonical_guid
from crmsync.sandbox.writing import Writer

UNSUPPORTED: Final = "0x80040800"
_MESSAGES: Final = frozenset({"CreateMultiple", "UpdateMultiple", "UpsertMultiple"})
_CREATING: Final = Reading(creating=True)
_UPDATING: Final = Reading(creating=False)


def answer(call: Call, request: Request, table: Table, action: str) -> Response:
    """Carry out a bulk message; the code for an unsupported table is a guess."""
    message = action.removeprefix(TYPE_PREFIX)
    if message not in _MESSAGES or request.method != "POST":
        raise not_implemented(f"{request.method} of the message '{message}'")
    if message not in table.bulk_messages:
        raise bad_request(
            UNSUPPORTED,
            f"The '{message}' method does not support entities of type '{table.name}'.",
        )
    targets = targets_of(table, json_object(request, table.entity_set))
    with call.writing() as writer:
        if message == "CreateMultiple":
            ids = writer.create(table, targets, _CREATING)
            return _created(request, ids)
        for target in targets:
            _change(writer, table, target, upserts=message == "UpsertMultiple")
    return Response(204)


def _created(request: Request, ids: list[str]) -> Response:
    context = f"{request.origin}/api/data/v9.2/$metadata#{TYPE_PREFIX}CreateMultipleResponse"
    return json_response(
        200,
        {"@odata.context": context, "Ids": ids},
        {"Content-Type": "application/json; odata.metadata=minimal"},
    )


def _change(writer: Writer, table: Table, target: Mapping[str, object], *, upserts: bool) -> None:
    row_id = _target_id(table, target)
    if upserts and not writer.transaction.exists(table, row_id):
        writer.create(table, [{**target, table.primary_id: row_id}], _CREATING)
    else:
        writer.update(table, row_id, target, _UPDATING)


def _target_id(table: Table, target: Mapping[str, object]) -> str:
    if "@odata.id" in target:
        return reference(table.entity_set, target["@odata.id"], None)[1]
    found = canonical_guid(target.get(table.primary_id))
    if found is None:
        raise bad_payload(table.entity_set, f"Every target must state its '{table.primary_id}'.")
    return found
