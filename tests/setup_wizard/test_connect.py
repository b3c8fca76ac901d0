"""Connecting checks everything live, and stores everything or nothing."""

import logging
import socket
import uuid
from typing import Any

import pytest
from pytest_django import Settings

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.dataverse import administration
from crmsync.ledger.models import CompanyInformation
from crmsync.sync.models import Coupling
from crmsync.terms import Scope
from setup_wizard.errors import SetupProblem
from setup_wizard.finish.plan import ActName
from setup_wizard.services import Administrator, IntegrationUser
from tests.sandboxes import Sandbox
from tests.setup_wizard.attempts import (
    APPLICATION,
    PASSWORD,
    Attempt,
    application,
    everything_stored,
    user,
)
from tests.setup_wizard.finishes import ROLE_IDS, by_administrator, holders, imports_go


@pytest.fixture
def unconnected(sandbox: Sandbox, books: object) -> Sandbox:
    """The demo company, not connected yet."""
    return sandbox


def refused(sandbox: Sandbox, **changes: Any) -> SetupProblem:
    """The problem of an attempt, after which nothing is stored."""
    with pytest.raises(SetupProblem) as caught:
        Attempt(sandbox, changes).connect()
    assert Connection.objects.count() == 0
    assert caught.value.remedy
    assert str(caught.value)
    return caught.value


def test_a_connection_is_stored_with_what_was_found(unconnected: Sandbox) -> None:
    connected = Attempt(unconnected, {"scopes": [Scope.CUSTOMERS]}).connect()

    found = Connection.objects.get()
    assert (found.origin, connected.origin) == (unconnected.ready["origin"],) * 2
    assert str(found.organization_id) == unconnected.ready["organization_id"]
    assert found.base_currency_code == "GBP"
    assert str(found.integration_user_id) == unconnected.ready["application"]["id"]
    assert found.scopes == ["customers"]
    assert found.is_enabled


@pytest.mark.parametrize("kind", [APPLICATION, PASSWORD])
def test_either_kind_of_integration_user_can_be_signed_in_from_what_was_stored(
    unconnected: Sandbox, kind: Connection.IdentityKind
) -> None:
    ready = unconnected.ready
    who = (
        application(ready["application"])
        if kind == APPLICATION
        else user(ready["integration_user"])
    )
    expected = ready["application"] if kind == APPLICATION else ready["integration_user"]

    Attempt(unconnected, {"integration_user": who}).connect()

    client = connections.open_client(connection=connections.get_connection())
    assert str(administration.who_am_i(client).user_id) == expected["id"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cronus.crm.sandbox.test",
        "http://cronus.crm.sandbox.test",
        "https://evil.example",
        "https://cronus.crm.sandbox.test@evil.example",
        "https://cronus.crm.sandbox.test/main.aspx",
    ],
)
def test_a_wrong_address_names_the_url(unconnected: Sandbox, url: str) -> None:
    mark = unconnected.mark()

    assert refused(unconnected, url=url).field == "url"

    assert unconnected.journal(mark) == []


def test_an_environment_that_is_down_names_the_url(
    unconnected: Sandbox, settings: Settings
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        settings.CRMSYNC_SANDBOX_PORT = closed.getsockname()[1]

    problem = refused(unconnected)

    assert problem.field == "url"
    assert "cannot be reached" in str(problem)


def test_what_is_not_an_environment_names_the_url(unconnected: Sandbox) -> None:
    unconnected.fault({"path": "/api/data/"}, {"body": "<html>A hotel</html>"})

    assert refused(unconnected).field == "url"


def test_an_unknown_administrator_is_named(unconnected: Sandbox) -> None:
    nobody = Administrator("nobody@cronus.sandbox.test", "whatever")

    assert refused(unconnected, administrator=nobody).field == "admin-user"


def test_a_wrong_password_of_the_administrator_names_the_administrator(
    unconnected: Sandbox,
) -> None:
    admin = Administrator(unconnected.ready["administrator"]["username"], "wrong")

    assert refused(unconnected, administrator=admin).field == "admin-user"


@pytest.mark.parametrize("flaw", ["disabled", "sign_in_blocked", "without_roles"])
def test_a_flawed_user_as_administrator_names_the_administrator(
    unconnected: Sandbox, flaw: str
) -> None:
    identity = unconnected.ready["flawed"][flaw]
    admin = Administrator(identity["username"], identity["password"])

    assert refused(unconnected, administrator=admin).field == "admin-user"


def test_an_administrator_must_be_a_system_administrator(unconnected: Sandbox) -> None:
    identity = unconnected.ready["integration_user"]
    admin = Administrator(identity["username"], identity["password"])

    problem = refused(unconnected, administrator=admin)

    assert problem.field == "admin-user"
    assert "not a System Administrator" in str(problem)


def test_an_administrator_through_a_team_is_one(unconnected: Sandbox) -> None:
    identity = unconnected.ready["flawed"]["team_administrator"]

    Attempt(
        unconnected,
        {"administrator": Administrator(identity["username"], identity["password"])},
    ).connect()

    assert Connection.objects.count() == 1


@pytest.mark.parametrize(
    ("flaw", "says"),
    [
        ("disabled", "disabled"),
        ("sign_in_blocked", "disabled"),
        ("unlicensed", "licence"),
        ("not_a_member", "not a user"),
        ("team_administrator", "System Administrator"),
    ],
)
def test_a_flawed_user_as_integration_user_names_the_integration_user(
    unconnected: Sandbox, flaw: str, says: str
) -> None:
    problem = refused(unconnected, integration_user=user(unconnected.ready["flawed"][flaw]))

    assert problem.field == "integration-user"
    assert says in str(problem)


@pytest.mark.parametrize("kind", ["a user without roles", "an application without a user"])
def test_what_the_integration_user_lacks_is_given_by_the_administrator(
    unconnected: Sandbox, kind: str
) -> None:
    flawed = unconnected.ready["flawed"]
    who = (
        application(flawed["application_without_user"])
        if kind == "an application without a user"
        else user(flawed["without_roles"])
    )

    Attempt(unconnected, {"integration_user": who}).connect()

    holder = str(Connection.objects.get().integration_user_id)
    assert holders(unconnected) == {role_id: {holder} for role_id in ROLE_IDS}


def test_the_company_must_use_the_suite_experience(unconnected: Sandbox) -> None:
    CompanyInformation.objects.update(experience="basic")
    mark = unconnected.mark()

    problem = refused(unconnected)

    assert "Basic experience" in str(problem)
    assert not [one for one in unconnected.journal(mark) if "/token" in one["url"]]


def test_a_failing_import_leaves_no_connection_and_says_why(unconnected: Sandbox) -> None:
    imports_go(unconnected, seconds=0, hidden=0, outcome="failed", message="It is locked.")

    problem = refused(unconnected)

    assert "It is locked." in problem.in_full


def test_each_act_is_said_when_it_is_done(unconnected: Sandbox) -> None:
    said: list[str] = []

    Attempt(unconnected, {"say": said.append}).connect()

    assert len(said) == len(ActName)
    assert said[0] == "Integration solution in Sales: Version 1.0.0.0 was imported."
    assert all(line.partition(": ")[2] for line in said)


def test_without_an_administrator_nothing_is_changed_in_sales_but_our_own_row(
    unconnected: Sandbox,
) -> None:
    Attempt(unconnected).connect()
    mark = unconnected.mark()

    Attempt(unconnected, {"administrator": None, "address": "https://books.example"}).connect()

    assert [one["url"].partition("(")[0] for one in unconnected.writes(mark)] == [
        "/api/data/v9.2/csy_connections"
    ]
    assert by_administrator(unconnected, mark) == []
    assert Connection.objects.get().is_enabled


def test_a_wrong_secret_of_the_application_names_the_integration_user(
    unconnected: Sandbox,
) -> None:
    wrong = IntegrationUser(APPLICATION, unconnected.ready["application"]["client_id"], "wrong")

    problem = refused(unconnected, integration_user=wrong)

    assert problem.field == "integration-user"
    assert "secret" in str(problem)


@pytest.mark.parametrize("name", ["not-an-id", "", str(uuid.UUID(int=7))])
def test_an_application_that_is_not_known_names_the_integration_user(
    unconnected: Sandbox, name: str
) -> None:
    unknown = IntegrationUser(APPLICATION, name, "whatever")

    assert refused(unconnected, integration_user=unknown).field == "integration-user"


def test_the_administrator_cannot_be_the_integration_user(unconnected: Sandbox) -> None:
    problem = refused(unconnected, integration_user=user(unconnected.ready["administrator"]))

    assert problem.field == "integration-user"


def test_another_base_currency_names_the_url(unconnected: Sandbox) -> None:
    CompanyInformation.objects.update(local_currency_code="DKK")

    problem = refused(unconnected)

    assert problem.field == "url"
    assert "GBP" in str(problem)
    assert "DKK" in str(problem)


def test_a_connection_stays_as_it_was_when_a_new_attempt_is_refused(connected: Sandbox) -> None:
    before = Connection.objects.values().get()
    wrong = IntegrationUser(APPLICATION, connected.ready["application"]["client_id"], "wrong")

    with pytest.raises(SetupProblem):
        Attempt(connected, {"integration_user": wrong, "scopes": [Scope.CUSTOMERS]}).connect()

    assert Connection.objects.values().get() == before


def test_connecting_again_replaces_the_connection_and_enables_it(connected: Sandbox) -> None:
    Connection.objects.update(is_enabled=False, disabled_because="The secret had expired.")

    Attempt(connected, {"scopes": [Scope.CUSTOMERS]}).connect()

    found = Connection.objects.get()
    assert (found.is_enabled, found.disabled_because, found.scopes) == (True, "", ["customers"])


def test_coupled_records_tie_the_installation_to_their_organization(connected: Sandbox) -> None:
    Connection.objects.update(organization_id=uuid.uuid4(), organization_name="Elsewhere")
    Coupling.objects.create(
        mapping="CUSTOMER",
        ledger_id=uuid.uuid4(),
        crm_table="account",
        crm_id=uuid.uuid4(),
        origin="person",
    )
    before = Connection.objects.values().get()

    with pytest.raises(SetupProblem, match="Elsewhere") as caught:
        Attempt(connected).connect()

    assert caught.value.field == "url"
    assert Connection.objects.values().get() == before


@pytest.mark.parametrize("ends", ["well", "in the integration user", "in the administrator"])
def test_the_password_of_the_administrator_is_kept_nowhere(
    unconnected: Sandbox, caplog: pytest.LogCaptureFixture, ends: str
) -> None:
    identity = unconnected.ready["administrator"]
    password = identity["password"] if ends != "in the administrator" else "canary-9f3c"
    changes: dict[str, Any] = {"administrator": Administrator(identity["username"], password)}
    if ends == "in the integration user":
        changes["integration_user"] = user(unconnected.ready["flawed"]["disabled"])
    caplog.set_level(logging.DEBUG)
    mark = unconnected.mark()
    said = ""

    try:
        Attempt(unconnected, changes).connect()
    except SetupProblem as problem:
        said = f"{problem!r} {problem} {problem.remedy} {problem.__cause__!r}"

    assert caplog.records
    places = [everything_stored(), caplog.text, said, str(unconnected.journal(mark))]
    assert not [place for place in places if password in place]


def test_the_secret_of_the_integration_user_is_stored_sealed_only(
    unconnected: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    Attempt(unconnected).connect()

    secret = unconnected.ready["application"]["client_secret"]
    assert secret not in everything_stored()
    assert secret not in caplog.text


def test_who_signs_in_does_not_show_a_password_when_printed() -> None:
    printed = (
        f"{Administrator('admin', 'canary')!r} {IntegrationUser(PASSWORD, 'user', 'canary')!r}"
    )

    assert "canary" not in printed
