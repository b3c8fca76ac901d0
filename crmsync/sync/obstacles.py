"""Keep, replace and clear what stands in a record's way."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from crmsync.mapping.types import TableMapping
from crmsync.sync import exclusions
from crmsync.sync.models import Coupling, CrmRecord, Job, Obstacle
from crmsync.sync.sides import scope_filter
from crmsync.sync.steps import Step
from crmsync.terms import NEEDS_ATTENTION, Side

_REPLACED = ["outcome", "code", "sentence", "details", "ledger_stamp", "crm_etag", "job_id"]


def of_page(mapping: str, side: Side, ids: Sequence[UUID]) -> dict[UUID, Obstacle]:
    found = Obstacle.objects.filter(mapping=mapping, side=side, record_id__in=ids)
    return {obstacle.record_id: obstacle for obstacle in found}


def keep(job: Job, side: Side, steps: Sequence[Step]) -> None:
    """Store the problems of these records and clear those that have none any more."""
    Obstacle.objects.bulk_create(
        [
            Obstacle(
                mapping=job.mapping,
                side=side,
                record_id=step.record_id,
                outcome=step.problem.outcome,
                code=step.problem.code,
                sentence=step.problem.sentence,
                details=dict(step.problem.details),
                ledger_stamp=step.stamp,
                crm_etag=step.etag,
                job_id=job.pk,
            )
            for step in steps
            if step.problem
        ],
        update_conflicts=True,
        unique_fields=["mapping", "side", "record_id"],
        update_fields=_REPLACED,
    )
    cleared = [
        step.record_id
        for step in steps
        if step.had_obstacle and not step.problem and step.outcome not in NEEDS_ATTENTION
    ]
    if cleared:
        Obstacle.objects.filter(mapping=job.mapping, side=side, record_id__in=cleared).delete()


def forget_gone(mapping: TableMapping) -> None:
    """Clear what stood in the way of records that are gone or not in scope any more."""
    in_scope = mapping.ledger._default_manager.filter(**scope_filter(mapping.ledger_scope))
    there = CrmRecord.objects.filter(table=mapping.crm.logical_name, is_deleted=False)
    known = Obstacle.objects.filter(mapping=mapping.name)
    known.filter(side=Side.LEDGER).exclude(record_id__in=in_scope.values("pk")).delete()
    known.filter(side=Side.CRM).exclude(record_id__in=there.values("crm_id")).delete()
    forget_left_out(mapping)


def forget_left_out(mapping: TableMapping) -> None:
    """Nothing is said of records that were left out, nor of those coupled with them."""
    live = Coupling.objects.filter(
        mapping=mapping.name, crm_table=mapping.crm.logical_name, removed_at__isnull=True
    )
    here = exclusions.left_out(mapping, Side.LEDGER).values("record_id")
    there = exclusions.left_out(mapping, Side.CRM).values("record_id")
    known = Obstacle.objects.filter(mapping=mapping.name)
    known.filter(side=Side.LEDGER).filter(
        Q(record_id__in=here) | Q(record_id__in=live.filter(crm_id__in=there).values("ledger_id"))
    ).delete()
    known.filter(side=Side.CRM).filter(
        Q(record_id__in=there) | Q(record_id__in=live.filter(ledger_id__in=here).values("crm_id"))
    ).delete()
