"""One request in ten goes wrong: the result is the same, and waits are kept."""

import re
from collections.abc import Sequence
from typing import Any

from tests.crash.conftest import Undisturbed
from tests.crash.stacks import Stack, outcomes

RETRY_AFTER = 2
BEGINS = re.compile(r"Request (\S+) begins at ([\d.]+)\.$", re.M)
ASKS = re.compile(r"Sales asks to wait ([\d.]+) s at ([\d.]+)\.$", re.M)

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
    mark = stack.sandbox.mark()
    for seed, act in enumerate(FAULTS):
        match = {"path": "/api/data/", "probability": 0.1 / len(FAULTS), "seed": seed}
        stack.sandbox.fault(match, act)
    # Each kind happens for certain, too: a probability alone might spare one.
    for nth, act in enumerate(FAULTS):
        stack.sandbox.fault({"path": "batch|CreateMultiple", "nth": 3 + 4 * nth}, act, times=1)
    stack.environment["CRMSYNC_LOG_LEVEL"] = "DEBUG"
    stack.start()
    started = stack.manage("fullsync", "start", check=False)

    stack.wait_until_over()

    stack.sandbox.clear_faults()
    assert stack.differences() == []
    assert outcomes(stack.report()) == undisturbed.outcomes
    journal = [entry for entry in stack.sandbox.journal(mark) if "/api/data/" in entry["url"]]
    assert requests_during_a_wait(journal, started.stderr + stack.log("worker")) == []


def requests_during_a_wait(journal: Sequence[dict[str, Any]], log: str) -> list[str]:
    """Requests that began after Sales had asked everybody to wait, with the moments.

    Sales alone cannot tell: what it meets after a refusal may have been on its way. So our log says
    when each request began and when each refusal was heard, and has to name them all.
    """
    began = {found[1]: float(found[2]) for found in BEGINS.finditer(log)}
    waits = [(float(found[2]), float(found[1])) for found in ASKS.finditer(log)]
    refused = [entry for entry in journal if entry["status"] == 429]
    assert len(waits) == len(refused) > 0
    assert {entry["headers"]["x-ms-client-request-id"] for entry in journal} <= set(began)
    return [
        f"{name} began at {moment}, {seconds} s were asked for at {asked}"
        for asked, seconds in waits
        for name, moment in began.items()
        if asked < moment < asked + seconds
    ]
