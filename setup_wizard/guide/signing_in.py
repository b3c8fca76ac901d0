"""Sign in with Microsoft: the administrator goes to Microsoft's page and comes back with a code."""

import json
from collections.abc import Mapping

from django.conf import settings

from crmsync.dataverse.auth import BearerToken
from crmsync.dataverse.session import open_session
from crmsync.dataverse.sign_in import begin_sign_in, complete_sign_in
from setup_wizard.errors import SetupProblem
from setup_wizard.guide import preflight, progress
from setup_wizard.guide.asking import asked
from setup_wizard.guide.draft import Draft, Problem
from setup_wizard.guide.preflight import Prepared
from setup_wizard.guide.progress import Answered
from setup_wizard.guide.steps import AdministratorKind, StepName, place_of


def begin(*, draft: Draft, key: bytes, comes_back_to: str) -> str:
    """Where the browser is sent. What completes the sign-in rests sealed until it comes back.

    Raises SetupProblem.
    """
    environment = draft.environment
    begun = asked(
        "admin-user",
        lambda: begin_sign_in(
            origin=environment.origin,
            authority=environment.authority,
            application_id=environment.application_id,
            redirect_uri=comes_back_to,
            session=open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT),
        ),
        through_registration=True,
    )
    progress.keep_flow(looked_at=draft, key=key, flow=json.dumps(begun.flow))
    return begun.url


def complete(*, user_id: int, key: bytes | None, answer: Mapping[str, str]) -> StepName:
    """Take what the browser brought back, once; returns the step to go on with.

    That is the step of a problem, where there was one: it is noted there. Raises SignInNotOurs
    for an answer to nothing that this browser began, and asks nobody then.
    """
    flow = progress.take_flow(user_id=user_id, key=key, state=answer.get("state", ""))
    draft = progress.look(user_id=user_id, key=key)
    try:
        _take(draft, key or b"", flow, answer)
    except SetupProblem as problem:
        place = place_of(problem, at=StepName.ADMINISTRATOR, kind=AdministratorKind.MICROSOFT)
        progress.note(user_id=user_id, problem=Problem(place, problem.in_full))
        return place.step
    return StepName.INTEGRATION_USER


def _take(draft: Draft, key: bytes, flow: Mapping[str, object], answer: Mapping[str, str]) -> None:
    environment = draft.environment
    token = asked(
        "admin-user",
        lambda: complete_sign_in(
            flow=flow,
            answer=answer,
            origin=environment.origin,
            authority=environment.authority,
            application_id=environment.application_id,
            session=open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT),
        ),
        through_registration=True,
    )
    found = preflight.check_administrator(environment=environment, token=token)
    answers = {"kind": AdministratorKind.MICROSOFT.value, "username": ""}
    progress.keep(looked_at=draft, key=key, answered=answered(answers, found, token))


def answered(answers: Mapping[str, str], found: Prepared, token: BearerToken | None) -> Answered:
    """What is kept of an administrator who was found good; ``token`` is a new one to seal."""
    return Answered(
        step=StepName.ADMINISTRATOR,
        answers=answers,
        seen={
            "user_id": str(found.user_id),
            "full_name": found.full_name,
            "organization": found.organization.name,
            "version": found.version,
            "currency": found.organization.base_currency_code,
            "is_customizer": found.is_customizer,
            "is_licensed": found.is_licensed,
        },
        secret=token.text if token else "",
        lifetime_seconds=token.lifetime_seconds if token else progress.MOST_SECONDS,
    )
