"""A person's answer to a conflict."""

import hashlib
import json

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.mapping import in_force
from crmsync.mapping.captions import caption_of
from crmsync.mapping.registry import get_mapping
from crmsync.sync.models import Coupling, Obstacle
from crmsync.sync.refusals import NotTheValuesShown, UnableToSettle
from crmsync.sync.settings_lock import hold_settings
from crmsync.terms import FirstWinner

SETTLED_BY_A_WINNER = ("conflict", "first_values_differ")


def fingerprint(obstacle: Obstacle) -> str:
    """Of the values that differ and the ways they may go: another as soon as a pass found others,
    or an administrator changed a way. 32 hexadecimal digits.
    """
    fields = obstacle.details.get("fields", {})
    ways = {
        one.ledger: one.direction
        for one in get_mapping(obstacle.mapping).exchanged
        if one.ledger in fields
    }
    shown = [obstacle.pk, obstacle.code, fields, ways]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:32]


def settle_conflict(*, coupling_id: int, winner: FirstWinner, expected: str, by: str) -> None:
    """Say which side is right in the fields that an undecided pair was shown with.

    ``expected`` is the fingerprint of the conflict that the person saw: a pass may have found
    other values since, and nobody has looked at those.

    The loser's value counts as what both had agreed, so that the next pass brings the winner's
    over it. Nothing else is decided by that: a field that was not shown, or one that somebody
    edits before the pass, is compared as ever, and waits for a person if it must.

    Raises NotTheValuesShown, and UnableToSettle when the pair has no conflict any more, was
    changed at this moment, when the answer names no side, or one whose values may not go over.
    """
    if winner is FirstWinner.FILL_BLANKS:
        raise UnableToSettle(_("Both sides hold a value: filling blanks does not say which stays."))
    loser = "crm" if winner is FirstWinner.LEDGER else "ledger"
    with transaction.atomic():
        # The answer is good for the ways that are open now: none is closed until it is stored.
        hold_settings()
        in_force.take_up()
        coupling = Coupling.objects.filter(pk=coupling_id, removed_at__isnull=True).first()
        if coupling is None:
            raise UnableToSettle(_("The two are not coupled any more."))
        obstacle = _shown_conflict(coupling, expected)
        _require_way(obstacle, winner)
        lost = {name: values[loser] for name, values in obstacle.details["fields"].items()}
        guarded = Coupling.objects.filter(pk=coupling.pk, version=coupling.version)
        settled = guarded.update(
            agreed={**coupling.agreed, **lost},
            # Never equal to a stamp: both phases look at the pair again.
            ledger_stamp=None,
            settled_by=by,
            settled_at=Now(),
            version=F("version") + 1,
        )
        if not settled:
            raise UnableToSettle(_("The pair was synchronized at this moment."))
        obstacle.delete()


def _shown_conflict(coupling: Coupling, expected: str) -> Obstacle:
    """Held until the answer is stored: a pass puts other values under the same id."""
    conflicts = Obstacle.objects.select_for_update().filter(
        mapping=coupling.mapping,
        record_id__in=[coupling.ledger_id, coupling.crm_id],
        code__in=SETTLED_BY_A_WINNER,
    )
    found = list(conflicts)
    if not found:
        raise UnableToSettle(_("Nothing about these two waits for an answer."))
    for one in found:
        if fingerprint(one) == expected:
            return one
    raise NotTheValuesShown(_("The values are not those that were shown any more."))


def _require_way(obstacle: Obstacle, winner: FirstWinner) -> None:
    """A field that goes the other way alone, or not at all, would not be brought as answered."""
    mapping = get_mapping(obstacle.mapping)
    open_ways = {
        one.ledger
        for one in mapping.exchanged
        if (
            one.direction.writes_crm
            if winner is FirstWinner.LEDGER
            else one.direction.writes_ledger
        )
    }
    closed = [name for name in obstacle.details["fields"] if name not in open_ways]
    if closed:
        named = {"fields": ", ".join(caption_of(mapping, name) for name in closed)}
        raise UnableToSettle(_("The mapping does not bring %(fields)s that way.") % named)
