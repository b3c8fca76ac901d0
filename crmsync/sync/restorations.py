"""What a one-way field overwrote is never gone without a trace."""

from collections.abc import Sequence

from crmsync.sync.models import Job, Restoration
from crmsync.sync.steps import Step
from crmsync.terms import Side


def keep(job: Job, side: Side, steps: Sequence[Step]) -> None:
    """Record the values that stood on this side. Only in the transaction of the results."""
    Restoration.objects.bulk_create(
        Restoration(
            mapping=job.mapping,
            side=side,
            record_id=step.record_id,
            field=restored.field,
            stood=restored.stood,
            becomes=restored.becomes,
            job_id=job.pk,
        )
        for step in steps
        if step.problem is None
        for restored in step.restored
    )
