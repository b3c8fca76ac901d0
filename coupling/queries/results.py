"""What one job made of one record."""

from dataclasses import dataclass
from uuid import UUID

from coupling.log import ShownEntry, show_log
from coupling.queries.logs import Log, change_entries
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Change, Job
from crmsync.terms import ACTIVE_STATES, JobState, PhaseName


@dataclass(frozen=True, slots=True)
class Result:
    """``changes`` are what was written of the record; ``reads_only``: the job only read Sales.

    ``is_about_it``: the job was asked for this record alone, or for the whole table.
    """

    job: Job
    changes: tuple[ShownEntry, ...]
    is_active: bool
    has_finished: bool
    reads_only: bool
    is_about_it: bool


def read_result(mapping: TableMapping, record_id: UUID, job_id: int) -> Result | None:
    """None when the job is not one of the mapping."""
    job = Job.objects.filter(pk=job_id, mapping=mapping.name).first()
    if job is None:
        return None
    written = Change.objects.filter(job_id=job_id, mapping=mapping.name, ledger_id=record_id)
    entries = tuple(change_entries(written.order_by("-at", "-pk")))
    reads_only = job.phases == [PhaseName.REFRESH]
    chosen = job.only["ledger"] if job.only else [str(record_id)]
    return Result(
        job=job,
        changes=show_log(mapping, Log(entries, "")).entries,
        is_active=job.state in ACTIVE_STATES,
        has_finished=job.state == JobState.FINISHED,
        reads_only=reads_only,
        is_about_it=not reads_only and str(record_id) in chosen,
    )
