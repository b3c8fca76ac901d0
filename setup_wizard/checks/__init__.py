"""What is looked at in Sales before connecting, as a list of small checks.

Each fails for itself: one that cannot be looked at says so, and the others are looked at all the
same. A new one is a function and a line here.
"""

from concurrent.futures import ThreadPoolExecutor

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.connections.wording import of_error
from crmsync.dataverse.errors import DataverseError
from setup_wizard.checks import access, amounts, reactions, tables
from setup_wizard.checks.solution import other_integrations, our_solution
from setup_wizard.checks.subject import Check, Finding, Result, State, Subject
from setup_wizard.checks.twins import records
from setup_wizard.errors import SetupProblem
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.steps import StepName, place_of

__all__ = ["CHECKS", "look"]

MOST_THREADS = 8

CHECKS = (
    Check("environment", gettext_lazy("Environment"), access.environment, is_vital=True),
    Check(
        "administrator",
        gettext_lazy("Administrator"),
        access.administrator,
        is_vital=True,
        is_ours=True,
    ),
    Check(
        "integration-user",
        gettext_lazy("Integration user"),
        access.integration_user,
        is_vital=True,
        is_ours=True,
    ),
    Check("roles", gettext_lazy("Roles of the integration user"), access.roles, is_vital=True),
    Check("solution", gettext_lazy("Integration solution"), our_solution, is_vital=True),
    Check("owner", gettext_lazy("Owner of records created in Sales"), access.owner, is_vital=True),
    Check("other-integrations", gettext_lazy("Other integrations"), other_integrations),
    Check(
        "base-currency",
        gettext_lazy("Base currency"),
        amounts.base_currency,
        is_vital=True,
        is_ours=True,
    ),
    Check(
        "currencies",
        gettext_lazy("Currencies and exchange rates"),
        amounts.currencies,
        is_ours=True,
    ),
    Check("change-tracking", gettext_lazy("Change tracking"), tables.change_tracking),
    Check("columns", gettext_lazy("Secured columns"), tables.secured_columns),
    Check("automations", gettext_lazy("Flows, workflows and plug-ins"), reactions.automations),
    Check("duplicate-rules", gettext_lazy("Duplicate detection"), reactions.duplicate_rules),
    Check("limits", gettext_lazy("Service limits"), reactions.limits, is_ours=True),
    Check("records", gettext_lazy("Number of records"), records, is_ours=True),
)


def look(draft: Draft) -> tuple[Result, ...]:
    """Look at everything now, as the administrator and as the integration user.

    Every step before the checks must be done. Threads only ask Sales: our own database is asked
    by the caller's thread alone.
    """
    subject = Subject.of(draft)
    language = translation.get_language()
    threads = min(subject.reader.channel.dop_hint, MOST_THREADS)
    with ThreadPoolExecutor(threads, thread_name_prefix="check") as pool:
        asked = {
            check.name: pool.submit(_finding_in, language, check, subject)
            for check in CHECKS
            if not check.is_ours
        }
        ours = {check.name: _finding(check, subject) for check in CHECKS if check.is_ours}
    found = {**ours, **{name: future.result() for name, future in asked.items()}}
    return tuple(Result(check.name, str(check.caption), found[check.name]) for check in CHECKS)


def _finding_in(language: str, check: Check, subject: Subject) -> Finding:
    """In a thread of its own, which does not know what language the reader has."""
    with translation.override(language):
        return _finding(check, subject)


def _finding(check: Check, subject: Subject) -> Finding:
    try:
        return check.look(subject)
    except SetupProblem as problem:
        return _of_problem(problem, subject)
    except DataverseError as error:
        return _of_error(error, check)


def _of_problem(problem: SetupProblem, subject: Subject) -> Finding:
    """As at the step where the same is checked; that step can be opened from here."""
    kind = subject.draft.answers[StepName.INTEGRATION_USER]["kind"]
    place = place_of(problem, at=StepName.CHECKS, kind=kind)
    step = None if place.step == StepName.CHECKS else place.step
    return Finding(State.BAD, f"{problem} {problem.detail}".strip(), problem.remedy, step=step)


def _of_error(error: DataverseError, check: Check) -> Finding:
    said = of_error(error)
    sentence = _("This could not be looked at: %(said)s") % {"said": said.in_short}
    return Finding(State.BAD if check.is_vital else State.WARN, sentence, said.remedy)
