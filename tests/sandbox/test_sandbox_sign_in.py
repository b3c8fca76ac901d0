"""The sign-in service, driven by the real MSAL and by hand."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msal
import pytest
import requests

from crmsync.sandbox.tokens import InvalidTokenError, sign, verify
from tests.sandbox.harness import Client, Redirect, Sandbox, code_of

ORIGIN = "https://cronus.crm.sandbox.test"
LOGIN = "https://login.sandbox.test"
DAY = 86_400
REDIRECT_URI = "http://localhost:8000/setup/signed-in/"


@pytest.fixture
def wire(sandbox: Sandbox) -> requests.Session:
    session = requests.Session()
    session.mount(f"{LOGIN}/", Redirect(sandbox.base_url))
    session.mount(f"{ORIGIN}/", Redirect(sandbox.base_url))
    sandbox.sessions.append(session)
    return session


@pytest.fixture
def application(sandbox: Sandbox, wire: requests.Session) -> Any:
    return msal.ConfidentialClientApplication(
        sandbox.ready["application"]["client_id"],
        client_credential=sandbox.ready["application"]["client_secret"],
        authority=f"{LOGIN}/{sandbox.ready['tenant']}",
        instance_discovery=False,
        http_client=wire,
    )


def who_am_i(wire: requests.Session, result: dict[str, str]) -> str:
    answer = wire.get(
        f"{ORIGIN}/api/data/v9.2/WhoAmI",
        headers={"Authorization": f"Bearer {result['access_token']}"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    user_id: str = answer.json()["UserId"]
    return user_id


def test_msal_signs_an_application_in(
    sandbox: Sandbox, wire: requests.Session, application: Any
) -> None:
    result = application.acquire_token_for_client([f"{ORIGIN}/.default"])
    assert who_am_i(wire, result) == sandbox.ready["application"]["id"]


def test_msal_signs_a_user_in_with_a_password_and_refreshes(
    sandbox: Sandbox, wire: requests.Session, application: Any
) -> None:
    user = sandbox.ready["administrator"]
    scopes = [f"{ORIGIN}/user_impersonation"]
    result = application.acquire_token_by_username_password(
        user["username"], user["password"], scopes
    )
    assert who_am_i(wire, result) == user["id"]
    [account] = application.get_accounts()
    again = application.acquire_token_silent(scopes, account, force_refresh=True)
    assert who_am_i(wire, again) == user["id"]


def test_msal_signs_a_user_in_through_the_browser_with_a_proof_key(
    sandbox: Sandbox, wire: requests.Session, application: Any
) -> None:
    user = sandbox.ready["administrator"]
    flow = application.initiate_auth_code_flow(
        [f"{ORIGIN}/user_impersonation"],
        redirect_uri=REDIRECT_URI,
        response_mode="form_post",
    )
    back = signed_in_by_page(flow["auth_uri"], user["username"], user["password"])
    result = application.acquire_token_by_auth_code_flow(flow, back)
    assert who_am_i(wire, result) == user["id"]


def signed_in_by_page(auth_uri: str, username: str, password: str) -> dict[str, str]:
    """Fill in the sign-in page as a browser does; return what comes back to the application."""
    page = requests.get(auth_uri, timeout=10)
    assert page.status_code == 200
    hidden = hidden_fields(page)
    answer = requests.post(
        auth_uri,
        data={**hidden, "username": username, "password": password},
        allow_redirects=False,
        timeout=10,
    )
    if answer.status_code == 200:
        assert f'action="{REDIRECT_URI}"' in answer.text
        return hidden_fields(answer)
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def hidden_fields(page: requests.Response) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))


def test_a_sign_in_code_works_once(sandbox: Sandbox) -> None:
    client_id = sandbox.ready["application"]["client_id"]
    uri = (
        f"{sandbox.base_url}/{sandbox.ready['tenant']}/oauth2/v2.0/authorize"
        f"?client_id={client_id}&response_type=code&redirect_uri={REDIRECT_URI}&state=s"
    )
    user = sandbox.ready["administrator"]
    back = signed_in_by_page(uri, user["username"], user["password"])
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "code": back["code"],
    }
    assert back["state"] == "s"
    assert sandbox.token(**form).status_code == 200
    assert "AADSTS54005" in sandbox.token(**form).json()["error_description"]


def test_a_wrong_password_leaves_the_user_on_the_page(sandbox: Sandbox) -> None:
    client_id = sandbox.ready["application"]["client_id"]
    uri = f"{sandbox.base_url}/{sandbox.ready['tenant']}/oauth2/v2.0/authorize"
    form = {
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "username": sandbox.ready["administrator"]["username"],
        "password": "wrong",
    }
    answer = requests.post(uri, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 200
    assert "AADSTS50126" in answer.text


def refused(answer: requests.Response) -> tuple[int, str, int]:
    body = answer.json()
    return answer.status_code, body["error"], body["error_codes"][0]


def test_wrong_secrets_and_unknown_names_are_refused_with_their_codes(sandbox: Sandbox) -> None:
    application = sandbox.ready["application"]
    user = sandbox.ready["administrator"]
    wrong_secret = sandbox.app_token({**application, "client_secret": "wrong"})
    assert refused(wrong_secret) == (401, "invalid_client", 7000215)
    unknown = sandbox.app_token({**application, "client_id": sandbox.ready["tenant"]})
    assert refused(unknown) == (400, "unauthorized_client", 700016)
    wrong_password = sandbox.user_token({**user, "password": "wrong"})
    assert refused(wrong_password) == (400, "invalid_grant", 50126)
    blocked = sandbox.user_token(sandbox.ready["flawed"]["sign_in_blocked"])
    assert refused(blocked) == (400, "invalid_grant", 50057)


def test_an_unknown_tenant_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.base_url}/nobody.example/v2.0/.well-known/openid-configuration"
    assert refused(requests.get(url, timeout=10)) == (400, "invalid_tenant", 90002)


def test_a_token_for_another_resource_is_not_given(sandbox: Sandbox) -> None:
    application = sandbox.ready["application"]
    answer = sandbox.token(
        grant_type="client_credentials",
        client_id=application["client_id"],
        client_secret=application["client_secret"],
        scope="https://other.example/.default",
    )
    assert refused(answer) == (400, "invalid_resource", 500011)


def test_a_call_without_a_token_is_told_where_to_sign_in(
    sandbox: Sandbox, wire: requests.Session
) -> None:
    answer = wire.get(f"{ORIGIN}/api/data/v9.2/WhoAmI", timeout=10)
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert f"authorization_uri={LOGIN}/{sandbox.ready['tenant']}/oauth2/authorize" in challenge


def test_an_altered_token_is_not_accepted(sandbox: Sandbox) -> None:
    token = sandbox.app_token().json()["access_token"]
    head, payload, _ = token.split(".")
    answer = requests.get(
        f"{sandbox.api_url}WhoAmI",
        headers={"Authorization": f"Bearer {head}.{payload}.AAAA"},
        timeout=10,
    )
    assert answer.status_code == 401


def test_other_tokens_do_not_open_the_web_api(sandbox: Sandbox) -> None:
    answer = sandbox.user_token(sandbox.ready["administrator"]).json()
    for name in ("refresh_token", "id_token"):
        headers = {"Authorization": f"Bearer {answer[name]}"}
        assert (
            requests.get(f"{sandbox.api_url}WhoAmI", headers=headers, timeout=10).status_code == 401
        )


def test_a_token_ends_with_its_time() -> None:
    token = sign({"aud": "x", "exp": 100}, key=b"k")
    assert verify(token, key=b"k", now=99)["aud"] == "x"
    with pytest.raises(InvalidTokenError):
        verify(token, key=b"k", now=100)


def test_moving_the_clock_ends_tokens_and_a_new_sign_in_goes_on(
    sandbox: Sandbox, api: Client
) -> None:
    assert api.get("WhoAmI").status_code == 200
    sandbox.edit({"clock": {"advance": 7200}})
    assert api.get("WhoAmI").status_code == 401
    assert sandbox.application().get("WhoAmI").status_code == 200
    assert sandbox.administrator().get("WhoAmI").status_code == 200


def test_moving_the_clock_ends_what_renews_tokens(sandbox: Sandbox) -> None:
    kept = sandbox.user_token(sandbox.ready["administrator"]).json()["refresh_token"]
    form = {"client_id": sandbox.ready["application"]["client_id"], "refresh_token": kept}
    sandbox.edit({"clock": {"advance": 89 * DAY}})
    assert sandbox.token(grant_type="refresh_token", **form).status_code == 200
    sandbox.edit({"clock": {"advance": 2 * DAY}})
    again = sandbox.token(grant_type="refresh_token", **form)
    assert refused(again) == (400, "invalid_grant", 70008)


@pytest.mark.parametrize(
    ("who", "code"), [("disabled", "0x80040225"), ("without_roles", "0x80042f09")]
)
def test_users_who_may_not_work_are_refused(sandbox: Sandbox, who: str, code: str) -> None:
    client = sandbox.signed_in(sandbox.user_token(sandbox.ready["flawed"][who]))
    answer = client.get("WhoAmI")
    assert (answer.status_code, code_of(answer)) == (403, code)


def test_an_application_without_a_user_is_not_a_member(sandbox: Sandbox) -> None:
    stray = sandbox.ready["flawed"]["application_without_user"]
    answer = sandbox.signed_in(sandbox.app_token(stray)).get("WhoAmI")
    assert (answer.status_code, code_of(answer)) == (403, "0x80072560")


def test_roles_through_a_team_count(sandbox: Sandbox) -> None:
    user = sandbox.ready["flawed"]["team_administrator"]
    client = sandbox.signed_in(sandbox.user_token(user))
    answer = client.request("POST", "roles", {"name": "Made by a team member"})
    assert code_of(answer) == "0x80040200"  # it got as far as the missing business unit


def test_a_missing_privilege_is_named(api: Client, sandbox: Sandbox) -> None:
    answer = api.request("POST", "teams", {"name": "Mine"})
    assert (answer.status_code, code_of(answer)) == (403, "0x80040220")
    message = answer.json()["error"]["message"]
    assert "is missing prvCreateTeam privilege" in message
    assert sandbox.ready["application"]["id"] in message
