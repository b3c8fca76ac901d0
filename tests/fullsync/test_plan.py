from hypothesis import given
from hypothesis import strategies as st

from crmsync.terms import JobState
from fullsync.plan import PlannedLine, startable, verdict

NAMES = ("A", "B", "C", "D")
STATES = (
    JobState.WAITING,
    JobState.RUNNING,
    JobState.FINISHED,
    JobState.STOPPED,
    JobState.CANCELLED,
)


@st.composite
def runs(draw: st.DrawFn) -> list[PlannedLine]:
    """Lines that need earlier ones only, as a dependency order gives."""
    lines = []
    for position, name in enumerate(NAMES):
        needs = draw(st.sets(st.sampled_from(NAMES[:position]))) if position else set()
        lines.append(PlannedLine(name, tuple(sorted(needs)), draw(st.sampled_from(STATES))))
    return lines


@given(runs())
def test_a_line_begins_only_when_all_it_needs_is_finished(lines: list[PlannedLine]) -> None:
    states = {line.mapping: line.state for line in lines}
    for line in lines:
        ready = all(states[need] is JobState.FINISHED for need in line.needs)
        begins = line.state is JobState.WAITING and ready
        assert (line.mapping in startable(lines)) == begins


@given(runs())
def test_a_run_is_finished_only_when_every_line_is(lines: list[PlannedLine]) -> None:
    all_finished = all(line.state is JobState.FINISHED for line in lines)
    assert (verdict(lines) is JobState.FINISHED) == all_finished


@given(runs())
def test_a_run_goes_on_exactly_while_something_runs_or_can_begin(lines: list[PlannedLine]) -> None:
    goes_on = any(line.state is JobState.RUNNING for line in lines) or bool(startable(lines))
    assert (verdict(lines) is JobState.RUNNING) == goes_on


def test_a_need_that_is_not_part_of_the_run_is_met() -> None:
    assert startable([PlannedLine("A", ("ELSEWHERE",), JobState.WAITING)]) == ("A",)
