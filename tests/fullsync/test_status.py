"""What is said of work is true: never In Process without a worker, nor Finished with a doubt."""

from datetime import UTC, datetime

from crmsync.terms import JobState, PhaseName
from fullsync import pace, status
from fullsync.status import Hands, LineFacts

NOON = datetime(2026, 1, 5, 12, 3, tzinfo=UTC)
PHASES = [PhaseName.REFRESH, PhaseName.FROM_CRM, PhaseName.TO_CRM]


def test_work_is_in_process_only_while_a_worker_holds_a_part() -> None:
    assert status.of_work(Hands(working=2, alive=1)).word == "In Process"
    assert status.of_work(Hands(alive=1)).word == "Ready"


def test_work_without_a_living_worker_waits_for_one_since_when() -> None:
    said = status.of_work(Hands(idle_since=NOON))

    assert said.whole == "On Hold: Waits for a worker since 12:03:00"


def test_a_part_that_a_dead_worker_still_holds_is_not_in_process() -> None:
    assert status.of_work(Hands(working=1, idle_since=NOON)).word == "On Hold"


def test_work_that_sales_holds_back_says_until_when_and_why() -> None:
    said = status.of_work(Hands(alive=1, waits_until=NOON, waits_because="Sales asked us to wait."))

    assert said.sentence == "Waits until 12:03:00: Sales asked us to wait."


def test_a_waiting_line_names_the_tables_it_waits_for() -> None:
    line = LineFacts(JobState.WAITING, run_is_active=True, unmet=("Currencies", "Salespeople"))

    assert status.of_line(line).sentence == "Waits for Currencies, Salespeople"


def test_a_line_whose_needs_failed_is_not_begun_when_the_run_is_over() -> None:
    line = LineFacts(JobState.WAITING, run_is_active=False, unmet=("Currencies",))

    said = status.of_line(line)

    assert (said.word, said.sentence) == ("Not begun", "Needs Currencies, which is not finished")


def test_a_line_that_waits_for_another_job_of_its_table_names_it() -> None:
    line = LineFacts(JobState.WAITING, run_is_active=True, waits_for_job=7)

    assert status.of_line(line).sentence == "Waits for job 7 of this table"


def test_a_finished_line_says_how_many_need_attention() -> None:
    line = LineFacts(JobState.FINISHED, run_is_active=False, attention=12)

    said = status.of_line(line)

    assert (said.tone, said.whole) == ("warn", "Finished, 12 need attention")


def test_a_phase_is_an_error_when_every_record_was_refused() -> None:
    some = status.of_phase(JobState.FINISHED, seen=5, failed=2, hands=Hands())
    every = status.of_phase(JobState.FINISHED, seen=5, failed=5, hands=Hands())

    assert (some.word, every.word) == ("Success", "Error")


def test_a_phase_before_the_present_one_is_finished_and_a_later_one_waits() -> None:
    states = [
        status.phase_state(PHASES, PhaseName.FROM_CRM, name, JobState.STOPPED) for name in PHASES
    ]

    assert states == [JobState.FINISHED, JobState.STOPPED, JobState.WAITING]


def test_time_left_is_unknown_until_something_was_seen_or_when_nobody_knows_how_many() -> None:
    assert pace.pace(seen=0, seconds=9.0, rows=100) == pace.Pace()
    assert pace.pace(seen=50, seconds=5.0, rows=None) == pace.Pace(10.0)
    assert pace.pace(seen=50, seconds=5.0, rows=100) == pace.Pace(10.0, 5.0)


def test_a_job_is_never_more_than_done() -> None:
    assert pace.done(finished=1, phases=3, seen=50, rows=100) == 0.5
    assert pace.done(finished=3, phases=3, seen=150, rows=100) == 1.0
