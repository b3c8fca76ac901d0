"""What ends and what is forgotten when the connection leads elsewhere, or was set up again."""

from collections.abc import Collection

from django.utils.translation import gettext_noop

from crmsync.sync import phases
from crmsync.sync.models import CrmRecord, CrmTable, Job, Obstacle
from crmsync.terms import ACTIVE_STATES, JobState


class ConnectedElsewhere(Exception):
    """Why a job stops that had read another environment than the one that is connected now."""

    code = "connected_elsewhere"
    remedy = gettext_noop("Start the synchronization anew: it works with what is connected now.")

    def __init__(self) -> None:
        super().__init__(gettext_noop("This installation was connected to another environment."))


def leave_sales(*, rows: bool) -> int:
    """Stop every job that is under way, and forget Sales. Returns how many jobs were stopped.

    Only inside the transaction that stores the other connection: then no worker writes what it
    read there after it was forgotten, and none goes on with it here.
    """
    error = ConnectedElsewhere()
    active = Job.objects.filter(state__in=ACTIVE_STATES).values_list("pk", flat=True)
    stopped = sum(
        phases.end(
            job_id,
            JobState.STOPPED,
            error_code=error.code,
            error_sentence=str(error),
            error_remedy=error.remedy,
        )
        for job_id in list(active)
    )
    forget_sales(rows=rows)
    return stopped


def forget_sales(*, rows: bool) -> None:
    """Forget how far Sales was read, because it stands at another address.

    With ``rows`` also what was read there and what stood in the way of records, because it is
    another organization: what one refused the other may take.
    """
    # The count of full reads goes on: a row that was seen in an earlier one, and never since, is
    # told from those of the next by it.
    CrmTable.objects.update(
        is_tracked=None,
        takes_create_multiple=None,
        columns="",
        delta_link="",
        modified_until="",
        refreshed_at=None,
        full_read_because="",
    )
    if rows:
        CrmRecord.objects.all().delete()
        Obstacle.objects.all().delete()


def look_at_tracking_again(*, tables: Collection[str]) -> None:
    """Ask Sales anew whether it tracks the changes of these tables: it was switched on there."""
    CrmTable.objects.filter(logical_name__in=tables).update(is_tracked=None)
