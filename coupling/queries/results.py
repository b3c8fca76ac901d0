"""What one job made of one record."""

from dataclasses import dataclass

from coupling.log import ShownEntry, show_log
from coupling.queries.cards import Card
from coupling.queries.logs import Log, change_entries
from coupling.scope import out_of_scope
from crmsync.connections import services as connections
from crmsync.connections.wording import Wording, of_kept
from crmsync.sync.models import Change, Job
from crmsync.sync.walk import tries
from crmsync.terms import ACTIVE_STATES, JobState, Outcome, PhaseName


@dataclass(frozen=True, slots=True)
class Result:
    """``changes`` are what was written of the record; ``reads_only``: the job only read Sales.

    ``is_about_it``: the job tried the record, or certainly will. ``waits``: it is active, and no
    worker is alive.
    """

    job: Job
    stopped: Wording
    changes: tuple[ShownEntry, ...]
    is_active: bool
    waits: bool
    has_finished: bool
    reads_only: bool
    is_about_it: bool


def read_result(card: Card, job_id: int) -> Result | None:
    """None when the job is not one of the mapping."""
    mapping, record_id = card.mapping, card.record.pk
    job = Job.objects.filter(pk=job_id, mapping=mapping.name).first()
    if job is None:
        return None
    written = Change.objects.filter(job_id=job_id, mapping=mapping.name, ledger_id=record_id)
    entries = tuple(change_entries(written.order_by("-at", "-pk")))
    reads_only = job.phases == [PhaseName.REFRESH]
    is_active = job.state in ACTIVE_STATES
    return Result(
        job=job,
        stopped=of_kept(
            code=job.error_code,
            service_code=job.error_service_code,
            sentence=job.error_sentence,
            remedy=job.error_remedy,
        ),
        changes=show_log(mapping, Log(entries, "")).entries,
        is_active=is_active,
        waits=is_active and not connections.workers_alive(),
        has_finished=job.state == JobState.FINISHED,
        reads_only=reads_only,
        is_about_it=bool(entries) or _left_a_trace(card, job) or _cannot_be_missed(card, job),
    )


def _left_a_trace(card: Card, job: Job) -> bool:
    """What became of the record, or what stands in its way, is on record with this job."""
    coupling = card.facts.coupling
    passages = (coupling.to_crm, coupling.from_crm) if coupling else ()
    traces = {one.job_id for one in (*card.facts.obstacles, *passages) if one}
    return job.pk in traces


def _cannot_be_missed(card: Card, job: Job) -> bool:
    """A job that was asked for before the coupling may have passed the record already."""
    facts = card.facts
    is_kept_out = facts.left_out is not None or bool(out_of_scope(card.mapping, card.record))
    if is_kept_out or job.state in (JobState.STOPPED, JobState.CANCELLED):
        return False
    is_in_time = facts.coupling.at <= job.requested_at if facts.coupling else job.only is not None
    refused = any(one.outcome in (Outcome.FAILED, Outcome.SKIPPED) for one in facts.obstacles)
    return is_in_time and tries(job, [card.record.pk], are_refused=refused)
