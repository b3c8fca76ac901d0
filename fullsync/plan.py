"""Which lines of a full synchronization may begin: values in, verdict out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crmsync.terms import JobState


@dataclass(frozen=True, slots=True)
class PlannedLine:
    mapping: str
    needs: tuple[str, ...]
    state: JobState


def startable(lines: Sequence[PlannedLine]) -> tuple[str, ...]:
    """Waiting lines whose needed lines are all finished; a need that is not on the run is met."""
    states: Mapping[str, JobState] = {line.mapping: line.state for line in lines}
    return tuple(
        line.mapping
        for line in lines
        if line.state is JobState.WAITING
        and all(states.get(need, JobState.FINISHED) is JobState.FINISHED for need in line.needs)
    )


def verdict(lines: Sequence[PlannedLine]) -> JobState:
    """What the run is, given its lines: it ends when nothing runs and nothing can begin."""
    if any(line.state in (JobState.RUNNING, JobState.QUEUED) for line in lines):
        return JobState.RUNNING
    if startable(lines):
        return JobState.RUNNING
    if all(line.state is JobState.FINISHED for line in lines):
        return JobState.FINISHED
    if any(line.state is JobState.CANCELLED for line in lines):
        return JobState.CANCELLED
    return JobState.STOPPED
