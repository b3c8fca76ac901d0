"""The finish of a setup, driven by its page: short acts, one after the other, each repeatable.

How far it has come is kept with the progress. One request at a time does an act (the claim of
progress); closed in the middle, it goes on with the first act that is not done.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import F

from crmsync.audit.actors import Actor
from crmsync.dataverse.errors import TransientError
from crmsync.ledger.queries import get_company
from setup_wizard.errors import (
    AlreadyFinishing,
    ConnectionChanged,
    NotTheAnswersShown,
    SetupProblem,
    TryAgain,
    not_kept,
)
from setup_wizard.finish import accesses, claiming, deeds
from setup_wizard.finish.acts import ACTS
from setup_wizard.finish.claiming import Claim
from setup_wizard.finish.plan import ActName, Memory, Plan, State, now, plan
from setup_wizard.finish.standing import Standing, finish_of, standing
from setup_wizard.guide import preflight, progress
from setup_wizard.guide.draft import REDEPLOY, Problem
from setup_wizard.guide.steps import StepName, first_open, place_of
from setup_wizard.models import SetupProgress

logger = logging.getLogger(__name__)

# What the acts are done with; who the administrator is may change on the way.
_AGREED = (StepName.ENVIRONMENT, StepName.INTEGRATION_USER, StepName.TABLES, StepName.CHECKS)
# Done with a secret, which may be another one now: done again after every confirmation.
_WITH_A_SECRET = (ActName.STORED, ActName.VERIFIED)
_LEADING_BACK = (StepName.ENVIRONMENT, StepName.ADMINISTRATOR, StepName.INTEGRATION_USER)
_PAUSE_SECONDS = 2.0


def begin(*, user_id: int, key: bytes, revision: int, address: str = "") -> None:
    """Confirm the answers of this revision; acts that were done for the same ones stay done.

    ``address`` is where people open our pages. Confirmed again, nothing changes. Raises
    NotTheAnswersShown, AlreadyFinishing where the setup has ended, SomebodyElseFinishing, and
    CompanyNotReady.
    """
    if obstacle := preflight.company_obstacle(get_company()):
        raise obstacle
    draft = progress.look(user_id=user_id, key=key)
    if not draft.is_begun:
        raise claiming.already_finishing()
    if draft.revision != revision or first_open(draft.done) != StepName.CHECK:
        raise claiming.not_those()
    with transaction.atomic():
        claiming.expect_nobody_else(user_id=user_id)
        row = SetupProgress.objects.select_for_update().filter(user_id=user_id).first()
        if row is None or row.revision != revision:
            raise claiming.not_those()
        if row.finish.get("revision") != revision:
            row.finish = _begun(row, address)
            row.save(update_fields=["finish", "changed_at"])


def _begun(row: SetupProgress, address: str) -> dict[str, Any]:
    agreed = {step.value: row.answers[step] for step in _AGREED}
    if row.answers.get(REDEPLOY):
        agreed[REDEPLOY] = row.answers[REDEPLOY]
    if row.finish.get("agreed") == agreed:
        acts, left = _kept_acts(row.finish["acts"]), deeds.left_behind(row.finish)
    else:
        acts, left = deeds.carried_over(row.finish, agreed)
    administrator = accesses.administrator_of(row)
    return {
        "revision": row.revision,
        "agreed": agreed,
        "address": address,
        "acts": acts,
        "deeds": [deed.kept() for deed in left],
        "administrator": administrator,
        "accesses": accesses.ended(row.finish, administrator, at=now()),
    }


def _kept_acts(acts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {act: _tried_again(kept) for act, kept in acts.items() if act not in _WITH_A_SECRET}


def _tried_again(kept: Mapping[str, Any]) -> dict[str, Any]:
    """An act as it was done; one that failed is open again, with what it remembers."""
    return {"seen": kept["seen"]} if kept["state"] == State.FAILED else dict(kept)


def advance(*, user_id: int, key: bytes | None, by: Actor, most: int = 1) -> Standing:
    """Do the next act, or up to ``most`` acts as long as none has to wait.

    Another request that is at it is left alone. What goes wrong is kept, and said in the standing.
    """
    for _ in range(most):
        if key is None or not _do_next(user_id, key, by):
            break
    return standing(user_id=user_id, key=key)


def _do_next(user_id: int, key: bytes, by: Actor) -> bool:
    """Whether an act was done, so that the next one may follow."""
    finish = finish_of(user_id)
    if not finish:
        return False
    try:
        claim = claiming.claim(user_id=user_id, key=key, revision=finish["revision"])
    except (AlreadyFinishing, NotTheAnswersShown):
        return False
    try:
        # Read again: another request may have done an act before this one had the claim.
        return _Run(claim, finish_of(user_id), by).do_next()
    finally:
        claim.release()


class _Run:
    """The next act of one person's finish, under their claim."""

    def __init__(self, claim: Claim, finish: dict[str, Any], by: Actor) -> None:
        self._claim, self._draft, self._finish, self._by = claim, claim.draft, finish, by
        self._acts: dict[str, dict[str, Any]] = finish["acts"]

    def do_next(self) -> bool:
        act = next((act for act in ACTS if not self._is(act, State.DONE)), None)
        if act is None:
            return False
        memory = Memory(
            {ActName(name): dict(kept.get("seen", {})) for name, kept in self._acts.items()},
            lambda: self._keep(act, memory, state=State.WAITING),
        )
        try:
            self._claim.begin_act()
            if self._is_too_early(act):
                return False
            is_done = ACTS[act](self._plan(), memory)
        except SetupProblem as problem:
            self._refused(act, memory, problem)
            return False
        except DatabaseError:
            logger.exception("The act %s of a setup met an error of the database.", act)
            self._refused(act, memory, not_kept())
            return False
        if act is not ActName.ENABLED:
            self._keep(act, memory, state=State.DONE if is_done else State.WAITING)
        return is_done

    def _is(self, act: ActName, state: State) -> bool:
        return self._acts.get(act, {}).get("state") == state

    def _is_too_early(self, act: ActName) -> bool:
        kept = self._acts.get(act, {})
        until = str(kept.get("not_before", "")) if kept.get("state") == State.WAITING else ""
        return bool(until) and now() < datetime.fromisoformat(until)

    def _plan(self) -> Plan:
        draft = self._draft
        user_id, revision = draft.user_id, draft.revision
        administrator = draft.seen[StepName.ADMINISTRATOR]
        return plan(
            environment=draft.environment,
            token=draft.token,
            integration_user=draft.integration_user,
            scopes=tuple(draft.scopes),
            tracked=tuple(draft.answers[StepName.CHECKS]["change_tracking"]),
            by=self._by,
            address=self._finish["address"],
            administrator=administrator.get("full_name", ""),
            redeploys=draft.redeploys,
            owner=draft.owner,
            before=self._finish,
            expect_no_import=lambda: claiming.expect_no_import(user_id=user_id),
            expect_wanted=lambda: claiming.expect_begun(user_id=user_id, revision=revision),
            conclude=lambda: claiming.consume(user_id=user_id, revision=revision),
        )

    def _keep(self, act: ActName, memory: Memory, *, state: State, **more: str) -> None:
        self._acts[act] = {
            "state": state,
            "seen": dict(memory.of(act)),
            "at": now().isoformat(),
            **more,
        }
        self._claim.held().update(finish=self._finish)

    def _refused(self, act: ActName, memory: Memory, problem: SetupProblem) -> None:
        """Keep what is wrong: beside its act, and at the step where it is to be corrected."""
        if isinstance(problem, TryAgain):
            until = now() + timedelta(seconds=_wait(problem))
            said = {"problem": problem.in_full, "not_before": until.isoformat()}
            self._keep(act, memory, state=State.WAITING, **said)
            return
        if isinstance(problem, ConnectionChanged):
            # What was confirmed was meant for the connection of then.
            self._claim.held().update(revision=F("revision") + 1)
        place = place_of(problem, at=StepName.CHECK, kind=self._kind(problem))
        leads_back = place.step in _LEADING_BACK
        self._keep(
            act,
            memory,
            state=State.FAILED,
            problem=problem.in_full,
            step=place.step if leads_back else "",
        )
        if leads_back:
            progress.note(user_id=self._draft.user_id, problem=Problem(place, problem.in_full))

    def _kind(self, problem: SetupProblem) -> str:
        step = (
            StepName.ADMINISTRATOR if problem.field == "admin-user" else StepName.INTEGRATION_USER
        )
        return str(self._draft.answers[step]["kind"])


def _wait(problem: TryAgain) -> float:
    cause = problem.__cause__
    asked = cause.retry_after if isinstance(cause, TransientError) else 0.0
    return max(_PAUSE_SECONDS, asked)
