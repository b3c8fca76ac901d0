"""Who owns a part: claimed by one guarded UPDATE, held by a lease, fenced by an epoch.

Messages are only nudges. Two workers may hear the same one, or none may: the row decides.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, When
from django.db.models.functions import Now

from crmsync.dbclock import db_in
from crmsync.sync.models import Job, Part
from crmsync.terms import JobState, Outcome


class LeaseLost(Exception):
    """Another worker owns the part now, or its job ended: this one must not write any more."""


@dataclass(frozen=True, slots=True)
class Lease:
    part_id: int
    epoch: int


@dataclass(slots=True)
class Tally:
    """How many records had which outcome since the last checkpoint."""

    counts: dict[Outcome, int] = field(default_factory=dict)

    def add(self, outcome: Outcome, times: int = 1) -> None:
        self.counts[outcome] = self.counts.get(outcome, 0) + times

    @property
    def seen(self) -> int:
        return sum(self.counts.values())

    @property
    def touched(self) -> int:
        """All but the unchanged ones."""
        return self.seen - self.counts.get(Outcome.UNCHANGED, 0)


def in_present_phase() -> Exists:
    """The part belongs to the phase that its running job is in.

    A subquery, not a join: Django turns an UPDATE over a join into ``id IN (SELECT ...)``, and
    PostgreSQL does not evaluate that again after waiting for a row's lock, so two would claim.
    """
    job = Job.objects.filter(pk=OuterRef("job_id"), state=JobState.RUNNING, phase=OuterRef("phase"))
    return Exists(job)


def claim(part_id: int, *, worker: str) -> Lease | None:
    """Own the part, or None when somebody else does or its time has not come.

    A lease that ran out means that its worker died or hung: that is counted.
    """
    free = Q(state=JobState.QUEUED) | Q(state=JobState.RUNNING, lease_until__lt=Now())
    due = Q(not_before__isnull=True) | Q(not_before__lte=Now())
    claimed = Part.objects.filter(free & due, in_present_phase(), pk=part_id).update(
        state=JobState.RUNNING,
        epoch=F("epoch") + 1,
        lease_until=db_in(settings.CRMSYNC_LEASE_SECONDS),
        worker=worker,
        waits_code="",
        waits_because="",
        deaths=Case(
            When(state=JobState.RUNNING, then=F("deaths") + 1),
            default=F("deaths"),
            output_field=IntegerField(),
        ),
    )
    if not claimed:
        return None
    # Read after the claim: whoever claims later raises the epoch, and then our writes fail.
    return Lease(part_id, Part.objects.values_list("epoch", flat=True).get(pk=part_id))


def renew(lease: Lease) -> None:
    """Hold on for another lease; to be called before each request. Raises LeaseLost."""
    held = _held(lease).filter(in_present_phase())
    if not held.update(lease_until=db_in(settings.CRMSYNC_LEASE_SECONDS)):
        raise LeaseLost


@contextmanager
def fenced(lease: Lease) -> Iterator[None]:
    """A short transaction that is rolled back unless the lease still holds. Raises LeaseLost."""
    with transaction.atomic():
        renew(lease)
        yield


def checkpoint(lease: Lease, position: dict[str, object], tally: Tally) -> None:
    """Move on, with the outcomes of what lies behind. Only inside ``fenced``."""
    counters = {outcome.value: F(outcome.value) + n for outcome, n in tally.counts.items()}
    _held(lease).update(
        checkpoint=position,
        seen=F("seen") + tally.seen,
        deaths=0,
        breaks=0,
        broken_off={},
        **counters,
    )


def get_on(lease: Lease) -> None:
    """Something was kept, though the page is not done: patience begins anew. Inside ``fenced``."""
    _held(lease).update(breaks=0)


def finish(lease: Lease) -> None:
    """The range was walked to its end. Only inside ``fenced``."""
    _held(lease).update(state=JobState.FINISHED, lease_until=None, worker="")


def release(lease: Lease) -> None:
    """Hand the part back: the slice is over, the range is not."""
    _held(lease).update(state=JobState.QUEUED, lease_until=None, worker="")


def wait(lease: Lease, *, seconds: float, code: str, because: str, is_break: bool) -> None:
    """Hand the part back, not to be claimed before so many seconds.

    ``because`` is for the log and the terminal; ``code`` tells pages what to say.
    """
    _held(lease).update(
        state=JobState.QUEUED,
        lease_until=None,
        worker="",
        not_before=db_in(seconds),
        waits_code=code,
        waits_because=because[:200],
        breaks=F("breaks") + int(is_break),
    )


def expire(*, worker: str) -> int:
    """End the leases of a worker that is known to be dead, so that nobody waits for them.

    Only who has seen the process end may say so.
    """
    return Part.objects.filter(worker=worker, state=JobState.RUNNING).update(lease_until=db_in(-1))


def stumble(lease: Lease) -> None:
    """Let go after an error nobody foresaw; it counts like a death of the worker."""
    _held(lease).update(lease_until=db_in(-1))


def _held(lease: Lease) -> QuerySet[Part]:
    return Part.objects.filter(pk=lease.part_id, epoch=lease.epoch, state=JobState.RUNNING)
