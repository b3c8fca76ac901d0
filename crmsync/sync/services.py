"""How any door asks for work on records: couple, remove a coupling, retry."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from crmsync.mapping.registry import get_mapping
from crmsync.sync.couplings import next_generations
from crmsync.sync.models import Coupling, CrmRecord, Obstacle
from crmsync.terms import CouplingOrigin, FirstWinner


class UnableToCouple(Exception):
    """``str()`` says which record is in the way."""

    code = "unable_to_couple"
    remedy = "Remove the other coupling first: 'manage.py couple remove'."


def couple(
    *,
    mapping: str,
    ledger_id: UUID,
    crm_id: UUID,
    first_winner: FirstWinner,
    origin: CouplingOrigin,
    by: str,
) -> Coupling:
    """Tie one ledger record to one row there; who wins first is part of the act.

    Raises UnableToCouple when either is coupled already or does not exist.
    """
    declared = get_mapping(mapping)
    table = declared.crm.logical_name
    if not declared.ledger._default_manager.filter(pk=ledger_id).exists():
        raise UnableToCouple("The record is not in Financials any more.")
    if not CrmRecord.objects.filter(table=table, crm_id=crm_id, is_deleted=False).exists():
        raise UnableToCouple("The row is not in Sales, or was not read yet.")
    try:
        with transaction.atomic():
            coupling = Coupling.objects.create(
                mapping=mapping,
                ledger_id=ledger_id,
                crm_table=table,
                crm_id=crm_id,
                generation=next_generations(mapping, [ledger_id]).get(ledger_id, 1),
                origin=origin,
                first_winner=first_winner,
                coupled_by=by,
            )
            Obstacle.objects.filter(mapping=mapping, record_id__in=[ledger_id, crm_id]).delete()
            return coupling
    except IntegrityError as error:
        raise UnableToCouple("One of the two is coupled already.") from error


def remove_coupling(*, coupling_id: int) -> bool:
    """Delete Coupling: both records stay, a tombstone keeps the generation.

    True when it was live.
    """
    with transaction.atomic():
        live = Coupling.objects.filter(pk=coupling_id, removed_at__isnull=True)
        coupling = live.first()
        if coupling is None or not live.update(removed_at=Now(), version=F("version") + 1):
            return False
        Obstacle.objects.filter(
            mapping=coupling.mapping, record_id__in=[coupling.ledger_id, coupling.crm_id]
        ).delete()
    return True
