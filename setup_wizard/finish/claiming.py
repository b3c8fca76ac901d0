"""Who finishes a setup: one request at a time, and one person at a time."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.formats import time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from crmsync.dbclock import db_in
from setup_wizard.errors import (
    AlreadyFinishing,
    NotTheAnswersShown,
    SomebodyElseFinishing,
    TryAgain,
)
from setup_wizard.finish.importing import LONGEST_IMPORT
from setup_wizard.finish.plan import ActName, State, now
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.progress import look
from setup_wizard.guide.steps import StepName, first_open
from setup_wizard.models import SetupProgress

# Longer than the requests of a finish may take together; after that another one may try.
CLAIM_SECONDS = 180
# After so long without any act a finish keeps nobody else waiting. No shorter than a claim: an act
# that is under way is never overtaken.
REST = CLAIM_SECONDS


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one act; ``until`` tells it from the claim of a request that came later."""

    draft: Draft
    until: datetime

    def held(self) -> "QuerySet[SetupProgress]":
        """The progress, as long as the claim is this one."""
        user_id = self.draft.user_id
        return SetupProgress.objects.filter(user_id=user_id, claimed_until=self.until)

    def begin_act(self) -> None:
        """Nobody else is at it, and from here on others wait. Raises SomebodyElseFinishing."""
        with transaction.atomic():
            expect_nobody_else(user_id=self.draft.user_id)
            self.held().update(changed_at=Now())

    def release(self) -> None:
        """Let the person go on."""
        self.held().update(claimed_until=None)


def claim(*, user_id: int, key: bytes, revision: int) -> Claim:
    """Reserve the finish of exactly these answers, all of them given, for the caller.

    Raises AlreadyFinishing when another request finishes or has finished this setup, and
    NotTheAnswersShown when the answers are not those any more.
    """
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=Now())
    mine = SetupProgress.objects.filter(free, user_id=user_id, revision=revision)
    with transaction.atomic():
        is_mine = mine.update(claimed_until=db_in(CLAIM_SECONDS)) == 1
        kept = SetupProgress.objects.filter(user_id=user_id)
        until = kept.values_list("claimed_until", flat=True).first()
    draft = look(user_id=user_id, key=key)
    if is_mine and until:
        claimed = Claim(draft, until)
        if draft.revision == revision and first_open(draft.done) == StepName.CHECK:
            return claimed
        claimed.release()
    elif draft.is_finishing or not draft.is_begun:
        raise already_finishing()
    raise not_those()


def expect_begun(*, user_id: int, revision: int) -> None:
    """In a transaction: until it ends nobody cancels or changes it. Raises NotTheAnswersShown."""
    mine = SetupProgress.objects.select_for_update().filter(user_id=user_id, revision=revision)
    if mine.first() is None:
        raise not_those()


def expect_nobody_else(*, user_id: int | None) -> None:
    """In a transaction: two people never prepare Sales at the same time; None is the terminal.

    Raises SomebodyElseFinishing. A finish that has failed or rests stops nobody.
    """
    kept = SetupProgress.objects.filter(changed_at__gte=db_in(-REST))
    # All in one order, so that of two who begin at once one sees the other.
    rows = kept.select_for_update(of=("self",)).select_related("user").order_by("pk")
    for row in rows:
        if row.user_id != user_id and _goes_on(row):
            raise _is_at_it(row)


def _goes_on(row: SetupProgress) -> bool:
    acts = row.finish.get("acts", {}).values()
    has_failed = any(act.get("state") == State.FAILED for act in acts)
    return row.finish.get("revision") == row.revision and not has_failed


def _is_at_it(row: SetupProgress) -> SomebodyElseFinishing:
    return SomebodyElseFinishing(
        _("%(name)s is connecting this installation, and was last at it at %(time)s.")
        % {"name": row.user.get_username(), "time": _time(row.changed_at)},
        field="",
        remedy=_(
            "Wait until that is done, then look whether there is anything left to do. If nothing "
            "more is done there for %(minutes)s minutes, try again: then it goes on here."
        )
        % {"minutes": REST // 60},
    )


def expect_no_import(*, user_id: int | None) -> None:
    """Before one is begun: what somebody else began, and left alone, may still go on in Sales.

    Raises TryAgain, for as long as an import may take.
    """
    for row in SetupProgress.objects.select_related("user").order_by("pk"):
        asked_at = _import_since(row) if row.user_id != user_id else None
        if asked_at is not None:
            raise _imports(row, asked_at)


def _import_since(row: SetupProgress) -> datetime | None:
    """When an import was asked for that may still go on, even if the answers changed since."""
    kept = row.finish.get("acts", {}).get(ActName.SOLUTION, {})
    at = kept.get("seen", {}).get("asked_at")
    if not at or kept.get("state") in (State.DONE, State.FAILED):
        return None
    asked_at = datetime.fromisoformat(at)
    return asked_at if now() < asked_at + LONGEST_IMPORT else None


def _imports(row: SetupProgress, asked_at: datetime) -> TryAgain:
    return TryAgain(
        _("%(name)s began to import the solution at %(time)s, and that may still go on in Sales.")
        % {"name": row.user.get_username(), "time": _time(asked_at)},
        field="",
        remedy=_(
            "Wait until it is there, or until %(time)s at the latest: nothing is imported twice at "
            "the same time."
        )
        % {"time": _time(asked_at + LONGEST_IMPORT)},
    )


def _time(at: datetime) -> str:
    return time_format(localtime(at))


def consume(*, user_id: int, revision: int) -> None:
    """End the setup, in the transaction that stores the connection. Raises NotTheAnswersShown."""
    deleted, _rows = SetupProgress.objects.filter(user_id=user_id, revision=revision).delete()
    if not deleted:
        raise not_those()


def already_finishing() -> AlreadyFinishing:
    return AlreadyFinishing(_("The setup is being finished already."), field="", remedy="")


def not_those() -> NotTheAnswersShown:
    return NotTheAnswersShown(
        _("The answers were changed after they were shown here, perhaps in another tab."),
        field="",
        remedy=_("Look at them again, then connect."),
    )
