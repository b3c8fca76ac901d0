"""The unbound functions: who am I, which version, which organization; and the service document."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import orjson

from crmsync.sandbox.bootstrap import ORGANIZATION_ID, ORGANIZATION_NAME
from crmsync.sandbox.calls import Call
from crmsync.sandbox.errors import (
    INVALID_ARGUMENT,
    DataverseError,
    bad_query,
    bad_request,
    not_implemented,
)
from crmsync.sandbox.messages import Request, Response, json_response
from crmsync.sandbox.payloads import API_PATH
from crmsync.sandbox.query import options
from crmsync.sandbox.sql import quoted

VERSION: Final = "9.2.26082.167"

Function = Callable[[Call, Request], Response]


def find(path: str) -> Function | None:
    """Return the function that a path below the API's root calls, if it calls any."""
    name = re.sub(r"\(.*\)$", "", path, flags=re.DOTALL)
    return _FUNCTIONS.get(name)


def _who_am_i(call: Call, request: Request) -> Response:
    _check_method(request)
    return complex_answer(
        request,
        "WhoAmIResponse",
        {
            "BusinessUnitId": _business_unit(call),
            "UserId": call.caller.id,
            "OrganizationId": ORGANIZATION_ID,
        },
    )


def _business_unit(call: Call) -> object:
    with call.environment.store.read() as snapshot:
        found = snapshot.one(
            "SELECT _businessunitid_value FROM systemuser WHERE systemuserid = ?",
            (call.caller.id,),
        )
    return found[0] if found else None


def _retrieve_version(call: Call, request: Request) -> Response:
    del call
    _check_method(request)
    return complex_answer(request, "RetrieveVersionResponse", {"Version": VERSION})


def _retrieve_current_organization(call: Call, request: Request) -> Response:
    _check_method(request)
    if "AccessType=" not in request.path:
        raise bad_query("The function RetrieveCurrentOrganization needs the parameter AccessType.")
    endpoints = {
        "OrganizationService": "/XRMServices/2011/Organization.svc",
        "OrganizationDataService": "/XRMServices/2011/OrganizationData.svc",
        "WebApplication": "/",
    }
    detail = {
        "OrganizationId": ORGANIZATION_ID,
        "FriendlyName": ORGANIZATION_NAME,
        "OrganizationVersion": VERSION,
        "EnvironmentId": ORGANIZATION_ID,
        "TenantId": call.environment.credentials.tenant,
        "UrlName": "cronus",
        "UniqueName": "cronus",
        "State": "Enabled",
        "Endpoints": {
            "Count": len(endpoints),
            "IsReadOnly": False,
            "Keys": list(endpoints),
            "Values": [request.origin + path for path in endpoints.values()],
        },
    }
    return complex_answer(request, "RetrieveCurrentOrganizationResponse", {"Detail": detail})


def _retrieve_total_record_count(call: Call, request: Request) -> Response:
    """Count whole tables, not capped at 5,000; here the counts are those of this moment."""
    _check_method(request)
    names = _entity_names(request)
    with call.reading(request) as reader:
        counts = []
        for name in names:
            table = reader.snapshot.schema.tables.get(name)
            if table is None:
                raise bad_request(
                    INVALID_ARGUMENT, f"The entity with a name = '{name}' was not found."
                )
            reader.caller.require(reader.snapshot, table, "Read")
            found = reader.snapshot.one(f"SELECT count(*) FROM {quoted(name)}")
            counts.append(int(str(found[0])) if found else 0)
    collection = {"Count": len(names), "IsReadOnly": False, "Keys": names, "Values": counts}
    body = {"EntityRecordCountCollection": collection}
    return complex_answer(request, "RetrieveTotalRecordCountResponse", body)


def _entity_names(request: Request) -> list[str]:
    """Read EntityNames, given in place or through a parameter alias."""
    match = re.search(r"\(EntityNames=(.*)\)$", request.path)
    if match is None:
        raise bad_query("The function RetrieveTotalRecordCount needs the parameter EntityNames.")
    given = options(request.query)
    text = given.get(match[1], "") if match[1].startswith("@") else match[1]
    try:
        names = orjson.loads(text.replace("'", '"'))
    except orjson.JSONDecodeError:
        raise bad_query(f"'{text}' is not a collection.") from None
    return [str(name) for name in names]


def _service_document(call: Call, request: Request) -> Response:
    _check_method(request)
    sets = [
        {"name": table.entity_set, "kind": "EntitySet", "url": table.entity_set}
        for table in call.environment.store.schema.tables.values()
    ]
    context = f"{request.origin}{API_PATH}$metadata"
    return json_response(200, {"@odata.context": context, "value": sets})


def _metadata_document(call: Call, request: Request) -> Response:
    del call, request
    raise not_implemented("The $metadata document")


def complex_answer(request: Request, type_name: str, body: Mapping[str, object]) -> Response:
    """Return a complex value of the service's own types."""
    context = f"{request.origin}{API_PATH}$metadata#Microsoft.Dynamics.CRM.{type_name}"
    return json_response(
        200,
        {"@odata.context": context, **body},
        {"Content-Type": "application/json; odata.metadata=minimal"},
    )


def _check_method(request: Request) -> None:
    """A function called by another method is not found (support article, empty code)."""
    if request.method != "GET":
        raise DataverseError(
            404,
            "",
            "No HTTP resource was found that matches the request URI "
            f"'{request.origin}{request.path}'.",
        )


_FUNCTIONS: Final[dict[str, Function]] = {
    "": _service_document,
    "$metadata": _metadata_document,
    "WhoAmI": _who_am_i,
    "RetrieveVersion": _retrieve_version,
    "RetrieveTotalRecordCount": _retrieve_total_record_count,
    "RetrieveCurrentOrganization": _retrieve_current_organization,
}
