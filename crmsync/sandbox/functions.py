"""The unbound functions: who am I, which version, which organization; and the service document."""

import re
from collections.abc import Callable
from typing import Final

from crmsync.sandbox.bootstrap import ORGANIZATION_ID, ORGANIZATION_NAME, ROOT_BUSINESS_UNIT_ID
from crmsync.sandbox.calls import Call
from crmsync.sandbox.errors import DataverseError, bad_query, not_implemented
from crmsync.sandbox.messages import Request, Response, json_response
from crmsync.sandbox.payloads import API_PATH
from crmsync.sandbox.tables import TABLES

VERSION: Final = "9.2.26082.167"

Function = Callable[[Call, Request], Response]


def find(path: str) -> Function | None:
    """Return the function that a path below the API's root calls, if it calls any."""
    name = re.sub(r"\(.*\)$", "", path, flags=re.DOTALL)
    return _FUNCTIONS.get(name)


def _who_am_i(call: Call, request: Request) -> Response:
    _check_method(request)
    return _answer(
        request,
        "WhoAmIResponse",
        {
            "BusinessUnitId": ROOT_BUSINESS_UNIT_ID,
            "UserId": call.caller.id,
            "OrganizationId": ORGANIZATION_ID,
        },
    )


def _retrieve_version(call: Call, request: Request) -> Response:
    del call
    _check_method(request)
    return _answer(request, "RetrieveVersionResponse", {"Version": VERSION})


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
    return _answer(request, "RetrieveCurrentOrganizationResponse", {"Detail": detail})


def _service_document(call: Call, request: Request) -> Response:
    del call
    _check_method(request)
    sets = [
        {"name": table.entity_set, "kind": "EntitySet", "url": table.entity_set}
        for table in TABLES.values()
    ]
    context = f"{request.origin}{API_PATH}$metadata"
    return json_response(200, {"@odata.context": context, "value": sets})


def _metadata_document(call: Call, request: Request) -> Response:
    del call, request
    raise not_implemented("The $metadata document")


def _answer(request: Request, type_name: str, body: dict[str, object]) -> Response:
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
    "RetrieveCurrentOrganization": _retrieve_current_organization,
}
