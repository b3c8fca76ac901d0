"""Tokens: who signs in, what is said when it fails, and what never shows."""

from typing import Any
from uuid import UUID

import pytest

from crmsync.dataverse import administration
from crmsync.dataverse.address import Hosts
from crmsync.dataverse.auth import Authority, discover_authority
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import (
    AddressRefused,
    ConnectionLost,
    DataverseError,
    NotAMember,
    SignInFailed,
    TransientError,
    UnreadableAnswer,
)
from crmsync.dataverse.session import open_session
from tests.dataverse.wires import (
    API,
    ORIGIN,
    application_tokens,
    authority,
    client_of,
    password_tokens,
)
from tests.sandboxes import Sandbox

SANDBOX = Hosts(sandbox=True)


def discover(sandbox: Sandbox) -> Authority:
    session = open_session(sandbox_port=sandbox.port)
    return discover_authority(ORIGIN, session=session, hosts=SANDBOX)


def test_the_environment_says_which_tenant_it_belongs_to(sandbox: Sandbox) -> None:
    assert discover(sandbox) == authority(sandbox)


@pytest.mark.parametrize(
    "challenge",
    [
        "Bearer authorization_uri=https://login.evil.example/{tenant}/oauth2/authorize",
        "Bearer authorization_uri=https://login.sandbox.test.evil.example/{tenant}",
        "Bearer authorization_uri=https://login.sandbox.test@evil.example/{tenant}",
        "Bearer authorization_uri=https://login.sandbox.test:8443/{tenant}",
    ],
)
def test_only_sign_in_hosts_of_microsoft_are_believed(sandbox: Sandbox, challenge: str) -> None:
    header = challenge.format(tenant=sandbox.ready["tenant"])
    sandbox.fault({"path": API}, {"status": 401, "headers": {"WWW-Authenticate": header}})

    with pytest.raises(AddressRefused):
        discover(sandbox)


@pytest.mark.parametrize(
    "act",
    [
        {"body": "<html>A hotel</html>"},
        {"status": 404},
        {"status": 401},
        {"status": 401, "headers": {"WWW-Authenticate": "Basic realm=files"}},
        {"redirect": "https://evil.example/"},
    ],
)
def test_what_does_not_challenge_like_an_environment_is_none(
    sandbox: Sandbox, act: dict[str, Any]
) -> None:
    sandbox.fault({"path": API}, act)

    with pytest.raises(UnreadableAnswer):
        discover(sandbox)


def test_an_environment_that_cannot_be_reached_is_a_lost_connection(sandbox: Sandbox) -> None:
    sandbox.fault({"path": API}, {"drop": "before"})

    with pytest.raises(ConnectionLost):
        discover(sandbox)


@pytest.mark.parametrize("identity", ["administrator", "integration_user"])
def test_a_user_signs_in_with_a_password(sandbox: Sandbox, identity: str) -> None:
    found = administration.who_am_i(client_of(sandbox, sandbox.ready[identity]))

    assert str(found.user_id) == sandbox.ready[identity]["id"]
    assert str(found.organization_id) == sandbox.ready["organization_id"]


def test_an_application_signs_in_with_its_secret(sandbox: Sandbox, client: Client) -> None:
    assert str(administration.who_am_i(client).user_id) == sandbox.ready["application"]["id"]


def test_a_token_is_fetched_once_and_used_again(sandbox: Sandbox) -> None:
    tokens = application_tokens(sandbox)
    mark = sandbox.mark()

    assert tokens.token() == tokens.token()

    posts = [entry for entry in sandbox.journal(mark) if entry["url"].endswith("/token")]
    assert len(posts) == 1


def test_a_wrong_secret_is_named_as_such(sandbox: Sandbox) -> None:
    with pytest.raises(SignInFailed, match="secret is not valid") as caught:
        application_tokens(sandbox, secret="not-the-secret").token()

    assert "not-the-secret" not in f"{caught.value!r} {caught.value}"
    assert caught.value.trace.service_code == "AADSTS7000215"


@pytest.mark.parametrize(
    ("username", "password"),
    [("admin@cronus.sandbox.test", "wrong"), ("nobody@cronus.sandbox.test", "wrong")],
)
def test_a_wrong_password_is_a_failed_sign_in(
    sandbox: Sandbox, username: str, password: str
) -> None:
    with pytest.raises(SignInFailed):
        password_tokens(sandbox, username, password).token()


@pytest.mark.parametrize("flaw", ["disabled", "without_roles"])
def test_a_user_without_a_place_in_sales_is_not_a_member(sandbox: Sandbox, flaw: str) -> None:
    with pytest.raises((NotAMember, SignInFailed)):
        administration.who_am_i(client_of(sandbox, sandbox.ready["flawed"][flaw]))


@pytest.mark.parametrize(
    "act",
    [
        {"drop": "before"},
        {"status": 503},
        {"status": 500},
        {"half_body": True},
        {"wrong_json": True},
        {"body": "<html>A gateway</html>"},
        {"body": "[]"},
        {"body": "null"},
    ],
)
@pytest.mark.parametrize("path", ["openid-configuration", "/token"])
def test_a_sign_in_service_in_trouble_is_no_wrong_password(
    sandbox: Sandbox, path: str, act: dict[str, Any]
) -> None:
    sandbox.fault({"path": path}, act)

    with pytest.raises(DataverseError) as caught:
        application_tokens(sandbox).token()

    assert isinstance(caught.value, TransientError)


def test_no_secret_shows_where_tokens_are_printed(sandbox: Sandbox) -> None:
    secret = sandbox.ready["application"]["client_secret"]
    password = sandbox.ready["administrator"]["password"]
    tokens = application_tokens(sandbox)
    token = tokens.token()

    printed = f"{tokens!r} {tokens} {password_tokens(sandbox, 'admin', password)!r}"

    assert not [text for text in (secret, password, token) if text in printed]


def test_roles_held_through_a_team_count(sandbox: Sandbox) -> None:
    admin = client_of(sandbox, sandbox.ready["administrator"])
    flawed = sandbox.ready["flawed"]["team_administrator"]
    user_id = administration.user_by_name(admin, flawed["username"])
    assert str(user_id) == flawed["id"]
    assert user_id

    user = administration.user(admin, user_id)

    assert user.is_system_administrator
    plain = UUID(sandbox.ready["integration_user"]["id"])
    assert not administration.user(admin, plain).is_system_administrator


def test_the_organization_has_a_name_and_a_base_currency(sandbox: Sandbox, client: Client) -> None:
    found = administration.organization(client)

    (raw,) = sandbox.dump("organizations")
    assert found.name == raw["name"]
    assert str(found.base_currency_id) == raw["_basecurrencyid_value"]
    assert found.base_currency_code == "GBP"


def test_a_user_is_found_by_name_or_by_application(sandbox: Sandbox, client: Client) -> None:
    application = sandbox.ready["application"]
    found = administration.user_by_application(client, UUID(application["client_id"]))

    assert str(found) == application["id"]
    assert administration.user_by_name(client, "nobody@nowhere.example") is None
    stray = sandbox.ready["flawed"]["application_without_user"]["client_id"]
    assert administration.user_by_application(client, UUID(stray)) is None
