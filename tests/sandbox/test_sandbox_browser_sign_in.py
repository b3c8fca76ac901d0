"""The sign-in page as a browser meets it, and the ways back to the application."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msal
import pytest
import requests

from tests.sandbox.harness import Redirect, Sandbox

ORIGIN = "https://cronus.crm.sandbox.test"
LOGIN = "https://login.sandbox.test"
REDIRECT_URI = "http://127.0.0.1:8000/setup/signed-in/"

# MSAL prefers form_post; a page that keeps its session in a SameSite cookie needs the query.
pytestmark = pytest.mark.filterwarnings("ignore:response_mode='form_post' is recommended")


@pytest.fixture
def application(sandbox: Sandbox) -> Any:
    """A public client: the product keeps no secret of its app registration."""
    session = requests.Session()
    session.mount(f"{LOGIN}/", Redirect(sandbox.base_url))
    sandbox.sessions.append(session)
    return msal.PublicClientApplication(
        sandbox.ready["application"]["client_id"],
        authority=f"{LOGIN}/{sandbox.ready['tenant']}",
        instance_discovery=False,
        http_client=session,
    )


def flow_of(application: Any, redirect_uri: str = REDIRECT_URI) -> dict[str, Any]:
    flow: dict[str, Any] = application.initiate_auth_code_flow(
        [f"{ORIGIN}/user_impersonation"], redirect_uri=redirect_uri
    )
    return flow


def submitted(auth_uri: str, **fields: str) -> requests.Response:
    """Open the page and press a button of its form."""
    page = requests.get(auth_uri, timeout=10)
    assert page.status_code == 200, page.text
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    return requests.post(auth_uri, data={**hidden, **fields}, allow_redirects=False, timeout=10)


def came_back(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def signed_in(sandbox: Sandbox, flow: dict[str, Any]) -> dict[str, str]:
    user = sandbox.ready["administrator"]
    answer = submitted(flow["auth_uri"], username=user["username"], password=user["password"])
    assert answer.headers["Location"].startswith(f"{REDIRECT_URI}?")
    return came_back(answer)


def test_a_browser_reaches_the_page_and_comes_back_with_a_code(
    sandbox: Sandbox, application: Any
) -> None:
    flow = flow_of(application)
    assert flow["auth_uri"].startswith(sandbox.base_url)
    back = signed_in(sandbox, flow)
    assert back["state"] == flow["state"]
    assert {"code", "client_info", "session_state"} < back.keys()
    result = application.acquire_token_by_auth_code_flow(flow, back)
    assert (
        result["id_token_claims"]["preferred_username"]
        == (sandbox.ready["administrator"]["username"])
    )
    assert result["refresh_token"]
    assert application.get_accounts()[0]["username"] == sandbox.ready["administrator"]["username"]


def test_who_cancels_comes_back_without_a_code(application: Any) -> None:
    flow = flow_of(application)
    back = came_back(submitted(flow["auth_uri"], cancel="1"))
    assert (back["error"], back["state"]) == ("access_denied", flow["state"])
    result = application.acquire_token_by_auth_code_flow(flow, back)
    assert result["error"] == "access_denied"


def test_the_page_offers_the_demo_people_but_no_password(
    sandbox: Sandbox, application: Any
) -> None:
    page = requests.get(flow_of(application)["auth_uri"], timeout=10).text
    assert f'<option value="{sandbox.ready["administrator"]["username"]}">' in page
    assert sandbox.ready["administrator"]["password"] not in page


def redeemed(sandbox: Sandbox, back: dict[str, str], **form: str) -> int:
    answer = sandbox.token(
        grant_type="authorization_code",
        client_id=sandbox.ready["application"]["client_id"],
        code=back["code"],
        **form,
    )
    number: int = answer.json().get("error_codes", [0])[0]
    return number


def test_a_code_is_worth_nothing_without_its_proof_key_and_address(
    sandbox: Sandbox, application: Any
) -> None:
    flow = flow_of(application)
    back, verifier = signed_in(sandbox, flow), flow["code_verifier"]
    elsewhere = "http://127.0.0.1:8000/elsewhere/"
    assert redeemed(sandbox, back, redirect_uri=REDIRECT_URI) == 501481
    assert redeemed(sandbox, back, redirect_uri=REDIRECT_URI, code_verifier="x" * 43) == 501481
    assert redeemed(sandbox, back, redirect_uri=elsewhere, code_verifier=verifier) == 70008
    assert redeemed(sandbox, back, redirect_uri=REDIRECT_URI, code_verifier=verifier) == 0
    assert redeemed(sandbox, back, redirect_uri=REDIRECT_URI, code_verifier=verifier) == 54005


def test_a_token_for_another_nonce_is_not_taken(sandbox: Sandbox, application: Any) -> None:
    flow = flow_of(application)
    back = signed_in(sandbox, flow)
    with pytest.raises(RuntimeError, match="nonce"):
        application.acquire_token_by_auth_code_flow({**flow, "nonce": "another"}, back)


@pytest.mark.parametrize(
    ("redirect_uri", "status"),
    [
        ("https://financials.example/setup/signed-in/", 200),
        ("http://localhost:8000/", 200),
        ("http://financials.example/", 400),
        ("javascript:alert(1)", 400),
        ("", 400),
    ],
)
def test_browsers_are_sent_to_https_or_to_their_own_machine_only(
    sandbox: Sandbox, redirect_uri: str, status: int
) -> None:
    url = f"{sandbox.base_url}/{sandbox.ready['tenant']}/oauth2/v2.0/authorize"
    client_id = sandbox.ready["application"]["client_id"]
    wishes = {"client_id": client_id, "response_type": "code", "redirect_uri": redirect_uri}
    answer = requests.get(url, params=wishes, timeout=10)
    assert answer.status_code == status
    assert ("AADSTS50011" in answer.text) == (status == 400)
