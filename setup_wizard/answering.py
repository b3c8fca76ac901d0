"""What a step does with an answer: check it live, then keep what may be kept of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from crmsync.connections.models import Connection
from crmsync.dataverse.auth import BearerToken
from crmsync.terms import Scope
from setup_wizard import checks
from setup_wizard.errors import ChecksFailed, SetupProblem, TryAgain
from setup_wizard.guide import owners, preflight, progress, scopes, signing_in
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.ownership import OwnerChoice, OwnerWish, creates_owned_rows
from setup_wizard.guide.preflight import Administrator, IntegrationUser, Seen
from setup_wizard.guide.progress import Answered
from setup_wizard.guide.steps import IDENTITY_INPUTS, AdministratorKind, SecretName, StepName

Given = Mapping[str, Any]
NO_TOKEN = (SecretName.TOKEN, SecretName.FLOW)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of an answer; ``away`` is where the person signs in first, blank otherwise."""

    answers: Mapping[str, Any]
    away: str = field(default="", repr=False)


def answer(*, step: StepName, user_id: int, key: bytes, given: Given, comes_back_to: str) -> Kept:
    """Check what was given at a step and store that step.

    ``given`` are the cleaned values of the step's form; ``comes_back_to`` is where Microsoft
    sends the browser back to. Raises SetupProblem, and keeps nothing.
    """
    if step not in _ANSWERS:
        return Kept(given)
    draft = progress.look(user_id=user_id, key=key)
    if step == StepName.ADMINISTRATOR and _signs_in_first(draft, given):
        away = signing_in.begin(draft=draft, key=key, comes_back_to=comes_back_to)
        return Kept(draft.answers.get(step, {}), away)
    answered = _ANSWERS[step](draft, given)
    progress.keep(looked_at=draft, key=key, answered=answered)
    return Kept(answered.answers)


def _signs_in_first(draft: Draft, given: Given) -> bool:
    """With Microsoft: when nobody is signed in that way yet, or somebody else wants to."""
    is_microsoft = given["kind"] == AdministratorKind.MICROSOFT
    is_in = draft.administrator_kind == AdministratorKind.MICROSOFT and draft.token is not None
    return is_microsoft and (not is_in or bool(given["again"]))


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
    kind = AdministratorKind(given["kind"])
    if kind == AdministratorKind.NONE:
        answers = {"kind": kind.value, "username": ""}
        return Answered(step=StepName.ADMINISTRATOR, answers=answers, forgets=NO_TOKEN)
    username = given["username"] if kind == AdministratorKind.PASSWORD else ""
    typed = given["password"] if kind == AdministratorKind.PASSWORD else ""
    token = _exchanged(draft, username, typed) if typed else draft.token
    if token is None:
        raise ValueError("Nobody has signed in.")
    try:
        found = preflight.check_administrator(environment=draft.environment, token=token)
    except SetupProblem as problem:
        if not typed and not isinstance(problem, TryAgain):
            progress.forget(user_id=draft.user_id, name=SecretName.TOKEN)
        raise
    answers = {"kind": kind.value, "username": username}
    return signing_in.answered(answers, found, token if typed else None)


def _exchanged(draft: Draft, username: str, password: str) -> BearerToken:
    return preflight.sign_in_administrator(
        environment=draft.environment, administrator=Administrator(username, password)
    )


def _integration_user(draft: Draft, given: Given) -> Answered:
    kind = Connection.IdentityKind(given["kind"])
    name_input, secret_input = IDENTITY_INPUTS[kind]
    name, typed = str(given[name_input]), given[secret_input]
    found = preflight.check_integration_user(
        environment=draft.environment,
        token=draft.token,
        administrator_id=draft.administrator_id,
        integration_user=IntegrationUser(kind, name, typed or draft.secrets[SecretName.SECRET]),
    )
    return Answered(
        step=StepName.INTEGRATION_USER,
        answers={"kind": str(kind), name_input: name},
        seen={
            "full_name": found.full_name,
            "user_id": str(found.user_id or ""),
            "is_new": found.is_new,
            "roles": list(found.roles),
            "expires": found.expires,
            "thumbprint": found.certificate.thumbprint if found.certificate else "",
            "access": asdict(found.access) if found.access else None,
            **(_organization(found.seen) if found.seen else {}),
        },
        secret=typed,
    )


def _organization(seen: Seen) -> dict[str, str]:
    found = seen.organization
    return {
        "organization": found.name,
        "version": found.version,
        "currency": found.base_currency_code,
    }


def _tables(draft: Draft, given: Given) -> Answered:
    chosen = [Scope(value) for value in given["scopes"]]
    whole = scopes.with_prerequisites(chosen)
    answers: dict[str, Any] = {"scopes": [scope.value for scope in whole]}
    seen: dict[str, Any] = {"came_along": [one.value for one in whole if one not in chosen]}
    if creates_owned_rows(whole):
        owner = _owner(draft, given, whole)
        is_team = owner.ownership == Connection.Ownership.TEAM
        answers |= {"ownership": owner.ownership.value}
        answers["team" if is_team else "fallback"] = str(owner.owner_id or "")
        seen["owner"] = owner.name
    return Answered(step=StepName.TABLES, answers=answers, seen=seen)


def _owner(draft: Draft, given: Given, whole: Iterable[Scope]) -> OwnerChoice:
    kind = Connection.Ownership(given["ownership"])
    named = given["team" if kind == Connection.Ownership.TEAM else "fallback"]
    return owners.checked(owners.Reader.of(draft), OwnerWish(kind, named), whole)


def _checks(draft: Draft, given: Given) -> Answered:
    results = checks.look(draft)
    if any(result.is_bad for result in results):
        raise ChecksFailed(results)
    return Answered(
        step=StepName.CHECKS,
        answers={"change_tracking": list(given["change_tracking"])},
        seen={"checks": [result.kept() for result in results]},
    )


_ANSWERS: Mapping[StepName, Callable[[Draft, Given], Answered]] = {
    StepName.ENVIRONMENT: _environment,
    StepName.ADMINISTRATOR: _administrator,
    StepName.INTEGRATION_USER: _integration_user,
    StepName.TABLES: _tables,
    StepName.CHECKS: _checks,
}
