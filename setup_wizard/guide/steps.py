"""The steps of the assisted setup, in order, and where each problem is shown. No effects."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crmsync.connections.models import Connection
from setup_wizard.errors import NotTheAnswersShown, SetupProblem, TryAgain
from setup_wizard.wording import OF_THE_SECRET


class StepName(StrEnum):
    """As in the address of the page."""

    ENVIRONMENT = "environment"
    ADMINISTRATOR = "administrator"
    INTEGRATION_USER = "integration-user"
    TABLES = "tables"
    CHECKS = "checks"
    CHECK = "check"


class SecretName(StrEnum):
    TOKEN = "administrator_token"  # noqa: S105 - its name
    SECRET = "integration_secret"  # noqa: S105 - its name
    # What completes a sign-in with Microsoft: it holds the code verifier.
    FLOW = "sign_in_flow"


class AdministratorKind(StrEnum):
    """How Sales is prepared: by somebody who signs in, or by nobody here."""

    MICROSOFT = "microsoft"
    PASSWORD = "password"  # noqa: S105 - its name
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """``secret``: the step is done only while this one can be opened, if it was given one."""

    name: StepName
    caption: str | Promise
    secret: SecretName | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """An input of a step; a blank one is the step as a whole."""

    step: StepName
    input: str = ""


STEPS = (
    Step(StepName.ENVIRONMENT, _("Environment")),
    Step(StepName.ADMINISTRATOR, _("Administrator"), SecretName.TOKEN),
    Step(StepName.INTEGRATION_USER, _("Integration user"), SecretName.SECRET),
    Step(StepName.TABLES, _("What to synchronize")),
    Step(StepName.CHECKS, _("Checks")),
    Step(StepName.CHECK, _("Check your answers")),
)
_PLACES = {
    "url": Place(StepName.ENVIRONMENT, "url"),
    "application-id": Place(StepName.ENVIRONMENT, "application_id"),
    "owner-team": Place(StepName.TABLES, "team"),
    "fallback-owner": Place(StepName.TABLES, "fallback"),
}
# By kind of integration user: the inputs of its name and of its secret.
IDENTITY_INPUTS = {
    Connection.IdentityKind.APPLICATION: ("application", "application_secret"),
    Connection.IdentityKind.CERTIFICATE: ("application", "certificate"),
    Connection.IdentityKind.PASSWORD: ("username", "password"),
}


def first_open(done: Collection[StepName]) -> StepName:
    """The first step that is not done; the last one is never done before the setup is."""
    return next((step.name for step in STEPS if step.name not in done), StepName.CHECK)


def is_reached(name: StepName, *, done: Collection[StepName]) -> bool:
    """Whether every step before this one is done."""
    order = [step.name for step in STEPS]
    return order.index(name) <= order.index(first_open(done))


def step_before(name: StepName) -> StepName | None:
    order = [step.name for step in STEPS]
    index = order.index(name)
    return order[index - 1] if index else None


def place_of(problem: SetupProblem, *, at: StepName, kind: str) -> Place:
    """Where to show a problem met at a step.

    ``kind`` is how the person whom it concerns signs in, as the step of that person asks it.
    """
    if isinstance(problem, TryAgain | NotTheAnswersShown):
        return Place(at)
    concerns_secret = problem.service_code in OF_THE_SECRET
    if problem.field == "admin-user":
        return Place(
            StepName.ADMINISTRATOR, _administrator_input(kind, concerns_secret=concerns_secret)
        )
    if problem.field == "integration-user":
        name, secret = IDENTITY_INPUTS[Connection.IdentityKind(kind)]
        return Place(StepName.INTEGRATION_USER, secret if concerns_secret else name)
    if problem.field == "certificate":
        return Place(StepName.INTEGRATION_USER, "certificate")
    return _PLACES.get(problem.field, Place(at))


def _administrator_input(kind: str, *, concerns_secret: bool) -> str:
    if kind != AdministratorKind.PASSWORD:
        return "kind"
    return "password" if concerns_secret else "username"
