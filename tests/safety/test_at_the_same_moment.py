"""Twenty at once: exactly one counts, and who cancels meanwhile leaves nothing behind."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from crmsync.connections.models import Connection
from setup_wizard.finish.plan import ActName
from setup_wizard.guide import progress
from setup_wizard.models import SetupProgress
from tests.safety.driving import do_until
from tests.sandboxes import Sandbox
from tests.setup_wizard import test_finishing_at_once as served
from tests.setup_wizard.finishes import imports_go, one_act
from tests.setup_wizard.guide import Guide

TWENTY = 20
COUNT = """
from crmsync.audit.models import Entry
from crmsync.connections.models import Connection
from crmsync.frame.models import Account
from setup_wizard.models import SetupProgress
print(Connection.objects.filter(is_enabled=True).count(), SetupProgress.objects.count())
print(Entry.objects.filter(act="connection_set_up").count())
print(Account.objects.filter(is_non_interactive=True).count())
"""


@pytest.fixture
def server(demo_sandbox: Sandbox, tmp_path: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """A web server as it runs for real, on SQLite."""
    yield from served.serving(demo_sandbox, tmp_path, {})


def answers(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """Right ones, by step."""
    application, admin = sandbox.ready["application"], sandbox.ready["administrator"]
    name_and_password = {name: admin[name] for name in ("username", "password")}
    return {
        "environment": {
            "url": sandbox.ready["origin"],
            "application_id": application["client_id"],
        },
        "administrator": {"kind": "password", **name_and_password},
        "integration-user": {
            "kind": "application",
            "application": application["client_id"],
            "application_secret": application["client_secret"],
        },
        "tables": {"scopes": ["customers"]},
        "checks": {},
    }


def test_twenty_who_confirm_and_finish_make_one_connection(
    server: tuple[str, dict[str, str]], demo_sandbox: Sandbox
) -> None:
    base, environment = server
    imports_go(demo_sandbox, seconds=0, hidden=0)
    browser = served.Browser(base)
    browser.post("/sign-in/", {"username": "anna", "password": served.PASSWORD})
    for step, form in answers(demo_sandbox).items():
        assert browser.post(f"/setup/{step}/", form).status_code == 302
    last = served.hidden(browser.session.get(f"{base}/setup/check/", timeout=60).text)

    with ThreadPoolExecutor(TWENTY) as pool:
        confirmed = pool.map(lambda _: browser.send("/setup/check/", last), range(TWENTY))
        assert Counter(one.headers.get("Location") for one in confirmed) == {
            "/setup/finish/": TWENTY
        }
        ended = Counter(pool.map(lambda _: served.drive(browser, last), range(TWENTY)))

    assert ended == {"/setup/done/": TWENTY}
    assert served.manage(environment, "shell", "-v0", "-c", COUNT).split() == ["1", "0", "1", "1"]
    asked = [one["url"] for one in demo_sandbox.journal()]
    assert len([url for url in asked if "ImportSolution" in url]) == 1


@pytest.mark.parametrize(
    "act", [ActName.SOLUTION, ActName.USER, ActName.ROLES, ActName.STORED, ActName.VERIFIED]
)
def test_who_cancels_in_the_middle_of_an_act_leaves_no_connection_and_no_secret(
    guide: Guide, monkeypatch: pytest.MonkeyPatch, act: ActName
) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    guide.until("check")
    guide.post("check")
    do_until(act, guide)
    once = iter([lambda: guide.client.post("/setup/cancel/")])
    send = requests.Session.send

    def meanwhile(*args: Any, **options: Any) -> requests.Response:
        """The first answer from Sales arrives after another tab has cancelled the setup."""
        answer = send(*args, **options)
        next(once, lambda: None)()
        return answer

    monkeypatch.setattr(requests.Session, "send", meanwhile)
    assert one_act(guide).status_code in (200, 302)
    # What an act stored behind the back of the one who cancelled is tidied away every minute.
    progress.drop_abandoned()

    assert not SetupProgress.objects.exists()
    assert not Connection.objects.exists()
