"""What is said of work, in words: values in, sentence out. True also when nobody works."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.terms import ACTIVE_STATES, JobState, PhaseName


@dataclass(frozen=True, slots=True)
class Said:
    """A status: its tone (good, warn, bad, info, wait or none), its word, and the rest of it."""

    tone: str
    word: str
    sentence: str = ""

    @property
    def whole(self) -> str:
        """Both in one line; what went well is only added to, what waits or failed is explained."""
        joint = ", " if self.tone in ("good", "warn") else ": "
        return f"{self.word}{joint}{self.sentence}" if self.sentence else self.word


@dataclass(frozen=True, slots=True)
class Hands:
    """Who works on the present phase of a job, or why nobody does.

    ``idle_since``: since when nobody could have worked, as no worker was alive.
    """

    working: int = 0
    alive: int = 0
    waits_until: datetime | None = None
    waits_because: str = ""
    idle_since: datetime | None = None


def clock(moment: datetime) -> str:
    """The time of day where the books are kept."""
    return f"{timezone.localtime(moment):%H:%M:%S}"


def of_work(hands: Hands) -> Said:
    """An active job: In Process only while a living worker holds a part of it."""
    # A part stays with a worker that died until its lease ends: the sign of life counts first.
    if not hands.alive:
        return Said("wait", _("On Hold"), _waits_for_worker(hands.idle_since))
    if hands.working:
        sentence = ngettext("%(n)d worker on it", "%(n)d workers on it", hands.working)
        return Said("info", _("In Process"), sentence % {"n": hands.working})
    if hands.waits_until:
        named = {"time": clock(hands.waits_until), "because": hands.waits_because}
        return Said("wait", _("On Hold"), _("Waits until %(time)s: %(because)s") % named)
    return Said("wait", _("Ready"))


def _waits_for_worker(since: datetime | None) -> str:
    if since is None:
        return _("Waits for a worker")
    return _("Waits for a worker since %(time)s") % {"time": clock(since)}


def of_job(state: JobState, hands: Hands, *, because: str = "", attention: int = 0) -> Said:
    """A job as such; ``because`` is why it stopped, ``attention`` what it left to somebody."""
    if state in ACTIVE_STATES:
        return of_work(hands)
    if state is JobState.FINISHED:
        return _finished(attention)
    if state is JobState.CANCELLED:
        return Said("none", _("Cancelled"))
    return Said("bad", _("Error"), because)


def _finished(attention: int) -> Said:
    if not attention:
        return Said("good", _("Finished"))
    sentence = ngettext("%(n)d needs attention", "%(n)d need attention", attention)
    return Said("warn", _("Finished"), sentence % {"n": attention})


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What is known of a line: its own state, its run, its job, and who needs attention.

    ``unmet``: captions of tables that must be finished first. ``waits_for_job``: another job of
    the same table that is under way.
    """

    state: JobState
    run_is_active: bool
    hands: Hands = Hands()
    unmet: tuple[str, ...] = ()
    waits_for_job: int | None = None
    because: str = ""
    attention: int = 0
    full_read_because: str = ""


def of_line(line: LineFacts) -> Said:
    """Job Queue Entry Status: never In Process when nobody works, nor Finished when it is not."""
    if line.state is JobState.WAITING:
        return _of_waiting_line(line)
    if line.state is JobState.FINISHED:
        return _of_finished_line(line)
    return of_job(line.state, line.hands, because=line.because)


def _of_waiting_line(line: LineFacts) -> Said:
    names = {"tables": ", ".join(line.unmet)}
    if not line.run_is_active:
        sentence = _("Needs %(tables)s, which is not finished") % names if line.unmet else ""
        return Said("none", _("Not begun"), sentence)
    if line.unmet:
        return Said("wait", _("Waiting"), _("Waits for %(tables)s") % names)
    if line.waits_for_job:
        named = {"number": line.waits_for_job}
        return Said("wait", _("On Hold"), _("Waits for job %(number)d of this table") % named)
    if not line.hands.alive:
        return Said("wait", _("On Hold"), _waits_for_worker(line.hands.idle_since))
    return Said("wait", _("Ready"))


def _of_finished_line(line: LineFacts) -> Said:
    said = _finished(line.attention)
    if not line.full_read_because:
        return said
    read = _("read in full because %(because)s") % {"because": line.full_read_because}
    return replace(said, sentence="; ".join(filter(None, (said.sentence, read))))


def phase_state(
    phases: Sequence[PhaseName], present: PhaseName, phase: PhaseName, job_state: JobState
) -> JobState:
    """What a phase is, given where its job stands."""
    place, here = phases.index(phase), phases.index(present)
    if job_state is JobState.FINISHED or place < here:
        return JobState.FINISHED
    return job_state if place == here else JobState.WAITING


def of_phase(state: JobState | None, *, seen: int, failed: int, hands: Hands) -> Said:
    """To or From Int. Table Job Status; None: the table is not exchanged that way."""
    if state is None:
        return Said("none", _("Not exchanged"))
    if state is JobState.WAITING:
        return Said("none", _("Not begun"))
    if state in ACTIVE_STATES:
        return Said(of_work(hands).tone, of_work(hands).word)
    if state is JobState.CANCELLED:
        return Said("none", _("Cancelled"))
    if state is JobState.STOPPED or (failed and failed == seen):
        return Said("bad", _("Error"))
    if failed:
        sentence = ngettext("%(n)d record failed", "%(n)d records failed", failed)
        return Said("warn", _("Success"), sentence % {"n": failed})
    return Said("good", _("Success"))


def not_needed() -> Said:
    """A phase that a finished job passed over, as there was nothing to do in it."""
    return Said("none", _("Not needed"))


def of_part(state: JobState, job_state: JobState, hands: Hands) -> Said:
    """A range of a phase; one that is over says so whatever became of its job."""
    if state is JobState.FINISHED:
        return Said("good", _("Finished"))
    return of_job(state if state not in ACTIVE_STATES else job_state, hands)


def of_run(state: JobState, attention: int, *, works: bool) -> Said:
    """A whole run; ``works``: a worker holds some part of it right now."""
    if state in ACTIVE_STATES:
        return Said("info", _("In Process")) if works else Said("wait", _("On Hold"))
    if state is JobState.FINISHED:
        return _finished(attention)
    if state is JobState.CANCELLED:
        return Said("none", _("Cancelled"))
    return Said("bad", _("Stopped"))
