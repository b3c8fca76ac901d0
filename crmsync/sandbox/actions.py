"""The unbound actions: import and stage solutions, publish. All are posted."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final
from uuid import uuid4

from crmsync.sandbox import jobs
from crmsync.sandbox.calls import Call
from crmsync.sandbox.errors import DataverseError, bad_payload, bad_request
from crmsync.sandbox.functions import complex_answer
from crmsync.sandbox.messages import Request, Response
from crmsync.sandbox.payloads import json_object
from crmsync.sandbox.rights import IMPORT, PUBLISH
from crmsync.sandbox.solution_files import BadSolutionError, SolutionFile, read
from crmsync.sandbox.values import canonical_guid

Action = Callable[[Call, Request], Response]

_FLAGS: Final = ("OverwriteUnmanagedCustomizations", "PublishWorkflows")
_OPTIONAL: Final = frozenset(
    {"ConvertToManaged", "SkipProductUpdateDependencies", "HoldingSolution"}
)
_IMPORT_NAMES: Final = frozenset({*_FLAGS, *_OPTIONAL, "CustomizationFile", "ImportJobId"})
_ASYNC_NAMES: Final = frozenset({*_IMPORT_NAMES, "SolutionParameters", "ComponentParameters"})


def find(path: str) -> Action | None:
    """Return the action that a path below the API's root calls, if it calls any."""
    return _ACTIONS.get(path)


def _import_solution(call: Call, request: Request) -> Response:
    body = _body(request, "ImportSolution", _IMPORT_NAMES)
    job_id = _job_id(body)
    if job_id is None:
        raise bad_payload("ImportSolution", "The parameter 'ImportJobId' is missing.")
    _require(call, IMPORT)
    try:
        with call.writing() as writer:
            jobs.import_now(writer, _file(body), job_id)
    except BadSolutionError as error:
        raise bad_request(error.code, error.message) from error
    return Response(204)


def _import_solution_async(call: Call, request: Request) -> Response:
    """Take an import as a job (docs: alm/solution-async; the job id is the SDK's parameter)."""
    body = _body(request, "ImportSolutionAsync", _ASYNC_NAMES)
    _require(call, IMPORT)
    environment = call.environment
    file = _staged(call, body) or _file(body)
    try:
        pending = jobs.begin(environment.store, call.caller, file, _job_id(body), environment.pace)
    except BadSolutionError as error:
        raise bad_request(error.code, error.message) from error
    keys = {"ImportJobKey": pending.job_id, "AsyncOperationId": pending.operation_id}
    return complex_answer(request, "ImportSolutionAsyncResponse", keys)


def _stage_solution(call: Call, request: Request) -> Response:
    body = _body(
        request, "StageSolution", frozenset({"CustomizationFile", "StageSolutionUploadId"})
    )
    _require(call, IMPORT)
    file, upload_id = _file(body), str(uuid4())
    results: dict[str, object]
    try:
        solution = read(file)
    except BadSolutionError as error:
        results = _staged_badly(error)
    else:
        with call.environment.store.write() as transaction:
            transaction.set_meta(f"staged {upload_id}", base64.b64encode(file).decode())
        results = _staged_well(solution, upload_id)
    return complex_answer(request, "StageSolutionResponse", {"StageSolutionResults": results})


def _staged_well(solution: SolutionFile, upload_id: str) -> dict[str, object]:
    return {
        "StageSolutionUploadId": upload_id,
        "StageSolutionStatus": "Passed",
        "SolutionValidationResults": [],
        "MissingDependencies": [],
        "SolutionDetails": {
            "SolutionUniqueName": solution.unique_name,
            "SolutionFriendlyName": solution.friendly_name,
            "SolutionVersion": solution.version,
            "IsManaged": solution.is_managed,
        },
        "SolutionComponentsDetails": [],
    }


def _staged_badly(error: BadSolutionError) -> dict[str, object]:
    finding = {
        "SolutionValidationResultType": "Error",
        "Message": error.message,
        "ErrorCode": int(error.code, 16) - (1 << 32),
    }
    return {
        "StageSolutionUploadId": None,
        "StageSolutionStatus": "Failed",
        "SolutionValidationResults": [finding],
        "MissingDependencies": [],
        "SolutionDetails": None,
        "SolutionComponentsDetails": [],
    }


def _publish_all(call: Call, request: Request) -> Response:
    """Publish: here every change is visible at once, so that there is nothing left to do."""
    _check_method(request)
    _require(call, PUBLISH)
    return Response(204)


def _publish(call: Call, request: Request) -> Response:
    body = _body(request, "PublishXml", frozenset({"ParameterXml"}))
    if not isinstance(body.get("ParameterXml"), str):
        raise bad_payload("PublishXml", "The parameter 'ParameterXml' is missing.")
    _require(call, PUBLISH)
    return Response(204)


def _require(call: Call, privilege: str) -> None:
    with call.environment.store.read() as snapshot:
        call.caller.require_named(snapshot, privilege)


def _body(request: Request, action: str, known: frozenset[str]) -> Mapping[str, object]:
    _check_method(request)
    body = json_object(request, action)
    unknown = sorted(body.keys() - known)
    if unknown:
        raise bad_payload(action, f"The parameter '{unknown[0]}' is not a valid parameter.")
    needed = [name for name in _FLAGS if name in known and not isinstance(body.get(name), bool)]
    if needed:
        raise bad_payload(action, f"The parameter '{needed[0]}' is missing.")
    return body


def _file(body: Mapping[str, object]) -> bytes:
    try:
        return base64.b64decode(str(body["CustomizationFile"]), validate=True)
    except (KeyError, binascii.Error):
        raise bad_payload(
            "CustomizationFile", "The parameter 'CustomizationFile' must be a base64 text."
        ) from None


def _staged(call: Call, body: Mapping[str, object]) -> bytes | None:
    parameters = body.get("SolutionParameters")
    if not isinstance(parameters, dict) or "StageSolutionUploadId" not in parameters:
        return None
    with call.environment.store.read() as snapshot:
        kept = snapshot.meta(f"staged {parameters['StageSolutionUploadId']}")
    if kept is None:
        raise bad_payload("SolutionParameters", "The staged solution does not exist.")
    return base64.b64decode(str(kept))


def _job_id(body: Mapping[str, object]) -> str | None:
    given = body.get("ImportJobId")
    if given is None:
        return None
    found = canonical_guid(given)
    if found is None:
        raise bad_payload("ImportJobId", f"The value '{given}' is not an id.")
    return found


def _check_method(request: Request) -> None:
    """An action called by another method is not found (support article, empty code)."""
    if request.method != "POST":
        raise DataverseError(
            404,
            "",
            "No HTTP resource was found that matches the request URI "
            f"'{request.origin}{request.path}'.",
        )


_ACTIONS: Final[dict[str, Action]] = {
    "ImportSolution": _import_solution,
    "ImportSolutionAsync": _import_solution_async,
    "StageSolution": _stage_solution,
    "PublishAllXml": _publish_all,
    "PublishXml": _publish,
}
