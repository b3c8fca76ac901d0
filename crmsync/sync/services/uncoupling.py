"""Delete Coupling, and taking that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.mapping.registry import get_mapping
from crmsync.sync.couplings import next_generations, revisit_children
from crmsync.sync.models import Coupling, Job, Obstacle
from crmsync.sync.obstructions import in_the_way
from crmsync.sync.refusals import UnableToCouple, UnableToUncouple
from crmsync.sync.services.coupling import forget_doubts
from crmsync.sync.settings_lock import hold_settings
from crmsync.sync.slices import chunks
from crmsync.terms import ACTIVE_STATES

CHUNK_COUPLINGS = 500


class RefusedRemoval(NamedTuple):
    coupling_id: int
    sentence: str


@dataclass(frozen=True, slots=True)
class RemovedMany:
    """Ids of the couplings that were live and are removed now, and those that must stay."""

    removed_ids: tuple[int, ...] = ()
    refused: tuple[RefusedRemoval, ...] = ()

    def __add__(self, other: "RemovedMany") -> "RemovedMany":
        return RemovedMany(self.removed_ids + other.removed_ids, self.refused + other.refused)


def remove_coupling(*, coupling_id: int) -> bool:
    """Delete Coupling: both records stay, a tombstone keeps the generation.

    True when it was live. Raises UnableToUncouple while a job may be creating the row.
    """
    done = remove_couplings(coupling_ids=[coupling_id])
    for refused in done.refused:
        raise UnableToUncouple(refused.sentence)
    return bool(done.removed_ids)


def remove_couplings(*, coupling_ids: Sequence[int]) -> RemovedMany:
    """Delete many couplings; those whose row is being created at this moment stay.

    Five hundred at a time, each in a transaction of its own. Unknown and removed ones count for
    nothing.
    """
    done = RemovedMany()
    for some in chunks(coupling_ids, CHUNK_COUPLINGS):
        done += _remove_together(some)
    return done


@transaction.atomic
def _remove_together(ids: Sequence[int]) -> RemovedMany:
    # No job begins meanwhile that could send what is removed here.
    hold_settings()
    live = Coupling.objects.filter(pk__in=ids, removed_at__isnull=True)
    couplings = list(live.select_for_update())
    busy = _being_created(couplings)
    free = [one for one in couplings if one.pk not in busy]
    Coupling.objects.filter(pk__in=[one.pk for one in free]).update(
        removed_at=Now(), version=F("version") + 1
    )
    for mapping in {one.mapping for one in free}:
        of_mapping = [one for one in free if one.mapping == mapping]
        both = [one_id for one in of_mapping for one_id in (one.ledger_id, one.crm_id)]
        Obstacle.objects.filter(mapping=mapping, record_id__in=both).delete()
        revisit_children(mapping)
    sentence = _("The row is being created in Sales at this moment.")
    return RemovedMany(
        tuple(one.pk for one in free), tuple(RefusedRemoval(one, sentence) for one in sorted(busy))
    )


def _being_created(couplings: Sequence[Coupling]) -> set[int]:
    """Intents whose record is still here, while a job of the table may be creating the row.

    Without one an intent was interrupted, and no later job need take it up. Should its row have
    come about, it stands in Sales uncoupled, and looks like the record.
    """
    busy: set[int] = set()
    active = Job.objects.filter(
        mapping__in={one.mapping for one in couplings if one.is_intent}, state__in=ACTIVE_STATES
    )
    for mapping in set(active.values_list("mapping", flat=True)):
        intents = [one for one in couplings if one.is_intent and one.mapping == mapping]
        rows = get_mapping(mapping).ledger._default_manager.filter(
            pk__in=[one.ledger_id for one in intents]
        )
        here = set(rows.values_list("pk", flat=True))
        busy |= {one.pk for one in intents if one.ledger_id in here}
    return busy


def restore_coupling(*, coupling_id: int, by: str) -> Coupling:
    """Take Delete Coupling back: live again, with all that was agreed.

    Raises UnableToCouple when one of the two is coupled meanwhile, is left out or is gone, or when
    the record was coupled again since.
    """
    try:
        with transaction.atomic():
            return _restore(coupling_id, by)
    except IntegrityError as error:
        sentence = _("One of the two was coupled by somebody else at this moment.")
        raise UnableToCouple(sentence) from error


def _restore(coupling_id: int, by: str) -> Coupling:
    coupling = Coupling.objects.select_for_update().filter(pk=coupling_id).first()
    if coupling is None:
        raise UnableToCouple(_("There is no such coupling."))
    if coupling.removed_at is None:
        raise UnableToCouple(_("The coupling was not deleted."))
    declared = get_mapping(coupling.mapping)
    pair = (coupling.ledger_id, coupling.crm_id)
    for found in in_the_way(declared, [pair]).values():
        raise found.error(found.sentence)
    following = next_generations(coupling.mapping, [coupling.ledger_id])[coupling.ledger_id]
    if following != coupling.generation + 1:
        raise UnableToCouple(_("The record had a later coupling; only the latest can come back."))
    coupling.removed_at, coupling.coupled_by = None, by
    coupling.version += 1
    # Parents may have been coupled otherwise while nobody looked at this pair.
    coupling.has_unresolved = True
    coupling.save(update_fields=["removed_at", "coupled_by", "version", "has_unresolved"])
    forget_doubts(declared, [pair])
    revisit_children(coupling.mapping)
    return coupling
