"""Find the one record that does the harm: it kills the worker, or Sales always fails on it.

After two deaths, or five breaks, on one page its records are taken one at a time. A record that
stands alone when the third death comes is set aside; so is one on which Sales fails five times
while it answers otherwise.
"""

from collections.abc import Sequence
from uuid import UUID

from crmsync.dataverse.errors import DataverseError, ServiceUnavailable
from crmsync.sync.models import Part
from crmsync.sync.slices import Slice
from crmsync.sync.steps import Problem
from crmsync.terms import Outcome

DEATHS_BEFORE_CAUTION = 2
DEATHS_BEFORE_QUARANTINE = 3
BREAKS_BEFORE_CAUTION = 5

KILLS_WORKER = Problem(
    Outcome.FAILED, "kills_worker", "The worker died three times while it held this record."
)
ALWAYS_BREAKS = Problem(
    Outcome.FAILED, "always_breaks", "Sales fails on this record, although it answers otherwise."
)


def begin_or_end(work: Slice, ids: Sequence[UUID]) -> None:
    """Turn caution on for the page that was begun too often, and off behind it."""
    part = work.part
    until = part.cautious_until
    if until is not None and ids[0] > until:
        until = None
    elif until is None and (
        part.deaths >= DEATHS_BEFORE_CAUTION or part.breaks >= BREAKS_BEFORE_CAUTION
    ):
        until = ids[-1]
    if until != part.cautious_until:
        part.cautious_until = until
        part.breaks = 0
        Part.objects.filter(pk=part.pk, epoch=work.lease.epoch).update(
            cautious_until=until, breaks=0
        )


def is_suspect(work: Slice) -> bool:
    return work.is_cautious and work.part.deaths >= DEATHS_BEFORE_QUARANTINE


def gives_up(work: Slice, broken: DataverseError) -> bool:
    """Whether Sales failed on this single record often enough while it is well otherwise.

    Raises what asking it raises when it is not well.
    """
    if not work.is_cautious or not isinstance(broken, ServiceUnavailable):
        return False
    if work.part.breaks + 1 < BREAKS_BEFORE_CAUTION:
        return False
    work.ask(lambda: work.client.channel.send("GET", "WhoAmI"))
    return True
