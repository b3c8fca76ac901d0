"""Who finishes a setup: one request at a time, and one person at a time."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.dbclock import db_in
from setup_wizard.errors import AlreadyFinishing, NotTheAnswersShown, SomebodyElseFinishing
from setup_wizard.finish.plan import State
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.progress import MOST_SECONDS, look
from setup_wizard.guide.steps import StepName, first_open
from setup_wizard.models import SetupProgress

# Longer than the requests of a finish may take together; after that another one may try.
CLAIM_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one act; ``until`` tells it from the claim of a request that came later."""

    draft: Draft
    until: datetime

    def held(self) -> "QuerySet[SetupProgress]":
        """The progress, as long as the claim is this one."""
        user_id = self.draft.user_id
        return SetupProgress.objects.filter(user_id=user_id, claimed_until=self.until)

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

    Raises SomebodyElseFinishing. A finish that has failed or rests for an hour stops nobody.
    """
    recent = SetupProgress.objects.filter(changed_at__gte=db_in(-MOST_SECONDS))
    # All in one order, so that of two who begin at once one sees the other.
    rows = recent.select_for_update(of=("self",)).select_related("user").order_by("pk")
    for row in rows:
        if row.user_id != user_id and _goes_on(row):
            raise SomebodyElseFinishing(
                _("%(name)s is connecting this installation at this moment.")
                % {"name": row.user.get_username()},
                field="",
                remedy=_(
                    "Wait until that is done, then look whether there is anything left to do."
                ),
            )


def _goes_on(row: SetupProgress) -> bool:
    acts = row.finish.get("acts", {}).values()
    has_failed = any(act.get("state") == State.FAILED for act in acts)
    return row.finish.get("revision") == row.revision and not has_failed


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
