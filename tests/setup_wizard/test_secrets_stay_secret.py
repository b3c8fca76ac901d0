"""No secret of the setup shows anywhere: not stored in clear, not logged, not echoed.

Every step succeeds and fails in the ways it can, with everything logged; then the database, the
logs, the answers and the cookies are searched for each secret, also in the disguises that
sessions, forms and addresses put on.
"""

import base64
import logging
from typing import Any
from urllib.parse import quote_plus

import pytest

from crmsync.connections.models import Connection
from setup_wizard.guide import progress
from setup_wizard.guide.steps import SecretName
from setup_wizard.models import SetupProgress
from setup_wizard.views import browser_key
from tests.safety import search
from tests.setup_wizard.finishes import imports_go, one_act, press_continue
from tests.setup_wizard.guide import STEPS, Guide

WRONG = 'canary 9f3c&"ø+/='
DOWN: dict[str, Any] = {"status": 503}
FAILURES: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
    ("environment", {"url": "https://evil.example"}, None),
    ("environment", {}, {"path": "/api/data/"}),
    ("administrator", {"password": WRONG}, None),
    ("administrator", {}, {"path": "/token"}),
    ("administrator", {}, {"path": "WhoAmI"}),
    ("administrator", {}, {"path": "organizations"}),
    ("integration-user", {"application_secret": WRONG}, None),
    ("integration-user", {}, {"path": "/token"}),
    ("integration-user", {}, {"path": "systemusers"}),
    ("integration-user", {"kind": "password", "username": "nobody", "password": WRONG}, None),
    ("tables", {"scopes": ["nonsense"]}, None),
    ("check", {"revision": 0}, None),
]
# Where Sales fails during the finish, and how.
FINISH_FAILURES = [
    ("solutions", 401),
    ("ImportSolutionAsync", 403),
    ("importjobs", 503),
    ("systemusers", 401),
    ("roles", 403),
    ("organizations", 503),
    ("/token", 401),
    ("RetrieveUserPrivileges", 403),
    ("csy_connections", 503),
]


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize(("step", "changes", "fault"), FAILURES)
def test_a_step_that_fails_shows_no_secret(
    guide: Guide,
    logs: pytest.LogCaptureFixture,
    step: str,
    changes: dict[str, Any],
    fault: dict[str, Any] | None,
) -> None:
    answers = [_post(guide, earlier) for earlier in STEPS[: STEPS.index(step)]]
    if fault:
        guide.sandbox.fault(fault, DOWN)
    answers.append(_post(guide, step, changes))
    answers.extend(_look_everywhere(guide))

    assert Connection.objects.count() == 0
    assert _found(_secrets(guide), logs.text, answers) == []


@pytest.mark.parametrize(("path", "status"), FINISH_FAILURES)
def test_a_finish_that_fails_shows_no_secret(
    guide: Guide, logs: pytest.LogCaptureFixture, path: str, status: int
) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    guide.until("check")
    known = _secrets(guide)
    _post(guide, "check")
    guide.sandbox.fault({"path": path}, {"status": status})

    answers = [_shown(one_act(guide)) for _ in range(12)]
    answers.extend(_look_everywhere(guide))

    assert not Connection.objects.filter(is_enabled=True).exists()
    assert _found(known, logs.text, answers) == []


def test_a_setup_that_ends_well_shows_no_secret(
    guide: Guide, logs: pytest.LogCaptureFixture
) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    answers, known = [], set()
    for step in STEPS:
        answers.append(_post(guide, step))
        answers.extend(_look_everywhere(guide))
        known |= _secrets(guide)
        assert _found(known, logs.text, answers) == [], step
    for _ in range(12):
        answers.append(_shown(one_act(guide)))
        assert _found(known, logs.text, answers[-1:]) == []
    answers.extend(_look_everywhere(guide))

    assert _found(known, logs.text, answers) == []
    assert Connection.objects.count() == 1
    assert len(known) == 5
    assert "urllib3" in logs.text
    assert not SetupProgress.objects.exists()


def test_a_cancelled_setup_leaves_nothing_sealed(
    guide: Guide, logs: pytest.LogCaptureFixture
) -> None:
    guide.until("check")
    known = _secrets(guide)

    answers = [_shown(guide.client.post("/setup/cancel/")), *_look_everywhere(guide)]

    assert _found(known, logs.text, answers) == []
    assert not SetupProgress.objects.exists()


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("step", ["administrator", "integration-user", "finish"])
def test_an_error_page_shows_no_secret(
    guide: Guide,
    logs: pytest.LogCaptureFixture,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    step: str,
    debug: bool,
) -> None:
    guide.until("check" if step == "finish" else step)
    known = _secrets(guide)
    if step == "finish":
        _post(guide, "check")
        one_act(guide)
    settings.DEBUG = debug
    guide.client.raise_request_exception = False

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of the program")

    monkeypatch.setattr("crmsync.dataverse.administration.who_am_i", broken)
    monkeypatch.setattr("crmsync.dataverse.solutions.installed", broken)
    answer = _shown(press_continue(guide)) if step == "finish" else _post(guide, step)

    assert "500" in answer or "went wrong" in answer
    assert "a fault of the program" in logs.text
    assert _found(known, logs.text, [answer]) == []


def test_the_sealed_key_is_the_browsers_alone(guide: Guide) -> None:
    guide.until("integration-user")

    morsel = guide.client.cookies[browser_key.COOKIE]

    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Strict", "/setup/")
    assert 0 < int(morsel["max-age"]) <= 3600
    assert not morsel["secure"]
    assert _found({morsel.value}, "", []) == []


def test_over_https_the_key_is_a_secure_cookie(guide: Guide) -> None:
    guide.until("administrator")

    form = {"setup-current_step": "administrator", **guide.right("administrator")}
    guide.client.post("/setup/administrator/", form, secure=True)

    assert guide.client.cookies[browser_key.COOKIE]["secure"]


def test_the_token_rests_for_an_hour_at_most(guide: Guide) -> None:
    guide.until("integration-user")

    row = SetupProgress.objects.get()

    assert row.expires_at is not None
    assert 0 < (row.expires_at - row.changed_at).total_seconds() <= progress.MOST_SECONDS


def test_the_search_finds_a_secret_in_a_session(guide: Guide) -> None:
    """The searching itself: it would see what formtools does by itself."""
    session = guide.client.session
    session["wizard"] = {"step_data": {"administrator": {"password": [WRONG] * 50}}}
    session.save()

    assert _found({WRONG}, "", []) != []
    assert _found({WRONG}, "", [f"href=/?p={quote_plus(WRONG)}"]) != []
    assert _found({WRONG}, base64.b64encode(f"x{WRONG}y".encode()).decode(), []) != []


def _post(guide: Guide, step: str, changes: dict[str, Any] | None = None) -> str:
    return _shown(guide.post(step, changes))


def _look_everywhere(guide: Guide) -> list[str]:
    pages = [
        "/",
        "/setup/",
        "/setup/finish/",
        "/setup/done/",
        *(f"/setup/{step}/" for step in STEPS),
    ]
    return [_shown(guide.client.get(page)) for page in pages]


def _shown(answer: Any) -> str:
    """All of an answer but the one cookie that belongs to the browser."""
    cookies = [
        morsel.OutputString()
        for name, morsel in answer.cookies.items()
        if name != browser_key.COOKIE
    ]
    return f"{answer.status_code} {dict(answer.headers)} {cookies} {answer.content.decode()}"


def _secrets(guide: Guide) -> set[str]:
    """The secrets of this setup, the administrator's token and the browser's key among them."""
    known = {
        WRONG,
        guide.sandbox.ready["administrator"]["password"],
        guide.sandbox.ready["application"]["client_secret"],
    }
    row = SetupProgress.objects.first()
    cookie = guide.client.cookies.get(browser_key.COOKIE)
    if row is None or cookie is None or not cookie.value:
        return known
    key = base64.urlsafe_b64decode(cookie.value)
    opened = progress.look(user_id=row.user_id, key=key).secrets
    if SecretName.TOKEN in opened:
        known |= {opened[SecretName.TOKEN], cookie.value}
    return known


def _found(known: set[str], logged: str, answers: list[str]) -> list[str]:
    """Where a secret shows, by its first characters."""
    places = {"log": logged, "database": search.database()}
    return search.found(
        known, places | {f"answer {number}": answer for number, answer in enumerate(answers)}
    )
