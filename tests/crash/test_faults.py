"""One request in ten goes wrong: the result is the same, and waits are kept."""

from typing import Any

from tests.crash.conftest import Undisturbed
from tests.crash.stacks import Stack, outcomes

RETRY_AFTER = 2
# A request that was on its way when the refusal arrived is no offence.
ON_ITS_WAY_SECONDS = 0.05

FAULTS: list[dict[str, Any]] = [
    {"drop": "after"},
    {"drop": "before"},
    {"status": 429, "code": "0x80072322", "headers": {"Retry-After": str(RETRY_AFTER)}},
    {"status": 503},
    {"half_body": True},
]


def test_lost_answers_resets_waits_and_failures_change_nothing(
    stack: Stack, undisturbed: Undisturbed
) -> None:
    for seed, act in enumerate(FAULTS):
        match = {"path": "/api/data/", "probability": 0.1 / len(FAULTS), "seed": seed}
        stack.sandbox.fault(match, act)
    # Each kind happens for certain, too: a probability alone might spare one.
    for nth, act in enumerate(FAULTS):
        stack.sandbox.fault({"path": "batch|CreateMultiple", "nth": 3 + 4 * nth}, act, times=1)
    stack.start()
    stack.manage("fullsync", "start", check=False)

    stack.wait_until_over()

    stack.sandbox.clear_faults()
    assert stack.differences() == []
    assert outcomes(stack.report()) == undisturbed.outcomes
    assert requests_before_their_time(stack.sandbox.journal()) == []


def requests_before_their_time(journal: list[dict[str, Any]]) -> list[tuple[float, str]]:
    """Requests that arrived while Sales had asked everybody to wait, with the seconds too early."""
    asked = sorted(
        (entry for entry in journal if "/api/data/" in entry["url"]),
        key=lambda entry: float(entry["time"]),
    )
    refusals = [entry for entry in asked if entry["status"] == 429]
    assert refusals
    return [
        (refusal["ended"] + RETRY_AFTER - entry["time"], entry["url"])
        for refusal in refusals
        for entry in asked
        if refusal["ended"] + ON_ITS_WAY_SECONDS < entry["time"] < refusal["ended"] + RETRY_AFTER
    ]
