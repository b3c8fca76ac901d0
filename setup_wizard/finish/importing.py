"""The first act: our solution is in Sales, in this version or a newer one.

The id of the import job is ours and remembered before anything is sent: whatever answer is lost,
asking again follows that import and starts no second one.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.utils.translation import gettext as _

from crmsync.dataverse import solutions
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import PrivilegeMissing
from crmsync.dataverse.solution import version_text
from crmsync.dataverse.solution_zip import build
from crmsync.dataverse.solutions import ImportStarted, ImportState, Installed
from setup_wizard.errors import SetupProblem
from setup_wizard.finish.plan import ActName, Facts, Memory, Plan, now
from setup_wizard.guide.asking import asked_as
from setup_wizard.integration_solution import SOLUTION

LONGEST_IMPORT = timedelta(minutes=30)
JOB = ("job_id", "operation_id", "asked_at", "is_sent")


def import_solution(plan: Plan, memory: Memory) -> bool:
    """Done when Sales shows the solution, and only then, whatever its jobs say."""
    found = asked_as(plan.reader_field, lambda: _found(plan))
    if found and found.version and found.version >= SOLUTION.version and not _is_due(plan, memory):
        memory.keep(ActName.SOLUTION, version=version_text(found.version))
        return True
    if plan.admin is None:
        raise _nobody_imports(found)
    job = _job(plan, memory, found)
    if not job.get("is_sent"):
        _start(plan.admin, memory, job)
    else:
        _follow(plan, plan.admin, memory, job)
    return False


def _is_due(plan: Plan, memory: Memory) -> bool:
    """Whether it is to be imported again, and was not yet; only who signs in can do that."""
    is_wanted = plan.redeploys and plan.admin is not None
    return is_wanted and not memory.of(ActName.SOLUTION).get("is_redeployed")


def _found(plan: Plan) -> Installed | None:
    try:
        return solutions.installed(plan.reader, SOLUTION.unique_name)
    except PrivilegeMissing as error:
        if plan.admin is not None:
            raise
        raise SetupProblem(
            _("The integration user may not see whether the integration solution is installed."),
            field="",
            remedy=_(
                "Have an administrator of Sales import the solution and assign its integration "
                "roles; or go back to the step Administrator and let the guide do it."
            ),
        ) from error


def _nobody_imports(found: Installed | None) -> SetupProblem:
    sentence = (
        _("The integration solution in Sales is older than version %(version)s.")
        if found
        else _("The integration solution %(version)s is not installed in Sales.")
    )
    return SetupProblem(
        sentence % {"version": version_text(SOLUTION.version)},
        field="",
        remedy=_("Go back to the step Administrator, and let somebody sign in who imports it."),
    )


def _job(plan: Plan, memory: Memory, found: Installed | None) -> Facts:
    """The import that is under way, or a new one, remembered before it is sent."""
    job = memory.of(ActName.SOLUTION)
    if "job_id" in job:
        return job
    plan.expect_no_import()
    former = version_text(found.version) if found and found.version else ""
    return memory.did(
        ActName.SOLUTION,
        plan.administrator,
        job_id=str(uuid4()),
        asked_at=now().isoformat(),
        # Imported twice in one setup, it replaced what was there before the first time.
        former=job.get("former", former),
        is_imported=True,
    )


def _start(client: Client, memory: Memory, job: Facts) -> None:
    started = asked_as(
        "admin-user",
        lambda: solutions.start_import(client, build(SOLUTION), import_job_id=UUID(job["job_id"])),
    )
    operation = str(started.operation_id) if started.operation_id else ""
    memory.keep(ActName.SOLUTION, is_sent=True, operation_id=operation, progress=0)


def _follow(plan: Plan, client: Client, memory: Memory, job: Facts) -> None:
    """Raises SetupProblem for an import that failed, or that has not ended in time."""
    operation = UUID(job["operation_id"]) if job["operation_id"] else None
    started = ImportStarted(UUID(job["job_id"]), operation)
    state = asked_as("admin-user", lambda: solutions.import_state(client, started))
    memory.keep(ActName.SOLUTION, progress=round(state.progress))
    if state.has_failed:
        memory.forget(ActName.SOLUTION, *JOB)
        raise _failed(state)
    if state.is_over and _is_due(plan, memory):
        memory.keep(ActName.SOLUTION, is_redeployed=True)
        return
    if now() - datetime.fromisoformat(job["asked_at"]) > LONGEST_IMPORT:
        raise _never_ends(memory, state)


def _failed(state: ImportState) -> SetupProblem:
    said = _("Sales said: %(said)s") % {"said": state.message} if state.message else ""
    return SetupProblem(
        _("Sales could not import the integration solution."),
        field="",
        remedy=_("Correct in Sales what is said here, then try again: it is imported anew."),
        detail=said,
    )


def _never_ends(memory: Memory, state: ImportState) -> SetupProblem:
    """Asked again, it is waited for as long again; one that Sales does not know is sent anew."""
    if state.is_seen:
        memory.keep(ActName.SOLUTION, asked_at=now().isoformat())
    else:
        memory.forget(ActName.SOLUTION, *JOB)
    return SetupProblem(
        _("The import of the integration solution has not ended within %(minutes)s minutes.")
        % {"minutes": int(LONGEST_IMPORT.total_seconds() // 60)},
        field="",
        remedy=_(
            "Look at the solution history of Sales. Try again here to go on waiting: nothing is "
            "imported twice."
        ),
    )
