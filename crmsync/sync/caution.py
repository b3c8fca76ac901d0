"""Find the one record that does the harm: it kills the worker, or Sales always fails on it.

After two deaths on one page each record is noted before it is taken in hand; the one that was
noted when the third death came is set aside. Messages get smaller with each break; a record that
breaks a message of its own for the fifth time, while Sales answers otherwise, is set aside, too.
"""

from uuid import UUID

from crmsync.dataverse.errors import DataverseError, Throttled, TransientError
from crmsync.sync import leases, obstacles
from crmsync.sync.models import Part
from crmsync.sync.slices import Slice
from crmsync.sync.steps import Problem, Step
from crmsync.terms import Outcome, Side

DEATHS_BEFORE_CAUTION = 2
DEATHS_BEFORE_QUARANTINE = 3
BREAKS_BEFORE_GIVING_UP = 5

KILLS_WORKER = Problem(
    Outcome.FAILED, "kills_worker", "The worker died three times while it held this record."
)
ALWAYS_BREAKS = Problem(
    Outcome.FAILED, "always_breaks", "Sales fails on this record, although it answers otherwise."
)


def sets_aside(work: Slice, side: Side, step: Step) -> bool:
    """Note the record before it is decided on; True when it killed three workers.

    Then its step is refused, and that is stored at once: another death may follow. Does nothing
    unless workers died on this page.
    """
    part = work.part
    if part.deaths < DEATHS_BEFORE_CAUTION:
        return False
    if part.suspect != step.record_id or part.deaths < DEATHS_BEFORE_QUARANTINE:
        with leases.fenced(work.lease):
            _note(work, step.record_id)
        return False
    step.refuse(KILLS_WORKER)
    with leases.fenced(work.lease):
        obstacles.keep(work.job, side, [step])
        _note(work, None, deaths=0)
    return True


def let_go(work: Slice) -> None:
    """All records of the page were decided on: none of them is suspect any more."""
    if work.part.suspect is not None:
        with leases.fenced(work.lease):
            _note(work, None)


def _note(work: Slice, record_id: UUID | None, **others: int) -> None:
    Part.objects.filter(pk=work.part.pk).update(suspect=record_id, **others)
    work.part.suspect = record_id
    for name, value in others.items():
        setattr(work.part, name, value)


def gives_up(work: Slice, broken: DataverseError | None) -> bool:
    """Whether Sales failed often enough while it is well otherwise.

    Raises what asking it raises when it is not well.
    """
    if not isinstance(broken, TransientError) or isinstance(broken, Throttled):
        return False
    if work.part.breaks + 1 < BREAKS_BEFORE_GIVING_UP:
        return False
    work.ask(lambda: work.client.channel.send("GET", "WhoAmI"))
    return True
