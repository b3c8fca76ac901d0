"""Jobs as a door sees them: requested once a mapping, cancelled, driven here, swept up.

The rows say what is true. Messages only wake somebody up to look at them.
"""

import time

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.connections import services as connections
from crmsync.mapping import in_force
from crmsync.mapping.registry import get_mapping
from crmsync.sync import leases, phases, working
from crmsync.sync.models import Job, Part
from crmsync.sync.nudges import nudge_parts
from crmsync.sync.settings_lock import hold_settings
from crmsync.sync.walk import Only
from crmsync.terms import ACTIVE_STATES, JobState, PhaseName

# Between two looks at parts that wait or that another worker owns.
DRIVE_PAUSE_SECONDS = 0.2
# A person waits for this: after so many failures in a row it is better to say so.
READING_BREAKS = 3


class AlreadyActive(Exception):
    """The mapping has a job under way: there is never a second one."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"Job {job.pk} of {job.mapping} is under way.")
        self.job = job


class ReadingStopped(Exception):
    """Sales could not be read; ``str()`` says why, ``remedy`` what to do.

    ``code`` is that of the error that stopped it, ``service_code`` the one of Sales itself.
    """

    code = "reading_stopped"
    remedy: str | Promise = gettext_lazy(
        "Try again in a while. If it happens again, ask the administrator to look at "
        "Dynamics 365 Connection Setup."
    )

    def __init__(
        self, sentence: str, remedy: str = "", *, code: str = "", service_code: str = ""
    ) -> None:
        super().__init__(sentence)
        self.service_code = service_code
        if code:
            self.code = code
        if remedy:
            self.remedy = remedy


def request(
    *,
    mapping: str,
    by: str,
    limit: int | None = None,
    retries_failed: bool = False,
    refresh_only: bool = False,
    only: Only | None = None,
    modified_only: bool = False,
) -> Job:
    """Ask for one pass over a mapping, or over ``only`` some records and their counterparts.

    ``modified_only`` passes over coupled records alone: no missing counterpart is created.
    Raises AlreadyActive, WrongSelection, or LookupError for the mapping's name.
    """
    get_mapping(mapping)
    chosen = only.as_json() if only else None
    try:
        with transaction.atomic():
            hold_settings()
            in_force.take_up()
            declared = get_mapping(mapping)
            walked = [PhaseName.REFRESH] if refresh_only else phases.phases_of(declared)
            job = Job.objects.create(
                mapping=mapping,
                state=JobState.RUNNING,
                phases=walked,
                phase=walked[0],
                limit=limit,
                only=chosen,
                modified_only=modified_only,
                retries_failed=retries_failed,
                requested_by=by,
            )
            phases.open_phase(job, PhaseName(walked[0]))
    except IntegrityError as error:
        active = Job.objects.filter(mapping=mapping, state__in=ACTIVE_STATES).first()
        if active is None:
            raise
        raise AlreadyActive(active) from error
    job.refresh_from_db()
    return job


def cancel(*, job_id: int) -> bool:
    """Stop at once: no worker of the job passes its next fence. True when it was active."""
    return phases.end(job_id, JobState.CANCELLED)


def drive(*, job_id: int, worker: str, most_breaks: int | None = None) -> Job:
    """Work on a job here and now until it is over, beside whatever workers there are.

    With ``most_breaks`` it is cancelled when Sales breaks off that often in a row.
    """
    while True:
        if most_breaks and Part.objects.filter(job_id=job_id, breaks__gte=most_breaks).exists():
            cancel(job_id=job_id)
        job = Job.objects.get(pk=job_id)
        if job.state not in ACTIVE_STATES:
            return job
        part_ids = job.parts.filter(phase=job.phase).exclude(state=JobState.FINISHED)
        for part_id in part_ids.values_list("pk", flat=True):
            working.run_slice(part_id=part_id, worker=worker)
        phases.advance(job_id=job_id)
        if Job.objects.filter(pk=job_id, phase=job.phase, state=JobState.RUNNING).exists():
            time.sleep(DRIVE_PAUSE_SECONDS)


def read_sales(*, mapping: str, by: str, worker: str = "") -> None:
    """Bring what we know of the mapping's table there up to date, here and now.

    ``worker`` is who does it, where that is another than who asks. A job of the mapping that is
    under way has read Sales itself: then nothing is done here. Raises NotConnected, Disabled,
    ReadingStopped.
    """
    connections.get_connection()
    try:
        job = request(mapping=mapping, by=by, refresh_only=True)
    except AlreadyActive:
        return
    job = drive(job_id=job.pk, worker=worker or by, most_breaks=READING_BREAKS)
    if job.state == JobState.STOPPED:
        raise ReadingStopped(
            job.error_sentence,
            job.error_remedy,
            code=job.error_code,
            service_code=job.error_service_code,
        )
    if job.state != JobState.FINISHED:
        waits = job.parts.order_by("-breaks").values_list("waits_because", "waits_code").first()
        because, code = waits or ("", "")
        raise ReadingStopped(because or _("Reading Sales was cancelled."), code=code)


def sweep() -> None:
    """Wake up whatever was left behind: parts nobody works on, phases nobody opened."""
    in_force.take_up()
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=Now())
    due = Q(not_before__isnull=True) | Q(not_before__lte=Now())
    left = Part.objects.filter(free & due, leases.in_present_phase())
    nudge_parts(list(left.values_list("pk", flat=True)[: settings.CRMSYNC_WORKER_THREADS * 8]))
    for job_id in Job.objects.filter(state=JobState.RUNNING).values_list("pk", flat=True):
        phases.advance(job_id=job_id)
