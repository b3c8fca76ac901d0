"""Which records a phase walks: those in scope, without those left out, or only some of them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crmsync.mapping.types import TableMapping
from crmsync.sync import exclusions
from crmsync.sync.models import Coupling, CrmRecord, Job
from crmsync.sync.refusals import WrongSelection
from crmsync.sync.sides import scope_filter
from crmsync.terms import PhaseName

MOST_CHOSEN = 1000


@dataclass(frozen=True, slots=True)
class Only:
    """Records that a job is about, of either side; each stands for its counterpart, too."""

    ledger: Sequence[UUID] = ()
    crm: Sequence[UUID] = ()

    def as_json(self) -> dict[str, list[str]]:
        """What is kept with the job. Raises WrongSelection for none, or more than 1,000."""
        if not self.ledger and not self.crm:
            raise WrongSelection(_("No record was chosen."))
        if len(self.ledger) + len(self.crm) > MOST_CHOSEN:
            named = {"most": MOST_CHOSEN}
            raise WrongSelection(_("At most %(most)d records can be chosen at once.") % named)
        return {"ledger": [str(one) for one in self.ledger], "crm": [str(one) for one in self.crm]}


def _only(job: Job) -> Only | None:
    if job.only is None:
        return None
    ledger, crm = (tuple(UUID(one) for one in job.only[side]) for side in ("ledger", "crm"))
    return Only(ledger, crm)


def ledger_rows(mapping: TableMapping, job: Job) -> "QuerySet[Any]":
    """The ledger records that the phase to CRM walks, in no order."""
    rows = mapping.ledger._default_manager.filter(**scope_filter(mapping.ledger_scope))
    if only := _only(job):
        coupled = _live(mapping).filter(crm_id__in=only.crm).values_list("ledger_id", flat=True)
        rows = rows.filter(pk__in={*only.ledger, *coupled})
    if job.modified_only:
        rows = rows.filter(pk__in=_live(mapping).values("ledger_id"))
    return exclusions.included_rows(mapping, rows)


def crm_records(mapping: TableMapping, job: Job) -> "QuerySet[CrmRecord]":
    """The rows there that the phase from CRM walks, in no order; scope is looked at by row."""
    records = CrmRecord.objects.filter(table=mapping.crm.logical_name, is_deleted=False)
    if only := _only(job):
        coupled = _live(mapping).filter(ledger_id__in=only.ledger).values_list("crm_id", flat=True)
        records = records.filter(crm_id__in={*only.crm, *coupled})
    if job.modified_only:
        records = records.filter(crm_id__in=_live(mapping).values("crm_id"))
    return exclusions.included_records(mapping, records)


def tries(job: Job, record_ids: Collection[UUID], *, are_refused: bool) -> bool:
    """Whether the job certainly walks all of these records, of either side.

    ``are_refused``: some of them failed or were skipped before, and only a job that retries those
    tries them. One that has passed them already cannot be told from one that has not: who cares
    asks when the job began, too.
    """
    if job.limit is not None or job.modified_only or job.phases == [PhaseName.REFRESH]:
        return False
    if job.only is not None:
        named = {*job.only["ledger"], *job.only["crm"]}
        if not {str(one) for one in record_ids} <= named:
            return False
    return job.retries_failed or not are_refused


def count(mapping: TableMapping, job: Job, phase: PhaseName) -> int | None:
    """How many records the phase will see; None where that is not known beforehand."""
    if job.limit is not None:
        return None
    if phase is PhaseName.TO_CRM:
        rows = ledger_rows(mapping, job)
        if not mapping.creates_in_crm and not mapping.unique_key:
            rows = rows.filter(pk__in=_live(mapping).values("ledger_id"))
        return rows.count()
    if phase is PhaseName.FROM_CRM:
        scope = {
            f"values__{name}": value for name, value in scope_filter(mapping.crm_scope).items()
        }
        records = crm_records(mapping, job).filter(**scope)
        if not mapping.creates_in_ledger:
            records = records.filter(crm_id__in=_live(mapping).values("crm_id"))
        return records.count()
    return None


def _live(mapping: TableMapping) -> "QuerySet[Coupling]":
    return Coupling.objects.filter(
        mapping=mapping.name, crm_table=mapping.crm.logical_name, removed_at__isnull=True
    )
