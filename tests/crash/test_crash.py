"""Whatever dies, the run ends by itself, soon, with the same result: nothing lost or doubled."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.crash.conftest import Undisturbed
from tests.crash.stacks import Stack, outcomes

MOST_SECONDS_LATER = 45.0


def kill_the_worker_twice(stack: Stack) -> None:
    for records in (500, 3000):
        _wait_for_progress(stack, "to_crm", records)
        stack.kill("worker")


def kill_the_worker_while_it_reads(stack: Stack) -> None:
    stack.wait_for(lambda: bool(_reads_of_accounts(stack)), "the first page of accounts")
    stack.kill("worker")


def kill_worker_and_broker_and_wipe_the_queues(stack: Stack) -> None:
    _wait_for_progress(stack, "to_crm", 1000)
    stack.kill("worker")
    stack.kill("broker")
    stack.wipe_broker()


def kill_everything_and_start_again(stack: Stack) -> None:
    _wait_for_progress(stack, "from_crm", 1000)
    stack.kill_everything()
    stack.wipe_broker()
    stack.start()


@pytest.mark.parametrize(
    "disturb",
    [
        kill_the_worker_twice,
        kill_the_worker_while_it_reads,
        kill_worker_and_broker_and_wipe_the_queues,
        kill_everything_and_start_again,
    ],
)
def test_a_run_survives(
    disturb: Callable[[Stack], None], stack: Stack, undisturbed: Undisturbed
) -> None:
    stack.start()
    stack.manage("fullsync", "start")

    seconds = stack.timed(lambda: disturb(stack)) + stack.wait_until_over()

    assert stack.differences() == []
    assert doubled_creates(stack) == {}
    assert outcomes(stack.report()) == undisturbed.outcomes
    assert seconds < undisturbed.seconds + MOST_SECONDS_LATER


def doubled_creates(stack: Stack) -> dict[str, int]:
    """Names under which more rows stand than were planted; planted ones share a name by twos."""
    names = Counter(row["accountnumber"] for row in stack.sandbox.dump("accounts"))
    return {number: n for number, n in names.items() if n > 1 and number}


def _wait_for_progress(stack: Stack, phase: str, records: int) -> None:
    stack.wait_for(lambda: stack.seen(phase) >= records, f"{records} records {phase}")


def _reads_of_accounts(stack: Stack) -> list[str]:
    return [
        entry["url"]
        for entry in stack.sandbox.journal()
        if entry["method"] == "GET" and "/accounts?" in entry["url"]
    ]
