"""Sign in with Microsoft: out to the page, back with a code, and nothing that is not ours."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from crmsync.dataverse import administration
from crmsync.dataverse.auth import Authority, BearerToken
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import (
    DataverseError,
    SignInEnded,
    SignInFailed,
    SignInNotOurs,
    TransientError,
)
from crmsync.dataverse.session import open_session
from crmsync.dataverse.sign_in import BegunSignIn, begin_sign_in, complete_sign_in
from tests.dataverse.wires import ORIGIN, authority, open_channel
from tests.sandboxes import Sandbox

# The public client that Microsoft's own samples use; the sandbox knows it.
PUBLIC_CLIENT = "51f81489-12ee-4a9e-aaae-a2591f45987d"
REDIRECT = "http://127.0.0.1:8000/setup/signed-in"


def begin(sandbox: Sandbox, *, login_hint: str = "", origin: str = ORIGIN) -> BegunSignIn:
    return begin_sign_in(
        origin=origin,
        authority=authority(sandbox),
        application_id=PUBLIC_CLIENT,
        redirect_uri=REDIRECT,
        session=open_session(sandbox_port=sandbox.port),
        login_hint=login_hint,
    )


def complete(
    sandbox: Sandbox, flow: dict[str, Any], answer: dict[str, str], *, origin: str = ORIGIN
) -> BearerToken:
    return complete_sign_in(
        flow=flow,
        answer=answer,
        origin=origin,
        authority=authority(sandbox),
        application_id=PUBLIC_CLIENT,
        session=open_session(sandbox_port=sandbox.port),
    )


def in_browser(url: str, **said: str) -> dict[str, str]:
    """Fill the sign-in page in as a person does; what the redirect address is given."""
    page = requests.get(url, timeout=10)
    assert page.status_code == 200, page.text
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    form = {name: html.unescape(value) for name, value in hidden} | said
    back = requests.post(url, data=form, timeout=10, allow_redirects=False)
    assert back.status_code == 302, back.text
    location = back.headers["Location"]
    assert location.startswith(f"{REDIRECT}?")
    return dict(parse_qsl(urlsplit(location).query))


def as_administrator(sandbox: Sandbox, begun: BegunSignIn) -> dict[str, str]:
    known = sandbox.ready["administrator"]
    return in_browser(begun.url, username=known["username"], password=known["password"])


def test_a_person_signs_in_and_the_token_is_theirs(sandbox: Sandbox) -> None:
    begun = begin(sandbox)

    token = complete(sandbox, begun.flow, as_administrator(sandbox, begun))

    caller = administration.who_am_i(Client(open_channel(sandbox.port, token)))
    assert str(caller.user_id) == sandbox.ready["administrator"]["id"]
    assert 0 < token.lifetime_seconds <= 3600


def test_the_flow_survives_being_kept_as_text(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    answer = as_administrator(sandbox, begun)

    assert complete(sandbox, json.loads(json.dumps(begun.flow)), answer).token()


def test_nothing_that_could_renew_the_access_is_asked_for(sandbox: Sandbox) -> None:
    asked = parse_qs(urlsplit(begin(sandbox).url).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert f"{ORIGIN}/user_impersonation" in asked["scope"][0].split()
    assert "offline_access" not in asked["scope"][0]


def test_a_person_chooses_an_account_unless_one_is_named(sandbox: Sandbox) -> None:
    anybody = parse_qs(urlsplit(begin(sandbox).url).query)
    named = parse_qs(urlsplit(begin(sandbox, login_hint="admin@cronus.example").url).query)

    assert anybody["prompt"] == ["select_account"]
    assert named["login_hint"] == ["admin@cronus.example"]
    assert "prompt" not in named


def test_a_tenant_that_nobody_knows_is_named(sandbox: Sandbox) -> None:
    tenant = "00000000-0000-4000-8000-000000000000"
    login = sandbox.ready["login_origin"]

    with pytest.raises(SignInFailed, match="tenant"):
        begin_sign_in(
            origin=ORIGIN,
            authority=Authority(f"{login}/{tenant}", tenant),
            application_id=PUBLIC_CLIENT,
            redirect_uri=REDIRECT,
            session=open_session(sandbox_port=sandbox.port),
        )


def test_a_token_ends_by_itself(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    token = complete(sandbox, begun.flow, as_administrator(sandbox, begun))

    with pytest.raises(SignInEnded):
        token.token(fresh=True)


@pytest.mark.parametrize("state", [None, "", "another", "é", "x" * 5000])
def test_an_answer_with_another_state_is_not_ours(sandbox: Sandbox, state: str | None) -> None:
    begun = begin(sandbox)
    answer = as_administrator(sandbox, begun)
    answer.pop("state")
    mark = sandbox.mark()

    with pytest.raises(SignInNotOurs):
        complete(sandbox, begun.flow, answer | ({} if state is None else {"state": state}))

    assert not [e for e in sandbox.journal(mark) if e["url"].endswith("/token")]


def test_an_answer_without_a_begun_sign_in_is_not_ours(sandbox: Sandbox) -> None:
    with pytest.raises(SignInNotOurs):
        complete(sandbox, {}, {"code": "some", "state": ""})


def test_the_answer_to_another_sign_in_is_not_ours(sandbox: Sandbox) -> None:
    first, second = begin(sandbox), begin(sandbox)

    with pytest.raises(SignInNotOurs):
        complete(sandbox, second.flow, as_administrator(sandbox, first))


def test_a_sign_in_begun_for_another_environment_is_not_ours(sandbox: Sandbox) -> None:
    begun = begin(sandbox, origin="https://contoso.crm.sandbox.test")
    answer = {"code": "some", "state": str(begun.flow["state"])}

    with pytest.raises(SignInNotOurs, match="another environment"):
        complete(sandbox, begun.flow, answer)


def test_an_identity_with_another_nonce_is_not_ours(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    answer = as_administrator(sandbox, begun)

    with pytest.raises(SignInNotOurs, match="identity"):
        complete(sandbox, begun.flow | {"nonce": "of another sign-in"}, answer)


def test_an_answer_that_holds_neither_code_nor_error_is_not_ours(sandbox: Sandbox) -> None:
    begun = begin(sandbox)

    with pytest.raises(SignInNotOurs, match="no code"):
        complete(sandbox, begun.flow, {"state": str(begun.flow["state"])})


def test_a_person_who_cancels_is_told_apart(sandbox: Sandbox) -> None:
    begun = begin(sandbox)

    with pytest.raises(SignInFailed, match="cancelled") as caught:
        complete(sandbox, begun.flow, in_browser(begun.url, cancel="1"))

    assert caught.value.trace.service_code == "access_denied"


def test_a_code_works_once(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    answer = as_administrator(sandbox, begun)
    complete(sandbox, begun.flow, answer)

    with pytest.raises(SignInFailed, match="used already") as caught:
        complete(sandbox, begun.flow, answer)

    assert caught.value.trace.service_code == "AADSTS54005"


def test_a_code_is_worth_nothing_without_its_verifier(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    answer = as_administrator(sandbox, begun)

    with pytest.raises(SignInFailed):
        complete(sandbox, begun.flow | {"code_verifier": "x" * 43}, answer)


@pytest.mark.parametrize(
    ("answer", "service_code"),
    [
        (
            {"error": "server_error", "error_description": "AADSTS53003: Blocked by policy."},
            "AADSTS53003",
        ),
        ({"error": "invalid_request", "error_description": "<script>"}, "invalid_request"),
        ({"error": "consent_required", "error_description": "AADSTS65001"}, "AADSTS65001"),
    ],
)
def test_a_refusal_of_the_page_is_named_by_its_code(
    sandbox: Sandbox, answer: dict[str, str], service_code: str
) -> None:
    begun = begin(sandbox)

    with pytest.raises(SignInFailed) as caught:
        complete(sandbox, begun.flow, answer | {"state": str(begun.flow["state"])})

    assert caught.value.trace.service_code == service_code
    assert "<script>" not in str(caught.value)


@pytest.mark.parametrize("act", [{"status": 503}, {"drop": "before"}, {"body": "<html>"}])
def test_a_sign_in_service_in_trouble_refuses_nobody(sandbox: Sandbox, act: dict[str, Any]) -> None:
    begun = begin(sandbox)
    answer = as_administrator(sandbox, begun)
    sandbox.fault({"path": "/token"}, act)

    with pytest.raises(DataverseError) as caught:
        complete(sandbox, begun.flow, answer)

    assert isinstance(caught.value, TransientError)


def test_nothing_secret_shows_where_a_sign_in_is_printed(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    flow = dict(begun.flow)
    token = complete(sandbox, begun.flow, as_administrator(sandbox, begun))

    printed = f"{begun!r} {begun} {token!r}"

    secrets = (flow["code_verifier"], flow["state"], flow["nonce"], token.token())
    assert not [text for text in secrets if text in printed]
