"""Past runs, newest first."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from crmsync.terms import JobState
from fullsync.models import FullSync

PAGE_ROWS = 25


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, each with ``lines_in_all`` and ``lines_finished``; ``next`` is where to go on."""

    runs: tuple[Any, ...]
    next: int | None


def run_page(*, before: int | None = None) -> RunPage:
    runs = FullSync.objects.order_by("-pk").annotate(
        lines_in_all=Count("lines"),
        lines_finished=Count("lines", filter=Q(lines__state=JobState.FINISHED)),
    )
    if before is not None:
        runs = runs.filter(pk__lt=before)
    found = list(runs[: PAGE_ROWS + 1])
    shown = found[:PAGE_ROWS]
    return RunPage(tuple(shown), shown[-1].pk if len(found) > PAGE_ROWS else None)
