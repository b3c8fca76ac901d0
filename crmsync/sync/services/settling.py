"""A person's answer to a conflict."""

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.sync.models import Coupling, Obstacle
from crmsync.sync.refusals import UnableToSettle
from crmsync.terms import FirstWinner

SETTLED_BY_A_WINNER = ("conflict", "first_values_differ")


def settle_conflict(*, coupling_id: int, winner: FirstWinner, by: str) -> None:
    """Say which side is right in the fields that an undecided pair is shown with.

    The loser's value counts as what both had agreed, so that the next pass brings the winner's
    over it. Nothing else is decided by that: a field that was not shown, or one that somebody
    edits before the pass, is compared as ever, and waits for a person if it must.

    Raises UnableToSettle when the pair has no conflict any more, was changed at this moment, or
    when the answer names no side.
    """
    if winner is FirstWinner.FILL_BLANKS:
        raise UnableToSettle(_("Both sides hold a value: filling blanks does not say which stays."))
    loser = "crm" if winner is FirstWinner.LEDGER else "ledger"
    with transaction.atomic():
        coupling = Coupling.objects.filter(pk=coupling_id, removed_at__isnull=True).first()
        if coupling is None:
            raise UnableToSettle(_("The two are not coupled any more."))
        obstacles = _conflicts(coupling)
        shown = {
            name: values[loser]
            for obstacle in obstacles
            for name, values in obstacle.details["fields"].items()
        }
        if not shown:
            raise UnableToSettle(_("Nothing about these two waits for an answer."))
        guarded = Coupling.objects.filter(pk=coupling.pk, version=coupling.version)
        settled = guarded.update(
            agreed={**coupling.agreed, **shown},
            # Never equal to a stamp: both phases look at the pair again.
            ledger_stamp=None,
            settled_by=by,
            settled_at=Now(),
            version=F("version") + 1,
        )
        if not settled:
            raise UnableToSettle(_("The pair was synchronized at this moment."))
        Obstacle.objects.filter(pk__in=[obstacle.pk for obstacle in obstacles]).delete()


def _conflicts(coupling: Coupling) -> list[Obstacle]:
    return list(
        Obstacle.objects.filter(
            mapping=coupling.mapping,
            record_id__in=[coupling.ledger_id, coupling.crm_id],
            code__in=SETTLED_BY_A_WINNER,
        )
    )
