"""Find the one record that does the harm: it kills the worker, or Sales always fails on it.

After two deaths on one page each record is noted before it is taken in hand; the one that was
noted when the third death came is set aside. What was in a message that Sales broke off, while it
answers otherwise, is sent in a smaller one the next time; the fifth time alone, and a record that
breaks this one, too, is set aside.
"""

from collections.abc import Sequence
from itertools import chain
from uuid import UUID

from crmsync.dataverse.errors import DataverseError, Throttled, TransientError
from crmsync.sync import leases, obstacles
from crmsync.sync.models import Part
from crmsync.sync.sending import TRIES, Answered, is_break
from crmsync.sync.slices import Slice
from crmsync.sync.steps import Problem, Step
from crmsync.terms import Outcome, Side

DEATHS_BEFORE_CAUTION = 2
DEATHS_BEFORE_QUARANTINE = 3

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


def blame(work: Slice, answers: Sequence[Answered], broken: DataverseError | None) -> None:
    """Count the records whose messages Sales broke off; refuse the one alone at its fifth.

    Nobody is to blame where Sales is not well: raises what asking it raises then. A wait that it
    asked for, and a refusal, concern the table or the connection.
    """
    if not isinstance(broken, TransientError) or isinstance(broken, Throttled):
        return
    if all(is_break(error) for _, error in chain(*answers)):
        work.ask(lambda: work.client.channel.send("GET", "WhoAmI"))
    times = work.part.broken_off
    for answered in answers:
        lost = [step for step, error in answered if is_break(error)]
        for step in lost:
            key = str(step.record_id)
            times[key] = times.get(key, 0) + 1
            if len(lost) == 1 and times[key] >= TRIES:
                step.refuse(ALWAYS_BREAKS)
    with leases.fenced(work.lease):
        Part.objects.filter(pk=work.part.pk).update(broken_off=times)
