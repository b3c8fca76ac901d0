"""Several finishes of one setup at once, in a web server as it runs for real."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.crash.postgres import running_postgres
from tests.crash.stacks import free_port
from tests.sandboxes import ROOT, Sandbox

PASSWORD = "correct horse 7"
PREPARE = f"""
from crmsync.frame.people import Role, add_person
from crmsync.ledger.models import CompanyInformation
add_person(name="anna", role=Role.ADMINISTRATORS, password={PASSWORD!r})
CompanyInformation.objects.create(name="Cronus", local_currency_code="GBP")
"""
COUNT = """
from crmsync.connections.models import Connection
from setup_wizard.models import SetupProgress
print(Connection.objects.count(), SetupProgress.objects.count())
"""


class Browser:
    """One session over HTTP, with the tokens that forms carry."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()

    def post(self, path: str, form: dict[str, Any]) -> requests.Response:
        page = self.session.get(self.base + path, timeout=60).text
        return self.send(path, {**form, **hidden(page)})

    def send(self, path: str, form: dict[str, Any]) -> requests.Response:
        return self.session.post(self.base + path, form, allow_redirects=False, timeout=60)


def hidden(page: str) -> dict[str, str]:
    """The hidden inputs of the page's own form, the last on the page with such names."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: value for name, value in found if name != "next"}


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The variables that name it."""
    if request.param == "sqlite":
        yield {}
    else:
        with running_postgres() as url:
            yield {"DATABASE_URL": url}


@pytest.fixture
def server(
    demo_sandbox: Sandbox, tmp_path: Path, database: dict[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    yield from serving(demo_sandbox, tmp_path, database)


def serving(
    demo_sandbox: Sandbox, tmp_path: Path, database: dict[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Its address, and the environment for commands on the same installation."""
    demo_sandbox.reset()
    environment = {
        **os.environ,
        **database,
        "CRMSYNC_DATA_DIR": str(tmp_path),
        "CRMSYNC_SANDBOX_PORT": str(demo_sandbox.port),
    }
    manage(environment, "migrate", "-v0")
    manage(environment, "shell", "-v0", "-c", PREPARE)
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--threads", "4"),
            *("--bind", f"127.0.0.1:{port}", "--no-control-socket"),
            "crmsync.wsgi:application",
        ],
        cwd=ROOT,
        env=environment,
    )
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(base)
        yield base, environment
    finally:
        process.terminate()
        process.wait(20)


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def wait_for(base: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            requests.get(f"{base}/sign-in/", timeout=5)
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(base)


def test_three_finishes_at_once_make_one_connection(
    server: tuple[str, dict[str, str]], demo_sandbox: Sandbox
) -> None:
    base, environment = server
    browser = Browser(base)
    browser.post("/sign-in/", {"username": "anna", "password": PASSWORD})
    ready = demo_sandbox.ready
    application, admin = ready["application"], ready["administrator"]
    answers: dict[str, dict[str, Any]] = {
        "environment": {"url": ready["origin"], "application_id": application["client_id"]},
        "administrator": {
            "kind": "password",
            "username": admin["username"],
            "password": admin["password"],
        },
        "integration-user": {
            "kind": "application",
            "application": application["client_id"],
            "application_secret": application["client_secret"],
        },
        "tables": {"scopes": ["customers"]},
        "checks": {},
    }
    for step, form in answers.items():
        assert browser.post(f"/setup/{step}/", form).status_code == 302
    last = hidden(browser.session.get(f"{base}/setup/check/", timeout=60).text)
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(lambda _: browser.send("/setup/check/", last), range(3)))
        assert [answer.headers.get("Location") for answer in ended] == ["/setup/finish/"] * 3
        finished = list(pool.map(lambda _: drive(browser, last), range(3)))

    assert finished == ["/setup/done/"] * 3
    assert manage(environment, "shell", "-v0", "-c", COUNT).split() == ["1", "0"]
    asked = [one["url"] for one in demo_sandbox.journal()]
    assert len([url for url in asked if "ImportSolution" in url]) == 1
    assert len([url for url in asked if url.endswith("systemuserroles_association/$ref")]) == 2


def drive(browser: Browser, form: dict[str, str]) -> str:
    """Press Continue until the page leads elsewhere, as three tabs would at once."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        where = str(browser.send("/setup/finish/", form).headers.get("Location"))
        if where != "/setup/finish/":
            return where
        time.sleep(0.1)
    raise TimeoutError("The finish does not end.")
