"""Bring a full synchronization to its end inside the test's own process."""

from crmsync.sync import jobs
from crmsync.terms import JobState
from fullsync import services
from fullsync.models import FullSync, ReviewLine


def drive(full_sync: FullSync) -> FullSync:
    """Advance the run and work on its jobs here, until nothing is left to do."""
    while True:
        services.advance()
        running = ReviewLine.objects.filter(full_sync=full_sync, state=JobState.RUNNING)
        line = running.select_related("job").first()
        if line is None or line.job is None:
            full_sync.refresh_from_db()
            return full_sync
        jobs.drive(job_id=line.job.pk, worker="test", most_breaks=10)


def finished_run(*, limit: int | None = None) -> FullSync:
    return drive(services.start(by="anna", limit=limit))
