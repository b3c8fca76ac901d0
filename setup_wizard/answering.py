"""What a step does with an answer: check it live, then keep what may be kept of it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from crmsync.connections.models import Connection
from crmsync.dataverse.auth import BearerToken
from crmsync.terms import Scope
from setup_wizard import preflight, progress, scopes
from setup_wizard.errors import SetupProblem, TryAgain
from setup_wizard.preflight import Administrator, IntegrationUser
from setup_wizard.progress import Answered, Draft
from setup_wizard.steps import SecretName, StepName

Given = Mapping[str, Any]


def answer(*, step: StepName, user_id: int, key: bytes, given: Given) -> Mapping[str, Any]:
    """Check what was given at a step and store that step; returns what was kept of it.

    ``given`` are the cleaned values of the step's form. Raises SetupProblem, and keeps nothing.
    """
    if step not in _ANSWERS:
        return given
    draft = progress.look(user_id=user_id, key=key)
    answered = _ANSWERS[step](draft, given)
    progress.keep(looked_at=draft, key=key, answered=answered)
    return answered.answers


def _environment(draft: Draft, given: Given) -> Answered:
    del draft
    found = preflight.check_environment(
        url=given["url"], application_id=str(given["application_id"])
    )
    kept = {"url": found.origin, "application_id": found.application_id}
    return Answered(
        step=StepName.ENVIRONMENT,
        answers=kept,
        seen={"tenant": found.authority.tenant, "authority": found.authority.url},
    )


def _administrator(draft: Draft, given: Given) -> Answered:
    typed = given["password"]
    token = _exchanged(draft, given["username"], typed) if typed else draft.token
    try:
        found = preflight.check_administrator(environment=draft.environment, token=token)
    except SetupProblem as problem:
        if not typed and not isinstance(problem, TryAgain):
            progress.forget(user_id=draft.user_id, name=SecretName.TOKEN)
        raise
    return Answered(
        step=StepName.ADMINISTRATOR,
        answers={"username": given["username"]},
        seen={
            "user_id": str(found.user_id),
            "full_name": found.full_name,
            "organization": found.organization.name,
            "currency": found.organization.base_currency_code,
        },
        secret=token.text if typed else "",
        lifetime_seconds=token.lifetime_seconds,
    )


def _exchanged(draft: Draft, username: str, password: str) -> BearerToken:
    return preflight.sign_in_administrator(
        environment=draft.environment, administrator=Administrator(username, password)
    )


def _integration_user(draft: Draft, given: Given) -> Answered:
    kind = Connection.IdentityKind(given["kind"])
    is_application = kind == Connection.IdentityKind.APPLICATION
    name = given["application"] if is_application else given["username"]
    typed = given["application_secret"] if is_application else given["password"]
    found = preflight.check_integration_user(
        environment=draft.environment,
        token=draft.token,
        administrator_id=UUID(draft.seen[StepName.ADMINISTRATOR]["user_id"]),
        integration_user=IntegrationUser(kind, name, typed or draft.secrets[SecretName.SECRET]),
    )
    return Answered(
        step=StepName.INTEGRATION_USER,
        answers={"kind": str(kind), "application" if is_application else "username": name},
        seen={"full_name": found.full_name, "roles": list(found.role_names)},
        secret=typed,
    )


def _tables(draft: Draft, given: Given) -> Answered:
    del draft
    chosen = [Scope(value) for value in given["scopes"]]
    whole = scopes.with_prerequisites(chosen)
    return Answered(
        step=StepName.TABLES,
        answers={"scopes": [scope.value for scope in whole]},
        seen={"came_along": [scope.value for scope in whole if scope not in chosen]},
    )


_ANSWERS: Mapping[StepName, Callable[[Draft, Given], Answered]] = {
    StepName.ENVIRONMENT: _environment,
    StepName.ADMINISTRATOR: _administrator,
    StepName.INTEGRATION_USER: _integration_user,
    StepName.TABLES: _tables,
}
