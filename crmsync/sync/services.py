"""How any door asks for work on records: couple, remove a coupling, retry."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.sync.couplings import next_generations
from crmsync.sync.models import Coupling, CrmRecord, CrmTable, Obstacle
from crmsync.terms import CouplingOrigin, FirstWinner


class UnableToCouple(Exception):
    """``str()`` says which record is in the way."""

    code = "unable_to_couple"
    remedy = "Remove the other coupling first: 'manage.py couple remove'."


class UnableToUncouple(Exception):
    """``str()`` says why not now."""

    code = "unable_to_uncouple"
    remedy = "Try again when the synchronization of the table is over."


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
            _revisit_children(mapping)
            return coupling
    except IntegrityError as error:
        raise UnableToCouple("One of the two is coupled already.") from error


def remove_coupling(*, coupling_id: int) -> bool:
    """Delete Coupling: both records stay, a tombstone keeps the generation.

    True when it was live. Raises UnableToUncouple while the row is being created.
    """
    with transaction.atomic():
        live = Coupling.objects.filter(pk=coupling_id, removed_at__isnull=True)
        coupling = live.first()
        if coupling is not None and coupling.is_intent:
            raise UnableToUncouple("The row is being created in Sales at this moment.")
        if coupling is None or not live.update(removed_at=Now(), version=F("version") + 1):
            return False
        Obstacle.objects.filter(
            mapping=coupling.mapping, record_id__in=[coupling.ledger_id, coupling.crm_id]
        ).delete()
        _revisit_children(coupling.mapping)
    return True


def _revisit_children(parent: str) -> None:
    """Lookups to the parent may lead elsewhere now: records that have one are compared again."""
    children = [
        mapping.name
        for mapping in all_mappings()
        if any(
            isinstance(mapped.conversion, Lookup) and mapped.conversion.parent == parent
            for mapped in mapping.fields
        )
    ]
    Coupling.objects.filter(mapping__in=children, removed_at__isnull=True).update(
        has_unresolved=True
    )


def forget_sales(*, rows: bool) -> None:
    """Forget how far Sales was read, because it stands at another address.

    With ``rows`` also what was read there, because it is another organization.
    """
    CrmTable.objects.all().delete()
    if rows:
        CrmRecord.objects.all().delete()
