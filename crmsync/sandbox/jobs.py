"""Imports of solutions in the background: two rows that progress with the environment's clock.

Nothing runs by itself: whenever the Web API is asked, jobs that are due are carried out first.
What is pending is kept in the data file, so that a restart loses no job.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final
from uuid import uuid4

from crmsync.sandbox.bootstrap import SYSTEM_USER_ID
from crmsync.sandbox.callers import Caller
from crmsync.sandbox.errors import DUPLICATE_RECORD, DataverseError
from crmsync.sandbox.schema import Table
from crmsync.sandbox.solution_files import BadSolutionError, SolutionFile, read
from crmsync.sandbox.solutions import install
from crmsync.sandbox.store import Row, Store, Transaction, timestamp
from crmsync.sandbox.tables import TABLES
from crmsync.sandbox.writing import Writer

CUSTOMIZATION_LOCKED: Final = "0x80071151"
_IMPORT_OPERATION: Final = 202
_JOB: Final = TABLES["importjob"]
_OPERATION: Final = TABLES["asyncoperation"]
OUTCOMES: Final = ("done", "failed", "never", "vanished")


@dataclass(frozen=True, slots=True)
class Pace:
    """How an import goes. Times are seconds of the environment's clock.

    `hidden` is how long its job row is not there yet. `outcome`: done; failed (with `message`);
    never (it stays in progress); vanished (done, but its rows are gone).
    """

    seconds: float = 0.5
    hidden: float = 0.1
    outcome: str = "done"
    message: str = "The import of the solution failed."


@dataclass(frozen=True, slots=True)
class Pending:
    """An import that was accepted. `file` is the zip in base64, `started` in epoch seconds."""

    job_id: str
    operation_id: str
    caller_id: str
    file: str
    started: float
    pace: Pace = field(default_factory=Pace)

    @classmethod
    def from_kept(cls, kept: Mapping[str, Any]) -> "Pending":
        return cls(**{**kept, "pace": Pace(**kept["pace"])})


def begin(store: Store, caller: Caller, file: bytes, job_id: str | None, pace: Pace) -> Pending:
    """Accept an import. A zip that nobody can read is refused at once (a guess).

    While another import runs, the service answers 429 0x80071151; a job id works once.
    """
    solution = read(file)
    now = store.now()
    pending = Pending(
        job_id or str(uuid4()),
        str(uuid4()),
        caller.id,
        base64.b64encode(file).decode(),
        now,
        pace,
    )
    with store.write() as transaction:
        waiting = _waiting(transaction)
        _check_free(transaction, waiting, pending)
        transaction.insert(_OPERATION, [_operation_row(pending, solution)])
        transaction.set_meta("imports", [*map(asdict, waiting), asdict(pending)])
    return pending


def import_now(writer: Writer, file: bytes, job_id: str | None) -> None:
    """Carry out a whole import at once, as ImportSolution does."""
    solution = read(file)
    pending = Pending(job_id or str(uuid4()), "", writer.caller.id, "", 0.0)
    _check_free(writer.transaction, _waiting(writer.transaction), pending)
    solution_id = install(writer, solution)
    row = _job_row(pending, solution, writer.now)
    writer.transaction.insert(_JOB, [{**row, **_job_end(solution_id, writer.now)}])


def settle(store: Store) -> None:
    """Bring the rows of pending imports up to date, and carry out those that are due."""
    with store.read() as snapshot:
        if not snapshot.meta("imports"):
            return
    with store.write() as transaction:
        waiting = _waiting(transaction)
    for pending in waiting:
        _settle_one(store, pending)


def _settle_one(store: Store, pending: Pending) -> None:
    elapsed = store.now() - pending.started
    is_due = elapsed >= pending.pace.seconds and pending.pace.outcome != "never"
    try:
        with store.write() as transaction:
            if pending not in _waiting(transaction):
                return
            _show_progress(transaction, pending, elapsed, timestamp(store.now()))
            if is_due:
                _finish(transaction, pending, timestamp(store.now()))
    except BadSolutionError as error:
        with store.write() as transaction:
            _show_progress(transaction, pending, elapsed, timestamp(store.now()))
            _fail(transaction, pending, error, timestamp(store.now()))


def _show_progress(transaction: Transaction, pending: Pending, elapsed: float, now: str) -> None:
    if elapsed < min(pending.pace.hidden, pending.pace.seconds):
        return
    share = min(elapsed / pending.pace.seconds, 0.95) if pending.pace.seconds else 0.95
    solution = read(base64.b64decode(pending.file))
    if not transaction.exists(_JOB, pending.job_id):
        transaction.insert(_JOB, [_job_row(pending, solution, timestamp(pending.started))])
    transaction.update(_JOB, pending.job_id, {"progress": round(share * 100, 2)})
    running: Row = {"statecode": 2, "statuscode": 20, "modifiedon": now}
    transaction.update(_OPERATION, pending.operation_id, running)


def _finish(transaction: Transaction, pending: Pending, now: str) -> None:
    if pending.pace.outcome == "failed":
        raise BadSolutionError("0x80048033", pending.pace.message)
    importer = Caller(pending.caller_id, "", (), is_administrator=True)
    solution = read(base64.b64decode(pending.file))
    solution_id = install(Writer(transaction, importer, now), solution)
    transaction.update(_JOB, pending.job_id, _job_end(solution_id, now))
    done: Row = {"statecode": 3, "statuscode": 30, "completedon": now, "errorcode": 0}
    transaction.update(_OPERATION, pending.operation_id, done)
    if pending.pace.outcome == "vanished":
        transaction.delete(_JOB, pending.job_id)
        transaction.delete(_OPERATION, pending.operation_id)
    _forget(transaction, pending)


def _fail(transaction: Transaction, pending: Pending, error: BadSolutionError, now: str) -> None:
    number = int(error.code, 16) - (1 << 32)
    failed: Row = {
        "statecode": 3,
        "statuscode": 31,
        "completedon": now,
        "errorcode": number,
        "message": f"Microsoft.Crm.CrmException: {error.message}",
        "friendlymessage": error.message,
    }
    transaction.update(_OPERATION, pending.operation_id, failed)
    if transaction.exists(_JOB, pending.job_id):
        log = _log("failure", error.code, error.message)
        transaction.update(_JOB, pending.job_id, {"completedon": now, "data": log})
    _forget(transaction, pending)


def _forget(transaction: Transaction, pending: Pending) -> None:
    left = [asdict(other) for other in _waiting(transaction) if other != pending]
    transaction.set_meta("imports", left)


def _waiting(transaction: Transaction) -> list[Pending]:
    kept = transaction.meta("imports")
    return [Pending.from_kept(one) for one in kept] if isinstance(kept, list) else []


def _check_free(transaction: Transaction, waiting: list[Pending], new: Pending) -> None:
    taken = {pending.job_id for pending in waiting}
    if new.job_id in taken or transaction.exists(_JOB, new.job_id):
        raise DataverseError(
            412, DUPLICATE_RECORD, "A record with matching key values already exists."
        )
    if waiting:
        raise DataverseError(
            429,
            CUSTOMIZATION_LOCKED,
            "Cannot start the requested operation [Import] because there is another [Import] "
            "running at this moment. Use Solution History for more details.",
        )


def _operation_row(pending: Pending, solution: SolutionFile) -> Row:
    return {
        **_standard(_OPERATION, pending, timestamp(pending.started)),
        "asyncoperationid": pending.operation_id,
        "name": f"Import of {solution.unique_name}",
        "messagename": "ImportSolutionAsync",
        "operationtype": _IMPORT_OPERATION,
        "statecode": 0,
        "statuscode": 0,
        "startedon": timestamp(pending.started),
    }


def _job_row(pending: Pending, solution: SolutionFile, now: str) -> Row:
    return {
        **_standard(_JOB, pending, now),
        "importjobid": pending.job_id,
        "name": f"Customizations import: {solution.unique_name}",
        "solutionname": solution.unique_name,
        "importcontext": "ImportInstall",
        "operationcontext": "New",
        "startedon": now,
        "progress": 0.0,
    }


def _job_end(solution_id: str, now: str) -> Row:
    log = _log("success", "0", "")
    return {"progress": 100.0, "completedon": now, "solutionid": solution_id, "data": log}


def _log(result: str, code: str, text: str) -> str:
    """Write the few elements of an import's XML log that tell how it ended."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return (
        f'<importexportxml processed="true" succeeded="{str(result == "success").lower()}">'
        "<solutionManifests><solutionManifest>"
        f'<result result="{result}" errorcode="{code}" errortext="{escaped}" />'
        "</solutionManifest></solutionManifests></importexportxml>"
    )


def _standard(table: Table, pending: Pending, now: str) -> Row:
    people = {"_createdby_value": pending.caller_id, "_modifiedby_value": SYSTEM_USER_ID}
    return {**table.newborn, "createdon": now, "modifiedon": now, **people}


def paced(pace: Pace, changes: Mapping[str, object]) -> Pace:
    """Return a pace with some of its settings changed. Raises ValueError for wrong ones."""
    unknown = changes.keys() - {"seconds", "hidden", "outcome", "message"}
    if unknown or changes.get("outcome", "done") not in OUTCOMES:
        raise ValueError(
            "An import takes 'seconds', 'hidden', 'message' and 'outcome', one of "
            f"{', '.join(OUTCOMES)}."
        )
    given: dict[str, Any] = dict(changes)
    return replace(pace, **given)
