"""Past runs, newest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Subquery

from crmsync.terms import ACTIVE_STATES, JobState
from fullsync import status
from fullsync.models import FullSync, ReviewLine
from fullsync.queries.facts import Facts, look_around
from fullsync.queries.phases import NOTHING, Phases, left_by_job, phases_of
from fullsync.status import Said

PAGE_ROWS = 25


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run; what is said of it is what its own page says."""

    id: int
    said: Said
    started_at: datetime
    started_by: str
    lines_in_all: int
    lines_finished: int
    limit: int | None
    modified_only: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """``next`` is where to go on."""

    runs: tuple[RunSummary, ...]
    next: int | None


def run_page(*, before: int | None = None) -> RunPage:
    """A page of runs. Four questions, whatever their number."""
    runs = FullSync.objects.order_by("-pk")
    newest = runs.values("pk")[:1]
    if before is not None:
        runs = runs.filter(pk__lt=before)
    found: list[Any] = list(runs.annotate(latest_id=Subquery(newest))[: PAGE_ROWS + 1])
    shown = found[:PAGE_ROWS]
    lines = _lines_of(shown)
    active = [run.pk for run in shown if run.state in ACTIVE_STATES]
    phases = phases_of([one.job_id for pk in active for one in lines.get(pk, ()) if one.job_id])
    facts = look_around()
    return RunPage(
        tuple(_summary(run, lines.get(run.pk, []), phases, facts) for run in shown),
        shown[-1].pk if len(found) > PAGE_ROWS else None,
    )


def _lines_of(runs: Iterable[FullSync]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    lines = ReviewLine.objects.filter(full_sync__in=[run.pk for run in runs])
    for line in lines.select_related("job").annotate(left_behind=left_by_job()):
        found.setdefault(line.full_sync_id, []).append(line)
    return found


def _summary(run: Any, lines: Sequence[Any], phases: Phases, facts: Facts) -> RunSummary:
    jobs = [line.job for line in lines if line.job]
    works = facts.alive > 0 and any(
        phases.get((job.pk, job.phase), NOTHING).working for job in jobs
    )
    attention = sum(_attention(line, facts, is_latest=run.pk == run.latest_id) for line in lines)
    return RunSummary(
        id=run.pk,
        said=status.of_run(JobState(run.state), attention, works=works),
        started_at=run.started_at,
        started_by=run.started_by,
        lines_in_all=len(lines),
        lines_finished=sum(line.state == JobState.FINISHED for line in lines),
        limit=run.limit,
        modified_only=run.modified_only,
    )


def _attention(line: Any, facts: Facts, *, is_latest: bool) -> int:
    """Of the latest run who needs attention now, of others whom they left behind then."""
    if not is_latest:
        return line.left_behind or 0
    return facts.attention.get(line.mapping, 0) if line.job_id else 0
