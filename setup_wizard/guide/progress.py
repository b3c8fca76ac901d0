"""The progress of a person's setup: what is kept of it, and for how long.

Secrets rest sealed under a key that only the browser has. They expire together, an hour after the
first of them: each writing of one keeps the earlier end.
"""

import hmac
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least, Now
from django.db.models.lookups import GreaterThan
from django.utils.translation import gettext as _

from crmsync.connections import secrets
from crmsync.connections import services as connections
from crmsync.connections.errors import SecretUnreadable
from crmsync.dataverse.errors import SignInNotOurs
from crmsync.dbclock import db_in
from setup_wizard.errors import NotTheAnswersShown
from setup_wizard.guide.draft import REDEPLOY, Draft, Problem
from setup_wizard.guide.steps import STEPS, Place, SecretName, StepName
from setup_wizard.models import SetupProgress

MOST_SECONDS = 3600
ABANDONED_SECONDS = 30 * 24 * 3600
# What these ask for is proved at the environment, with what was found there.
STEPS_AT_AN_ENVIRONMENT = (StepName.ADMINISTRATOR, StepName.INTEGRATION_USER, StepName.CHECKS)


def look(*, user_id: int, key: bytes | None) -> Draft:
    """The person's setup; without the right key of the browser, without its secrets."""
    claimed = GreaterThan(F("claimed_until"), Now())
    row = SetupProgress.objects.annotate(is_claimed=claimed).filter(user_id=user_id).first()
    if row is None:
        return Draft(user_id)
    return Draft(
        user_id=user_id,
        is_begun=True,
        answers=row.answers,
        seen=row.seen,
        problem=_problem(row.problem),
        revision=row.revision,
        secrets=_opened(row, key) if key else {},
        is_sealed=bool(row.sealed),
        expires_at=row.expires_at,
        is_finishing=bool(row.is_claimed),
        is_confirmed=row.finish.get("revision") == row.revision,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One step's answer: what to keep of it, what its check showed, and its secret, if any."""

    step: StepName
    answers: Mapping[str, Any]
    seen: Mapping[str, Any] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    lifetime_seconds: int = MOST_SECONDS
    forgets: Collection[SecretName] = ()


def keep(*, looked_at: Draft, key: bytes, answered: Answered) -> None:
    """Store this step, and only this step; its secret is sealed with the browser's key.

    ``looked_at`` is what the answer was checked with. Raises NotTheAnswersShown when it was
    checked at an environment that is not the stored one any more, and keeps nothing.
    """
    with transaction.atomic():
        rows = SetupProgress.objects.select_for_update()
        row, _created = rows.get_or_create(user_id=looked_at.user_id)
        if answered.step == StepName.ENVIRONMENT:
            _forget_the_former(row, answered)
        elif answered.step in STEPS_AT_AN_ENVIRONMENT:
            _expect_environment(row, looked_at)
        former = row.answers.get(answered.step), row.seen.get(answered.step)
        row.answers[answered.step] = dict(answered.answers)
        row.seen[answered.step] = dict(answered.seen)
        if former != (answered.answers, answered.seen):
            _look_again(row, answered.step)
        row.revision += 1
        if row.problem and row.problem["step"] == answered.step:
            row.problem = None
        if answered.secret:
            _seal(row, key, answered)
        if answered.forgets:
            _forget(row, answered.forgets)
        row.save()


def _look_again(row: SetupProgress, changed: StepName) -> None:
    """What the checks saw was seen of other answers."""
    if changed != StepName.CHECKS:
        row.answers.pop(StepName.CHECKS, None)
        row.seen.pop(StepName.CHECKS, None)


def _forget_the_former(row: SetupProgress, answered: Answered) -> None:
    """Both secrets were proved at the former environment, through the former app registration."""
    former = row.answers.get(StepName.ENVIRONMENT), row.seen.get(StepName.ENVIRONMENT)
    if former != (answered.answers, answered.seen):
        _forget(row, tuple(SecretName))


def _expect_environment(row: SetupProgress, looked_at: Draft) -> None:
    """A secret proved at one environment must not be sealed for another: it would be sent there."""
    for stored, seen in ((row.answers, looked_at.answers), (row.seen, looked_at.seen)):
        if stored.get(StepName.ENVIRONMENT) != seen.get(StepName.ENVIRONMENT):
            raise NotTheAnswersShown(
                _("The environment was changed while this was checked, perhaps in another tab."),
                field="",
                remedy=_("Nothing of this step was kept. Do it again for the environment of now."),
            )


def keep_flow(*, looked_at: Draft, key: bytes, flow: str) -> None:
    """Seal what completes a sign-in that has begun; a former one is forgotten."""
    with transaction.atomic():
        rows = SetupProgress.objects.select_for_update()
        row, _created = rows.get_or_create(user_id=looked_at.user_id)
        _expect_environment(row, looked_at)
        _seal_as(row, key, SecretName.FLOW, flow, MOST_SECONDS)
        row.save()


def take_flow(*, user_id: int, key: bytes | None, state: str) -> Mapping[str, Any]:
    """What completes the sign-in with this state; nobody can take it a second time.

    Raises SignInNotOurs when none was begun with it in this browser, and leaves another one be.
    """
    with transaction.atomic():
        row = SetupProgress.objects.select_for_update().filter(user_id=user_id).first()
        opened = _opened(row, key) if row and key else {}
        flow: dict[str, Any] = json.loads(opened.get(SecretName.FLOW, "{}"))
        expected = str(flow.get("state") or "")
        if row is None or not expected or not _is_same(expected, state):
            raise SignInNotOurs("The answer of the sign-in page is not for this sign-in.")
        _forget(row, [SecretName.FLOW])
        row.save()
    return flow


def _is_same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def note(*, user_id: int, problem: Problem) -> None:
    """Lead the person back to a step that was done; its secret, if any, is no good."""
    with transaction.atomic():
        row = SetupProgress.objects.select_for_update().filter(user_id=user_id).first()
        if row is not None:
            row.problem = {**asdict(problem.place), "text": problem.text}
            _forget(row, [s.secret for s in STEPS if s.name == problem.place.step and s.secret])
            row.save()


def forget(*, user_id: int, name: SecretName) -> None:
    """Drop one secret; the person is asked for it again."""
    with transaction.atomic():
        row = SetupProgress.objects.select_for_update().filter(user_id=user_id).first()
        if row is not None:
            _forget(row, [name])
            row.save()


def redeploy(*, user_id: int) -> bool:
    """Begin a setup, or change the one that was begun: the solution is to be imported again.

    False where that was wanted already.
    """
    with transaction.atomic():
        row, _created = SetupProgress.objects.select_for_update().get_or_create(user_id=user_id)
        if row.answers.get(REDEPLOY):
            return False
        row.answers[REDEPLOY] = True
        row.revision += 1
        row.save()
    return True


def cancel(*, user_id: int) -> None:
    """Forget everything that was typed and sealed, and a connection that was never enabled."""
    with transaction.atomic():
        SetupProgress.objects.filter(user_id=user_id).delete()
        connections.forget_unfinished()


def drop_expired() -> None:
    """Remove what was sealed more than an hour ago, whoever it belongs to."""
    expired = SetupProgress.objects.filter(expires_at__lte=Now())
    expired.update(sealed={}, expires_at=None)


def drop_abandoned() -> None:
    """Remove setups that nobody has touched for a month, and what only they had stored."""
    SetupProgress.objects.filter(changed_at__lte=db_in(-ABANDONED_SECONDS)).delete()
    if not SetupProgress.objects.exists():
        connections.forget_unfinished()


def _problem(stored: Mapping[str, str] | None) -> Problem | None:
    if stored is None:
        return None
    return Problem(Place(StepName(stored["step"]), stored["input"]), stored["text"])


def _opened(row: SetupProgress, key: bytes) -> dict[SecretName, str]:
    """What another browser sealed, or for another environment, counts as not there."""
    opened = {}
    for name in SecretName:
        try:
            if name in row.sealed:
                place = _place(row, name)
                opened[name] = secrets.open_under(key, row.sealed[name], place=place)
        except SecretUnreadable:
            continue
    return opened


def _seal(row: SetupProgress, key: bytes, answered: Answered) -> None:
    name = next(step.secret for step in STEPS if step.name == answered.step)
    if name is None:
        raise ValueError(f"The step {answered.step} has no secret.")
    _seal_as(row, key, name, answered.secret, answered.lifetime_seconds)


def _seal_as(row: SetupProgress, key: bytes, name: SecretName, text: str, seconds: int) -> None:
    end = db_in(min(MOST_SECONDS, seconds))
    row.expires_at = Least(F("expires_at"), end) if row.sealed else end
    row.sealed[name] = secrets.seal_under(key, text, place=_place(row, name))


def _place(row: SetupProgress, name: SecretName) -> str:
    """A secret opens for this person and environment alone: a token never meets another host."""
    return f"setup/{row.user_id}/{name}/{row.answers.get(StepName.ENVIRONMENT, {}).get('url')}"


def _forget(row: SetupProgress, names: Collection[SecretName]) -> None:
    for name in names:
        row.sealed.pop(name, None)
    if not row.sealed:
        row.expires_at = None
