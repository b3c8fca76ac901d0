"""Signing in with Microsoft: authorization code with PKCE, bound to one browser and used once."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.conf import settings

from setup_wizard.guide import progress
from setup_wizard.guide.steps import SecretName
from setup_wizard.models import SetupProgress
from setup_wizard.views import browser_key
from tests.setup_wizard.attempts import everything_stored
from tests.setup_wizard.guide import Guide, leads_to, text
from tests.setup_wizard.microsoft import BACK, HERE, begin, come_back, sign_in


@pytest.fixture
def at_administrator(guide: Guide) -> Guide:
    guide.until("administrator")
    return guide


def token_requests(guide: Guide, since: int) -> list[str]:
    return [
        entry["url"]
        for entry in guide.sandbox.journal(since)
        if "/oauth2/v2.0/token" in entry["url"]
    ]


def key_of(guide: Guide) -> bytes:
    request: Any = type("Request", (), {"COOKIES": {"setup_key": cookie(guide)}})
    key = browser_key.read(request)
    assert key is not None
    return key


def cookie(guide: Guide) -> str:
    return str(guide.client.cookies[browser_key.COOKIE].value)


def test_an_administrator_signs_in_with_microsoft(at_administrator: Guide) -> None:
    guide = at_administrator

    answer = sign_in(guide, guide.sandbox.ready["administrator"])

    assert leads_to(answer) == "/setup/integration-user/"
    page = text(guide.client.get("/setup/integration-user/"))
    assert "Signed in with Microsoft." in page
    assert "Sandbox Administrator is a System Administrator." in page
    row = SetupProgress.objects.get()
    assert row.answers["administrator"] == {"kind": "microsoft", "username": ""}
    assert set(row.sealed) == {"administrator_token"}
    guide.post("integration-user")
    guide.post("tables")
    assert leads_to(guide.post("checks")) == "/setup/check/"
    page = text(guide.get("check"))
    assert "Signed in with Microsoft" in page
    assert "Connect and import the solution" in page


def test_microsoft_is_asked_with_pkce_and_for_no_lasting_access(at_administrator: Guide) -> None:
    asked = begin(at_administrator).asked

    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"http://127.0.0.1{BACK}"
    assert len(asked["state"]) >= 16
    assert asked["nonce"]
    assert "user_impersonation" in asked["scope"]
    assert "offline_access" not in asked["scope"]


def test_what_completes_the_sign_in_rests_sealed_alone(at_administrator: Guide) -> None:
    guide = at_administrator
    page = begin(guide)
    user_id = SetupProgress.objects.get().user_id
    draft = progress.look(user_id=user_id, key=key_of(guide))
    flow = json.loads(draft.secrets[SecretName.FLOW])

    stored = everything_stored()

    assert flow["state"] == page.asked["state"]
    for secret in (flow["code_verifier"], flow["state"], flow["nonce"], cookie(guide)):
        assert secret not in stored
    assert "administrator" not in SetupProgress.objects.get().answers


def test_coming_back_shows_a_page_that_changes_nothing_before_it_is_sent(
    at_administrator: Guide,
) -> None:
    guide = at_administrator
    brought = begin(guide).sign_in(guide.sandbox.ready["administrator"])
    before, mark = SetupProgress.objects.values().get(), guide.sandbox.mark()

    answer = guide.client.get(BACK, {**brought, "extra": "x"})

    page = text(answer)
    assert f'name="code" value="{brought["code"]}"' in page
    assert f'name="state" value="{brought["state"]}"' in page
    assert 'name="extra"' not in page
    assert f'method="post" action="{BACK}"' in page
    assert answer.headers["Cache-Control"] == "no-store"
    assert SetupProgress.objects.values().get() == before
    assert guide.sandbox.journal(mark) == []


def test_what_microsoft_brings_back_is_shown_as_text(at_administrator: Guide) -> None:
    page = text(at_administrator.client.get(BACK, {"state": '"><script>alert(1)</script>'}))

    assert "<script>alert" not in page


@pytest.mark.parametrize("state", ["", "wrong", None])
def test_a_wrong_or_missing_state_is_refused_without_asking_for_a_token(
    at_administrator: Guide, state: str | None
) -> None:
    guide = at_administrator
    brought = begin(guide).sign_in(guide.sandbox.ready["administrator"])
    forged = {**brought, "state": state} if state is not None else {"code": brought["code"]}
    mark = guide.sandbox.mark()

    answer = come_back(guide, forged)

    assert answer.status_code == 400
    assert "does not belong to this setup" in text(answer) or "not for this" in text(answer)
    assert token_requests(guide, mark) == []
    assert leads_to(come_back(guide, brought)) == "/setup/integration-user/", (
        "the right one goes on"
    )


def test_a_code_is_taken_once(at_administrator: Guide) -> None:
    guide = at_administrator
    brought = begin(guide).sign_in(guide.sandbox.ready["administrator"])
    come_back(guide, brought)
    mark = guide.sandbox.mark()

    assert come_back(guide, brought).status_code == 400

    assert token_requests(guide, mark) == []
    assert "administrator" in SetupProgress.objects.get().answers


def test_a_sign_in_of_somebody_else_is_refused(at_administrator: Guide) -> None:
    guide = at_administrator
    brought = begin(guide).sign_in(guide.sandbox.ready["administrator"])
    other = guide.again(name="somebody-else")
    other.until("administrator")
    begin(other)
    mark = guide.sandbox.mark()

    assert come_back(other, brought).status_code == 400

    assert token_requests(guide, mark) == []


def test_without_the_browsers_key_nothing_is_completed(at_administrator: Guide) -> None:
    guide = at_administrator
    brought = begin(guide).sign_in(guide.sandbox.ready["administrator"])
    del guide.client.cookies[browser_key.COOKIE]
    mark = guide.sandbox.mark()

    assert come_back(guide, brought).status_code == 400

    assert token_requests(guide, mark) == []


def test_a_sign_in_begun_for_another_environment_is_refused(at_administrator: Guide) -> None:
    guide = at_administrator
    brought = begin(guide).sign_in(guide.sandbox.ready["administrator"])
    other = "51f81489-12ee-4a9e-aaae-a2591f45987d"
    guide.post("environment", {"application_id": other})
    mark = guide.sandbox.mark()

    assert come_back(guide, brought).status_code == 400

    assert token_requests(guide, mark) == []


def test_an_identity_with_another_nonce_is_refused(at_administrator: Guide) -> None:
    guide = at_administrator
    brought = begin(guide).sign_in(guide.sandbox.ready["administrator"])
    user_id, key = SetupProgress.objects.get().user_id, key_of(guide)
    flow = dict(progress.take_flow(user_id=user_id, key=key, state=brought["state"]))
    draft = progress.look(user_id=user_id, key=key)
    forged = json.dumps({**flow, "nonce": "another"})
    progress.keep_flow(looked_at=draft, key=key, flow=forged)

    assert come_back(guide, brought).status_code == 400

    assert "administrator" not in SetupProgress.objects.get().answers


@pytest.mark.parametrize(
    ("brought", "says"),
    [
        ({"error": "access_denied"}, "The sign-in was cancelled."),
        (
            {"error": "invalid_request", "error_description": "AADSTS65001: no consent"},
            "Nobody has consented",
        ),
        ({"error": "server_error"}, "The sign-in was refused."),
    ],
)
def test_a_refusal_at_microsoft_is_said_on_the_step(
    at_administrator: Guide, brought: Mapping[str, str], says: str
) -> None:
    guide = at_administrator
    state = begin(guide).asked["state"]

    there = leads_to(come_back(guide, {**brought, "state": state}))

    page = text(guide.client.get(there))
    assert "<title>Error:" in page
    assert says in page
    assert "administrator" not in SetupProgress.objects.get().answers


def test_cancelling_at_microsoft_leads_back_to_the_step(at_administrator: Guide) -> None:
    guide = at_administrator

    answer = come_back(guide, begin(guide).cancel())

    assert leads_to(answer) == "/setup/administrator/"
    page = text(guide.get("administrator"))
    assert "The sign-in was cancelled." in page
    assert 'id="id_kind_error"' in page


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("integration_user", "is not a System Administrator"),
        ("customizer", "is not a System Administrator"),
        ("disabled", "disabled or without roles"),
        ("not_a_member", "Sales does not know the user"),
    ],
)
def test_somebody_who_cannot_prepare_sales_is_named_on_the_step(
    at_administrator: Guide, who: str, says: str
) -> None:
    guide = at_administrator
    ready = guide.sandbox.ready

    answer = sign_in(guide, ready.get(who) or ready["flawed"][who])

    assert leads_to(answer) == "/setup/administrator/"
    assert says in text(guide.get("administrator"))
    assert SetupProgress.objects.get().sealed == {}


def test_an_administrator_through_a_team_is_good_enough(at_administrator: Guide) -> None:
    identity = at_administrator.sandbox.ready["flawed"]["team_administrator"]

    assert leads_to(sign_in(at_administrator, identity)) == "/setup/integration-user/"


def test_a_missing_system_customizer_is_only_warned_about(at_administrator: Guide) -> None:
    identity = at_administrator.sandbox.ready["flawed"]["administrator_without_customizer"]

    assert leads_to(sign_in(at_administrator, identity)) == "/setup/integration-user/"

    assert "is not a System Customizer." in text(at_administrator.get("integration-user"))


def test_who_is_signed_in_goes_on_and_somebody_else_can_sign_in(at_administrator: Guide) -> None:
    guide = at_administrator
    sign_in(guide, guide.sandbox.ready["administrator"])
    assert "Signed in as Sandbox Administrator." in text(guide.get("administrator"))

    answer = guide.client.post(
        "/setup/administrator/",
        {"setup-current_step": "administrator", "kind": "microsoft"},
        **HERE,
    )

    assert leads_to(answer) == "/setup/integration-user/"
    team = guide.sandbox.ready["flawed"]["team_administrator"]
    sign_in(guide, team, again="on")
    assert SetupProgress.objects.get().seen["administrator"]["full_name"] == "Team Administrator"


def test_after_a_sign_in_with_microsoft_a_password_is_asked_for_all_the_same(
    at_administrator: Guide,
) -> None:
    guide = at_administrator
    sign_in(guide, guide.sandbox.ready["administrator"])

    page = text(guide.post("administrator", {"password": ""}))

    assert 'id="id_password_error"' in page


@pytest.mark.parametrize(
    ("opened_at", "is_warned"), [("testserver", True), ("127.0.0.1", False), ("localhost", False)]
)
def test_a_page_that_microsoft_does_not_send_back_to_says_so(
    at_administrator: Guide, opened_at: str, is_warned: bool
) -> None:
    host: dict[str, Any] = {"SERVER_NAME": opened_at}

    page = text(at_administrator.client.get("/setup/administrator/", **host))

    assert ("only to addresses of https" in page) is is_warned


def test_pages_may_send_forms_on_to_microsoft_and_nowhere_else(at_administrator: Guide) -> None:
    policy = at_administrator.get("administrator").headers["Content-Security-Policy"]

    (allowed,) = [part.split() for part in policy.split(";") if part.strip().startswith("form-act")]
    assert set(allowed[1:]) == {"'self'", *settings.SIGN_IN_PAGES}
    assert "https://login.microsoftonline.com" in allowed
