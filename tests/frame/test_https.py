"""In production: what the product says of itself there, and what every answer carries."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sandboxes import ROOT

HOST = "crm.example.com"
LOOK = """
import json, re, django
django.setup()
from django.core.management import call_command
from django.test import Client
from crmsync.frame.people import Role, add_person
call_command("migrate", verbosity=0)
add_person(name="anna", role=Role.ADMINISTRATORS, password="correct horse 7")

def told(response):
    cookies = {name: morsel.OutputString() for name, morsel in response.cookies.items()}
    return {"status": response.status_code, "headers": dict(response.headers), "cookies": cookies}

proxy = {"x-forwarded-proto": "https"} if HTTPS else {}
client = Client(headers={"host": HOST, **proxy}, raise_request_exception=False)
found = {"sign-in": told(client.get("/sign-in/"))}
form = {"username": "anna", "password": "correct horse 7"}
found["signed in"] = told(client.post("/sign-in/", form))
found["home"] = told(client.get("/"))
found["language"] = told(client.post("/language/", {"language": "da", "next": "/"}))
company = {"name": "X", "local_currency_code": "DKK", "experience": "suite"}
found["saved"] = told(client.post("/company/", company))
found["setup"] = told(client.get("/setup/"))
found["missing"] = told(client.get("/nowhere/"))
found["export"] = told(client.get("/audit/export/"))
found["static"] = told(client.get("/static/crmsync.css"))
found["health"] = told(client.get("/health"))
found["plain"] = told(Client(headers={"host": HOST}).get("/sign-in/"))
found["probe"] = told(Client(headers={"host": HOST}).get("/health"))
found["stranger"] = told(Client(headers={"host": "evil.example", **proxy}).get("/sign-in/"))
import crmsync.frame.home
crmsync.frame.home.look = None
found["broken"] = told(client.get("/"))
print(json.dumps(found))
"""
PAGES = ("sign-in", "home", "missing", "broken", "static", "health", "export", "signed in")
COOKIES = {"sessionid", "csrftoken", "django_language", "messages"}


def run(folder: Path, *command: str, https: str = "on") -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if "CRMSYNC" not in name}
    inherited.pop("DATABASE_URL", None)
    environment = {
        **inherited,
        "CRMSYNC_DATA_DIR": str(folder),
        "CRMSYNC_HTTPS": https,
        "CRMSYNC_ALLOWED_HOSTS": HOST,
        "CRMSYNC_BROKER_URL": "memory://localhost",
        "DJANGO_SETTINGS_MODULE": "crmsync.settings",
    }
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def look(folder: Path, https: str) -> dict[str, Any]:
    code = LOOK.replace("HTTPS", str(https == "on")).replace("HOST", repr(HOST))
    done = run(folder, "-c", code, https=https)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def over_https(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return look(tmp_path_factory.mktemp("https"), "on")


@pytest.fixture(scope="module")
def over_http(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return look(tmp_path_factory.mktemp("http"), "off")


def test_the_deployment_check_finds_nothing(tmp_path: Path) -> None:
    checked = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING")

    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


def test_the_deployment_check_would_notice(tmp_path: Path) -> None:
    checked = run(tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", https="no")
    assert checked.returncode != 0
    checked = run(
        tmp_path, "manage.py", "check", "--deploy", "--fail-level", "WARNING", https="off"
    )
    assert "security.W012" in checked.stderr


@pytest.mark.parametrize("page", PAGES)
def test_every_answer_carries_its_protection(over_https: dict[str, Any], page: str) -> None:
    headers = over_https[page]["headers"]

    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    policy = headers["Content-Security-Policy"]
    for directive in ("default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy


def test_the_pages_are_what_they_were_asked_for(over_https: dict[str, Any]) -> None:
    status = {name: answer["status"] for name, answer in over_https.items()}
    assert (status["home"], status["missing"], status["broken"]) == (200, 404, 500)
    assert (status["static"], status["export"], status["stranger"]) == (200, 200, 400)


def cookies_of(answers: dict[str, Any]) -> dict[str, str]:
    """Those that were given, by name; not those that were taken back."""
    given = [pair for answer in answers.values() for pair in answer["cookies"].items()]
    return {name: text for name, text in given if "Max-Age=0" not in text}


def test_every_cookie_is_bound_to_this_host(over_https: dict[str, Any]) -> None:
    cookies = cookies_of(over_https)
    assert set(cookies) == {f"__Host-{name}" for name in COOKIES}
    for text in cookies.values():
        assert "; Secure" in text
        assert "; HttpOnly" in text
        assert "; SameSite=Lax" in text
        assert "; Path=/" in text
        assert "Domain" not in text


def test_what_comes_without_https_is_sent_there_except_for_the_health(
    over_https: dict[str, Any],
) -> None:
    plain = over_https["plain"]
    assert (plain["status"], plain["headers"]["Location"]) == (301, f"https://{HOST}/sign-in/")
    assert plain["cookies"] == {}
    assert over_https["probe"]["status"] in (200, 503)


def test_without_https_cookies_have_plain_names_and_nothing_is_promised(
    over_http: dict[str, Any],
) -> None:
    cookies = cookies_of(over_http)
    assert set(cookies) == COOKIES
    assert not [text for text in cookies.values() if "Secure" in text or "HttpOnly" not in text]
    assert "Strict-Transport-Security" not in over_http["home"]["headers"]
    assert over_http["home"]["status"] == 200
