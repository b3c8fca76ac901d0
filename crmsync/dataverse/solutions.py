"""Solutions in an environment: which are there, and the import of ours.

An import is a job of the service: ImportSolutionAsync answers at once with the ids of an import
job and of a system job; both rows show how far it is and may be missing at first (Microsoft docs:
"import solutions asynchronously", "AsyncOperation").
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import ParseError

import orjson
from defusedxml.ElementTree import fromstring

from crmsync.dataverse import odata
from crmsync.dataverse.client import Client, Row
from crmsync.dataverse.errors import (
    DuplicateRow,
    ImportFailed,
    Rejected,
    RowMissing,
    SolutionUnreadable,
    UnreadableAnswer,
)
from crmsync.dataverse.shapes import reads_an_answer
from crmsync.dataverse.solution import Version, parse_version

_COLUMNS = "solutionid,uniquename,friendlyname,version,ismanaged,installedon"
_COMPLETED, _SUCCEEDED = 3, 30
_MOST_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Installed:
    """A solution of the environment. ``version`` is None where it is written in an odd way."""

    solution_id: UUID
    unique_name: str
    friendly_name: str
    version: Version | None
    is_managed: bool
    installed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ImportStarted:
    """``operation_id`` is None where the answer that named it was lost: the import job alone is
    followed then."""

    import_job_id: UUID
    operation_id: UUID | None


@dataclass(frozen=True, slots=True)
class ImportState:
    """How far an import is: ``progress`` from 0 to 100, ``message`` what Sales says of a failure.

    ``is_seen`` is false while Sales shows neither of its rows: in the first seconds, or when it
    has tidied them away. What counts in the end is ``installed``.
    """

    progress: float
    is_over: bool
    has_failed: bool
    message: str
    is_seen: bool

    def check(self) -> None:
        """Raises ImportFailed, with what Sales said, when the import has failed."""
        if self.has_failed:
            raise ImportFailed(self.message or "Sales did not take the solution.")


def installed(client: Client, unique_name: str) -> Installed | None:
    """The solution of this name, if it is there."""
    return next(iter(installed_of(client, [unique_name])), None)


def installed_of(client: Client, unique_names: Iterable[str]) -> tuple[Installed, ...]:
    """Those of the solutions that are there; one name at least."""
    named = odata.either("uniquename", map(odata.literal, unique_names))
    path = odata.query("solutions", {"$select": _COLUMNS, "$filter": named})
    return tuple(_installed(row) for row in client.every(path))


def start_import(client: Client, data: bytes, *, import_job_id: UUID) -> ImportStarted:
    """Have a zip imported, publishing nothing of others' unmanaged work away.

    The caller chooses and keeps ``import_job_id`` beforehand: asked again with it after a lost
    answer, the import that runs or ran is found and none is started. Raises ImportFailed for a
    file that Sales refuses at once, PrivilegeMissing, and Throttled while another import runs.
    """
    if _job(client, import_job_id) is not None:
        return ImportStarted(import_job_id, None)
    try:
        return _send(client, data, import_job_id)
    except DuplicateRow:
        return ImportStarted(import_job_id, None)
    except Rejected as error:
        # Codes of refused files are many, and not all documented.
        raise ImportFailed(error.sentence, error.trace) from error


def import_state(client: Client, started: ImportStarted) -> ImportState:
    """Where the import stands now."""
    job = _job(client, started.import_job_id)
    operation = _operation(client, started.operation_id)
    if operation is not None and operation.get("statecode") == _COMPLETED:
        return _ended(client, started, job, operation)
    # The job's row is closed a moment before the system job says how it went.
    if operation is None and job is not None and job.get("completedon"):
        return _ended_by_log(client, started.import_job_id)
    return ImportState(
        progress=_progress(job),
        is_over=False,
        has_failed=False,
        message="",
        is_seen=job is not None or operation is not None,
    )


def _send(client: Client, data: bytes, import_job_id: UUID) -> ImportStarted:
    body = {
        "OverwriteUnmanagedCustomizations": False,
        "PublishWorkflows": True,
        "CustomizationFile": base64.b64encode(data).decode("ascii"),
        "ImportJobId": str(import_job_id),
        "ComponentParameters": [],
    }
    answer = client.channel.send(
        "POST",
        "ImportSolutionAsync",
        headers={"Content-Type": "application/json; charset=utf-8"},
        body=orjson.dumps(body),
    ).json()
    try:
        return ImportStarted(UUID(answer["ImportJobKey"]), UUID(answer["AsyncOperationId"]))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise UnreadableAnswer("Sales does not say which job imports the solution.") from error


def _ended(client: Client, started: ImportStarted, job: Row | None, operation: Row) -> ImportState:
    has_failed = operation.get("statuscode") != _SUCCEEDED
    message = ""
    if has_failed:
        said = operation.get("friendlymessage") or operation.get("message")
        message = str(said or "") or _failure_in_log(client, started.import_job_id)
    progress = _progress(job) if has_failed else 100.0
    return _over(progress, message, has_failed=has_failed)


def _ended_by_log(client: Client, import_job_id: UUID) -> ImportState:
    """Only the job's log tells: it marks what failed, and each of the parts."""
    message = _failure_in_log(client, import_job_id)
    return _over(100.0, message, has_failed=bool(message))


def _over(progress: float, message: str, *, has_failed: bool) -> ImportState:
    return ImportState(
        progress=progress,
        is_over=True,
        has_failed=has_failed,
        message=message[:_MOST_CHARACTERS],
        is_seen=True,
    )


def _failure_in_log(client: Client, import_job_id: UUID) -> str:
    """The first failure of an import's log, an XML text; empty where it holds none."""
    log = (_row(client, "importjobs", import_job_id, "data") or {}).get("data")
    if not log:
        return ""
    try:
        root = fromstring(str(log), forbid_dtd=True)
    except (ParseError, ValueError) as error:
        raise UnreadableAnswer("The log of the import cannot be read.") from error
    for result in root.iter("result"):
        if result.get("result") == "failure":
            return result.get("errortext") or f"({result.get('errorcode')})"
    return "" if root.get("succeeded") != "false" else "The import did not succeed."


def _job(client: Client, import_job_id: UUID) -> Row | None:
    return _row(client, "importjobs", import_job_id, "progress,startedon,completedon")


def _operation(client: Client, operation_id: UUID | None) -> Row | None:
    if operation_id is None:
        return None
    columns = "statecode,statuscode,message,friendlymessage,errorcode"
    return _row(client, "asyncoperations", operation_id, columns)


def _row(client: Client, entity_set: str, row_id: UUID, columns: str) -> dict[str, Any] | None:
    path = f"{odata.row_path(entity_set, row_id)}?$select={columns}"
    try:
        return client.channel.send("GET", path).json()
    except RowMissing:
        return None


@reads_an_answer
def _progress(job: Row | None) -> float:
    return min(max(float((job or {}).get("progress") or 0.0), 0.0), 100.0)


@reads_an_answer
def _installed(row: Row) -> Installed:
    at = row.get("installedon")
    return Installed(
        solution_id=UUID(row["solutionid"]),
        unique_name=row["uniquename"],
        friendly_name=row.get("friendlyname") or "",
        version=_version(row.get("version") or ""),
        is_managed=bool(row.get("ismanaged")),
        installed_at=datetime.fromisoformat(at) if at else None,
    )


def _version(text: str) -> Version | None:
    try:
        return parse_version(text)
    except SolutionUnreadable:
        return None
