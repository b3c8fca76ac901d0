"""What may stand in the way of a setup: where it is said, what to do about it, and what is left.

Each line of the table is one obstacle. Whatever happens, no connection is enabled, no secret of a
refused step is kept, and nothing was written in Sales before the finish.
"""

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from crmsync.connections.models import Connection
from setup_wizard.models import SetupProgress
from tests.safety.driving import due_now
from tests.setup_wizard.finishes import FINISH, imports_go, one_act, solutions, states
from tests.setup_wizard.guide import Guide, text

ELSEWHERE = "https://login.sandbox.test/00000000-0000-4000-8000-000000000000/oauth2/authorize"
EVIL = "https://login.evil.example/00000000-0000-4000-8000-000000000000/oauth2/authorize"
Form = Mapping[str, Any]


def flawed(name: str) -> Callable[[Guide], Form]:
    """Identity of the sandbox by its flaw, as the form of its step takes it."""

    def form(guide: Guide) -> Form:
        identity = guide.sandbox.ready["flawed"][name]
        if "pem" in identity:
            kind = {"kind": "certificate", "certificate": identity["pem"]}
            return {**kind, "application": identity["client_id"]}
        if "client_secret" in identity:
            secret = identity["client_secret"]
            return {"application": identity["client_id"], "application_secret": secret}
        name_and_password = {key: identity[key] for key in ("username", "password")}
        return {"kind": "password", **name_and_password}

    return form


def challenge(authority: str) -> dict[str, Any]:
    """How the environment names who signs people in for it."""
    return {"status": 401, "headers": {"WWW-Authenticate": f"Bearer authorization_uri={authority}"}}


def refusal(code: int, error: str = "invalid_grant") -> dict[str, Any]:
    """How the sign-in service refuses."""
    return {"status": 400, "body": json.dumps({"error": error, "error_codes": [code]})}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """``step`` is where it is met, ``at`` the input beside which it is said, on the page ``on``.

    ``kept`` are the steps that stay answered; ``sealed`` the secrets that rest.
    """

    case: str
    step: str
    at: str
    says: str
    remedy: str
    on: str = ""
    given: Form | Callable[[Guide], Form] = field(default_factory=dict)
    path: str = ""
    act: Mapping[str, Any] = field(default_factory=dict)
    sealed: frozenset[str] = frozenset()


TOKEN = frozenset({"administrator_token"})
REACH = "Check the address and the network, then try again."
NEW_SECRET = "make a new client secret under Certificates & secrets"
REGISTER_IT = "upload the certificate to the application under Certificates & secrets"
AT_A_STEP = [
    Obstacle(
        "an environment that does not answer",
        step="environment",
        at="",
        says="Sales or its sign-in service cannot be reached.",
        remedy=REACH,
        path="/api/data/",
        act={"drop": "before"},
    ),
    Obstacle(
        "a host where something else answers",
        step="environment",
        at="",
        says="The address does not answer like Dynamics 365 Sales.",
        remedy=REACH,
        path="/api/data/",
        act={"body": "<html>"},
    ),
    Obstacle(
        "an environment that sends to a sign-in of others",
        step="environment",
        at="url",
        says="The address is not one of Dynamics 365 Sales.",
        remedy="Give the address as Sales shows it",
        path="/api/data/",
        act=challenge(EVIL),
    ),
    Obstacle(
        "a tenant that nobody knows",
        step="administrator",
        on="environment",
        at="url",
        says="The tenant is not known.",
        remedy="Check that the address is that of your own environment",
        path="openid-configuration",
        act=refusal(90002, "invalid_tenant"),
    ),
    Obstacle(
        "an administrator of another tenant",
        step="administrator",
        at="username",
        says="The user is not known in this tenant.",
        remedy="Name a user of the tenant that this environment belongs to.",
        path="/token",
        act=refusal(50034),
    ),
    Obstacle(
        "a wrong password",
        step="administrator",
        at="password",
        says="The user name or the password is wrong.",
        remedy="Type both again.",
        given={"password": "wrong"},
    ),
    Obstacle(
        "an administrator with a second factor",
        step="administrator",
        at="username",
        says="The user must sign in with a second factor",
        remedy="Administrators sign in with Microsoft instead",
        path="/token",
        act=refusal(50076),
    ),
    Obstacle(
        "an app registration without public client flows",
        step="administrator",
        on="environment",
        at="application_id",
        says="The app registration does not allow public client flows.",
        remedy="switch on Allow public client flows under Authentication",
        path="/token",
        act=refusal(7000218, "invalid_client"),
    ),
    Obstacle(
        "an app registration without consent",
        step="administrator",
        on="environment",
        at="application_id",
        says="Nobody has consented to the application's access",
        remedy="grant consent for the permission Dynamics CRM user_impersonation",
        path="/token",
        act=refusal(65001),
    ),
    Obstacle(
        "an administrator who is disabled",
        step="administrator",
        at="username",
        says="Sales does not know the user, or the user is disabled or without roles.",
        remedy="Ask an administrator of Sales to enable the user and to give it a role.",
        given=flawed("disabled"),
    ),
    Obstacle(
        "an administrator whose account is blocked",
        step="administrator",
        at="username",
        says="The user's account is disabled.",
        remedy="Enable the account in Microsoft Entra, or name another user.",
        given=flawed("sign_in_blocked"),
    ),
    Obstacle(
        "an administrator without the role",
        step="administrator",
        at="username",
        says="System Customizer is not a System Administrator of this environment.",
        remedy="Name a user who holds the role System Administrator, or have it assigned.",
        given=flawed("customizer"),
    ),
    Obstacle(
        "an expired secret",
        step="integration-user",
        at="application_secret",
        says="The application's secret has expired.",
        remedy=NEW_SECRET,
        given=flawed("expired_application"),
        sealed=TOKEN,
    ),
    Obstacle(
        "a wrong secret",
        step="integration-user",
        at="application_secret",
        says="The application's secret is not valid.",
        remedy=NEW_SECRET,
        given={"application_secret": "wrong"},
        sealed=TOKEN,
    ),
    Obstacle(
        "an application of another tenant",
        step="integration-user",
        at="application",
        says="The application is not known in this tenant.",
        remedy="Copy the Application (client) ID from the app registration of the tenant",
        given=flawed("application_in_no_tenant"),
        sealed=TOKEN,
    ),
    Obstacle(
        "an expired certificate",
        step="integration-user",
        at="certificate",
        says="The certificate has expired.",
        remedy="Give a PEM text that holds the certificate registered with the application",
        given=flawed("expired_certificate"),
        sealed=TOKEN,
    ),
    Obstacle(
        "a certificate that is not registered",
        step="integration-user",
        at="certificate",
        says="The certificate is not registered with the application.",
        remedy=REGISTER_IT,
        given=flawed("unregistered_certificate"),
        sealed=TOKEN,
    ),
    Obstacle(
        "an integration user who is disabled",
        step="integration-user",
        at="username",
        says="Disabled User is disabled in Sales.",
        remedy="Enable the user in Sales, or name another one.",
        given=flawed("disabled"),
        sealed=TOKEN,
    ),
    Obstacle(
        "an integration user who is an administrator",
        step="integration-user",
        at="username",
        says="Team Administrator is a System Administrator.",
        remedy="Take the role away: the integration user needs only the integration role.",
        given=flawed("team_administrator"),
        sealed=TOKEN,
    ),
    Obstacle(
        "an integration user without a licence",
        step="integration-user",
        at="username",
        says="Unlicensed User has no licence for Sales.",
        remedy="Assign a licence, or set the access mode in Sales to Non-interactive.",
        given=flawed("unlicensed"),
        sealed=TOKEN,
    ),
]


def shown(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.mark.parametrize("obstacle", AT_A_STEP, ids=lambda one: one.case)
def test_an_obstacle_is_said_beside_its_input_with_its_remedy(
    guide: Guide, obstacle: Obstacle
) -> None:
    guide.until(obstacle.step)
    given = obstacle.given(guide) if callable(obstacle.given) else obstacle.given
    mark = guide.sandbox.mark()
    if obstacle.path:
        guide.sandbox.fault({"path": obstacle.path}, dict(obstacle.act))

    answer = guide.post(obstacle.step, given)

    if obstacle.on:
        assert answer.headers["Location"] == f"/setup/{obstacle.on}/"
        answer = guide.get(obstacle.on)
    page = text(answer)
    assert "<title>Error:" in page
    assert obstacle.says in shown(page)
    assert obstacle.remedy in shown(page)
    assert re.findall(r'id="id_(\w+)_error"', page) == ([obstacle.at] if obstacle.at else [])
    row = SetupProgress.objects.first()
    assert set(row.sealed if row else ()) == obstacle.sealed
    assert obstacle.step not in (row.answers if row else ())
    assert not Connection.objects.exists()
    assert guide.sandbox.writes(mark) == []


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check of the environment finds; ``is_bad``: it stands in the way."""

    case: str
    wish: Any
    check: str
    says: str
    remedy: str
    fault: tuple[str, Mapping[str, Any]] | None = None
    is_bad: bool = False


AT_THE_CHECKS = [
    Seen(
        "a secured column",
        wish={"secure": "account.creditlimit"},
        check="Secured columns",
        says="The integration user may not read: Account: creditlimit.",
        remedy="Add the integration user to a column security profile",
    ),
    Seen(
        "Microsoft's own integration",
        wish="microsoft_integration",
        check="Other integrations",
        says="Business Central (bcbi_CdsBaseIntegration)",
        remedy="Switch them off for the tables chosen here: two integrations overwrite each other.",
    ),
    Seen(
        "dual-write",
        wish="dual_write",
        check="Other integrations",
        says="Dual-write (DualWriteCore)",
        remedy="Switch them off for the tables chosen here: two integrations overwrite each other.",
    ),
    Seen(
        "the environment moved to another tenant",
        wish=None,
        check="Environment",
        says="The environment belongs to another tenant than when it was first asked.",
        remedy="Give its address again.",
        fault=("WhoAmI", challenge(ELSEWHERE)),
        is_bad=True,
    ),
    Seen(
        "a secret that expired meanwhile",
        wish=None,
        check="Integration user",
        says="The application's secret has expired.",
        remedy=NEW_SECRET,
        fault=("/token", refusal(7000222, "invalid_client")),
        is_bad=True,
    ),
]


@pytest.mark.parametrize("found", AT_THE_CHECKS, ids=lambda one: one.case)
def test_an_obstacle_is_said_beside_its_check_with_its_remedy(guide: Guide, found: Seen) -> None:
    guide.until("checks")
    if found.wish:
        wish = [found.wish]
        assert requests.post(guide.sandbox.url("/_sandbox/plant"), json=wish, timeout=30).ok
    if found.fault:
        path, act = found.fault
        guide.sandbox.fault({"path": path}, dict(act))
    mark = guide.sandbox.mark()

    answer = guide.post("checks")

    page = text(answer) if found.is_bad else text(guide.get("checks"))
    (part,) = [part for part in page.split("<li>") if f'"strong">{found.check}</span>' in part]
    said = shown(part.split("</li>")[0])
    assert found.says in said
    assert found.remedy in said
    assert ("Stands in the way" if found.is_bad else "Warning") in said
    assert answer.status_code == (200 if found.is_bad else 302)
    assert ("checks" in SetupProgress.objects.get().answers) is not found.is_bad
    assert not Connection.objects.exists()
    assert guide.sandbox.writes(mark) == []


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with the import; ``ends`` is how its act stands then."""

    case: str
    says: str
    remedy: str
    imports: Mapping[str, Any] = field(default_factory=dict)
    act: Mapping[str, Any] = field(default_factory=dict)
    hours: int = 0
    ends: str = "failed"


AT_THE_IMPORT = [
    Trouble(
        "a zip that Sales cannot read",
        says="(The solution file is invalid. 0x80048060)",
        remedy="Read what Sales said about the import, correct it there, and import again.",
        act={"status": 400, "code": "0x80048060", "message": "The solution file is invalid."},
    ),
    Trouble(
        "an import that fails",
        says="Sales said: The publisher is locked.",
        remedy="Correct in Sales what is said here, then try again: it is imported anew.",
        imports={"outcome": "failed", "message": "The publisher is locked."},
    ),
    Trouble(
        "an import that never ends",
        says="has not ended within 30 minutes.",
        remedy="Try again here to go on waiting: nothing is imported twice.",
        imports={"outcome": "never"},
        hours=1,
    ),
    Trouble(
        "another import that is running",
        says="Sales asked us to wait.",
        remedy="Wait a few minutes, then try again.",
        act={"status": 429, "code": "0x80071151", "message": "another [Import] running"},
        ends="waiting",
    ),
    Trouble(
        "an administrator who may not import after all",
        says="(missing prvImportCustomization 0x80040220)",
        remedy="privilege",
        act={"status": 403, "code": "0x80040220", "message": "missing prvImportCustomization"},
    ),
]


@pytest.mark.parametrize("trouble", AT_THE_IMPORT, ids=lambda one: one.case)
def test_trouble_with_the_import_is_said_beside_it_and_leaves_nothing_half_done(
    guide: Guide, trouble: Trouble
) -> None:
    imports_go(guide.sandbox, **{"seconds": 0, "hidden": 0, **trouble.imports})
    guide.until("check")
    guide.post("check")
    if trouble.act:
        guide.sandbox.fault({"path": "ImportSolutionAsync"}, dict(trouble.act))
    one_act(guide)
    _let_pass(trouble.hours)
    one_act(guide)

    said = shown(text(guide.client.get(FINISH)))
    assert trouble.says in said
    assert trouble.remedy in said
    assert states() == {"solution": trouble.ends}
    assert solutions(guide.sandbox) == []
    assert not Connection.objects.exists()
    # They can leave, come back, and end it without a trace.
    assert "Continue the setup" in text(guide.client.get("/setup/"))
    page = shown(text(guide.client.post("/setup/cancel/", follow=True)))
    assert "What you typed is forgotten." in page
    assert not SetupProgress.objects.exists()
    assert "setup_key" not in guide.kept_cookies()


def _let_pass(hours: int) -> None:
    row = SetupProgress.objects.get()
    facts = row.finish["acts"]["solution"]["seen"]
    if hours:
        began = datetime.fromisoformat(facts["asked_at"]) - timedelta(hours=hours)
        facts["asked_at"] = began.isoformat()
    row.save()
    due_now()
