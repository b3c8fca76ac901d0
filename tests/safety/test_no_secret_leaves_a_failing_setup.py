"""At each step and act of the setup everything goes wrong, one fault after the other.

The secrets are heard on the wire: passwords, client secret, signed assertion, authorization code
and verifier, and every token that was issued. The act recovers from each fault in the end.
"""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from crmsync.connections.models import Connection
from setup_wizard.finish.plan import ActName
from tests.safety.canaries import Canaries, listening
from tests.safety.driving import confirm_again, do_until, open_again
from tests.setup_wizard.finishes import (
    FINISH,
    finish,
    imports_go,
    imports_sent,
    one_act,
)
from tests.setup_wizard.guide import Guide

OTHER_SHAPES = ("null", "{}", '{"value": [{}]}')
FAULTS: dict[str, dict[str, Any]] = {
    "refused": {"status": 403, "code": "0x80040220", "message": "missing prvSomething"},
    "down": {"status": 500},
    "sign-in ended": {"status": 401},
    "asked to wait": {"status": 429, "headers": {"Retry-After": "1"}},
    "lost before": {"drop": "before"},
    "lost after": {"drop": "after"},
    "half an answer": {"half_body": True},
    "broken JSON": {"wrong_json": True},
    "sent elsewhere": {"redirect": "https://evil.example/", "status": 307},
    "a page of somebody else": {"body": "<html>Sign in to the guest network</html>"},
    **{f"another shape: {body}": {"body": body} for body in OTHER_SHAPES},
}


@pytest.fixture
def canaries(
    guide: Guide, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Canaries:
    caplog.set_level(logging.DEBUG)
    guide.client.raise_request_exception = False
    return listening(Canaries(guide, caplog), monkeypatch)


# Acts that ask Sales nothing.
OURS = (ActName.COUNTERPART, ActName.ENABLED)
# What is asked with the administrator's token needs no new one.
WITH_OWN_TOKEN = (ActName.VERIFIED, ActName.ADDRESS)
OF_A_TOKEN = ("down", "sign-in ended", "lost after", "broken JSON", "another shape: {}")
# These go wrong at a later request of the act, too.
DEEPER = ("lost after", "half an answer", "another shape: {}", "sent elsewhere")


def troubles(act: ActName) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Each fault by its name, what it matches, and how it goes wrong."""
    for name, fault in FAULTS.items():
        yield name, {"path": "/api/data/"}, fault
        if act in WITH_OWN_TOKEN and name in OF_A_TOKEN:
            yield name, {"path": "/token"}, fault
    for name in DEEPER:
        for nth in (2, 3):
            yield name, {"path": "/api/data/", "nth": nth}, FAULTS[name]


@pytest.mark.parametrize("act", [act for act in ActName if act not in OURS])
def test_whatever_goes_wrong_at_an_act_no_secret_shows_and_it_goes_on(
    canaries: Canaries, act: ActName
) -> None:
    guide, sandbox = canaries.guide, canaries.guide.sandbox
    imports_go(sandbox, seconds=0, hidden=0)
    guide.until("check")
    guide.post("check")
    for name, match, fault in troubles(act):
        do_until(act, guide)
        sandbox.fault(match, fault)
        answer = one_act(guide)
        sandbox.clear_faults()
        canaries.show(answer)
        assert answer.status_code == 200, (name, match)
        canaries.show(guide.client.get(FINISH))
        open_again(act)
        confirm_again(guide)
    assert canaries.leaks() == []
    canaries.look_everywhere()
    finish(guide)
    canaries.look_everywhere()

    assert canaries.leaks() == []
    assert Connection.objects.get().is_enabled
    assert len(imports_sent(sandbox)) == 1


AT_A_STEP = (
    *("down", "sign-in ended", "lost after", "broken JSON", "sent elsewhere"),
    *("another shape: {}", 'another shape: {"value": [{}]}', "another shape: null"),
)


@pytest.mark.parametrize("step", ["environment", "administrator", "integration-user", "checks"])
def test_whatever_goes_wrong_at_a_step_no_secret_shows_and_no_page_breaks(
    canaries: Canaries, step: str
) -> None:
    guide = canaries.guide
    guide.until(step)
    for name in AT_A_STEP:
        for path in ("/api/data/", "openid-configuration", "/token"):
            guide.sandbox.fault({"path": path}, FAULTS[name])
            answer = guide.post(step)
            guide.sandbox.clear_faults()
            canaries.show(answer)
            assert answer.status_code in (200, 302), (name, path)
            # Back to the step, whatever the fault made of those before it.
            guide.until(step)

    canaries.look_everywhere()
    assert canaries.leaks() == []
    assert not Connection.objects.exists()
