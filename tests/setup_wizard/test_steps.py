"""What the steps ask, prove and remember of the people who prepare Sales and work in it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from crmsync.dataverse.administration import AccessMode, set_access_mode
from setup_wizard.models import SetupProgress
from tests.setup_wizard.attempts import everything_stored
from tests.setup_wizard.finishes import administrator
from tests.setup_wizard.guide import Guide, leads_to, text

NONE = {"kind": "none", "username": "", "password": ""}


def as_application(identity: Mapping[str, str]) -> dict[str, str]:
    return {
        "kind": "application",
        "application": identity["client_id"],
        "application_secret": identity["client_secret"],
    }


def with_certificate(identity: Mapping[str, str], pem: str | None = None) -> dict[str, str]:
    return {
        "kind": "certificate",
        "application": identity["client_id"],
        "certificate": identity["pem"] if pem is None else pem,
    }


def as_user(identity: Mapping[str, str]) -> dict[str, str]:
    return {"kind": "password", "username": identity["username"], "password": identity["password"]}


def seen(step: str) -> dict[str, Any]:
    found: dict[str, Any] = SetupProgress.objects.get().seen[step]
    return found


def test_the_environment_page_holds_a_message_to_whoever_administers_entra(guide: Guide) -> None:
    page = text(guide.get("environment"))

    assert "http://testserver/setup/signed-in/" in page
    for part in ("Mobile and desktop applications", "user_impersonation", "public client flows"):
        assert part in page
    assert '<textarea id="message"' in page
    assert 'data-copies="message"' in page


@pytest.mark.parametrize(
    ("opened_at", "is_noted"), [("127.0.0.1", True), ("localhost", False), ("testserver", False)]
)
def test_an_address_that_only_the_manifest_takes_is_noted_on_the_page_and_in_the_message(
    guide: Guide, opened_at: str, is_noted: bool
) -> None:
    page = text(guide.client.get("/setup/environment/", headers={"Host": f"{opened_at}:8000"}))

    message, about = page.split("</textarea>")
    message = message.rpartition("<textarea")[2]
    assert f"http://{opened_at}:8000/setup/signed-in/" in message
    assert ("Please add it under Manifest" in message) is is_noted
    assert ("has to be added in the manifest" in about) is is_noted
    assert ("http://localhost:8000/setup/signed-in/" in message) is (opened_at != "testserver")
    link = '<a href="http://localhost:8000/setup/environment/">'
    assert (link in about) is is_noted


def test_localhost_is_not_named_where_pages_may_not_be_opened_under_it(
    guide: Guide, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]

    page = text(guide.client.get("/setup/environment/", headers={"Host": "127.0.0.1:8000"}))

    assert "Please add it under Manifest" in page
    assert "localhost" not in page


def test_the_organization_is_shown_once_somebody_is_signed_in(guide: Guide) -> None:
    guide.until("integration-user")

    page = text(guide.get("integration-user"))

    assert "CRONUS International, version 9.2." in page


def test_without_an_administrator_the_integration_user_tells_the_organization(
    guide: Guide,
) -> None:
    guide.until("administrator")
    guide.post("administrator", NONE)
    assert "CRONUS International" not in text(guide.get("integration-user"))

    guide.post("integration-user")

    page = text(guide.get("tables"))
    assert "The organization is CRONUS International." in page
    assert "Version 9.2." in page
    assert "The base currency is GBP, as in the books." in page


def test_how_the_integration_user_may_work_in_sales_is_shown_as_it_was_seen(guide: Guide) -> None:
    guide.until("tables")
    page = text(guide.get("tables"))
    assert "It is an application user. Its access mode is Non-interactive." in page
    assert "No licence is assigned, and none is needed." in page

    guide.post("integration-user", as_user(guide.sandbox.ready["flawed"]["without_roles"]))

    page = text(guide.get("tables"))
    assert "It is an application user." not in page
    assert "Its access mode is Read-Write. A licence is assigned." in page


def test_an_access_mode_that_does_not_do_is_named(guide: Guide) -> None:
    guide.until("integration-user")
    user = guide.sandbox.ready["integration_user"]
    admin = administrator(guide.sandbox)
    set_access_mode(admin, UUID(user["id"]), AccessMode.ADMINISTRATIVE)

    page = text(guide.post("integration-user", as_user(user)))

    assert "is Administrative, which does not allow synchronization." in page


@pytest.mark.parametrize(
    ("flaw", "says"),
    [
        ("disabled", "disabled or without roles"),
        ("sign_in_blocked", "account is disabled"),
        ("without_roles", "disabled or without roles"),
        ("customizer", "is not a System Administrator"),
        ("not_a_member", "Sales does not know the user"),
    ],
)
def test_somebody_who_cannot_prepare_sales_is_named_beside_the_input(
    guide: Guide, flaw: str, says: str
) -> None:
    guide.until("administrator")

    page = text(guide.post("administrator", as_user(guide.sandbox.ready["flawed"][flaw])))

    assert 'id="id_username_error"' in page
    assert says in page
    assert "administrator" not in SetupProgress.objects.get().answers


def test_without_an_administrator_the_guide_says_what_must_be_there(guide: Guide) -> None:
    guide.until("administrator")
    page = text(guide.get("administrator"))
    assert "the solution crmsync Integration, version 1.0.0.0 or newer" in page

    assert leads_to(guide.post("administrator", NONE)) == "/setup/integration-user/"

    row = SetupProgress.objects.get()
    assert row.answers["administrator"] == {"kind": "none", "username": ""}
    assert row.seen["administrator"] == {}
    assert "Without an administrator it must hold the integration roles already." in text(
        guide.get("integration-user")
    )


def test_choosing_no_administrator_forgets_the_sign_in_of_the_former(guide: Guide) -> None:
    guide.until("integration-user")
    assert set(SetupProgress.objects.get().sealed) == {"administrator_token"}

    guide.post("administrator", NONE)

    assert SetupProgress.objects.get().sealed == {}


def test_without_an_administrator_the_integration_user_needs_a_role(guide: Guide) -> None:
    guide.until("administrator")
    guide.post("administrator", NONE)
    flawed = guide.sandbox.ready["flawed"]

    page = text(guide.post("integration-user", as_user(flawed["without_roles"])))

    assert 'id="id_username_error"' in page
    page = text(guide.post("integration-user", as_application(flawed["application_without_user"])))
    assert 'id="id_application_error"' in page


def test_an_application_that_is_no_user_of_sales_yet_is_to_be_created(guide: Guide) -> None:
    guide.until("integration-user")
    stray = as_application(guide.sandbox.ready["flawed"]["application_without_user"])

    assert leads_to(guide.post("integration-user", stray)) == "/setup/tables/"

    assert (seen("integration-user")["is_new"], seen("integration-user")["user_id"]) == (True, "")
    assert "Its user in Sales will be created by the setup." in text(guide.get("tables"))


def test_a_user_without_roles_is_good_enough_where_an_administrator_assigns_them(
    guide: Guide,
) -> None:
    guide.until("integration-user")
    user = as_user(guide.sandbox.ready["flawed"]["without_roles"])

    assert leads_to(guide.post("integration-user", user)) == "/setup/tables/"

    assert seen("integration-user")["roles"] == []
    assert "Roles: none yet" in text(guide.get("tables"))


@pytest.mark.parametrize(
    ("flaw", "input_name", "says"),
    [
        ("disabled", "username", "is disabled in Sales"),
        ("sign_in_blocked", "username", "account is disabled"),
        ("team_administrator", "username", "is a System Administrator"),
        ("unlicensed", "username", "has no licence for Sales"),
        ("not_a_member", "username", "is not a user of this environment"),
    ],
)
def test_a_user_who_will_not_do_is_named_beside_the_input(
    guide: Guide, flaw: str, input_name: str, says: str
) -> None:
    guide.until("integration-user")

    page = text(guide.post("integration-user", as_user(guide.sandbox.ready["flawed"][flaw])))

    assert f'id="id_{input_name}_error"' in page
    assert says in page
    assert "integration-user" not in SetupProgress.objects.get().answers


def test_the_administrator_cannot_be_the_integration_user(guide: Guide) -> None:
    guide.until("integration-user")

    page = text(guide.post("integration-user", as_user(guide.sandbox.ready["administrator"])))

    assert "The integration user is the administrator." in page


@pytest.mark.parametrize(
    ("flaw", "input_name", "says"),
    [
        ("application_in_no_tenant", "application", "The application is not known in this tenant."),
        ("expired_application", "application_secret", "secret has expired."),
    ],
)
def test_an_application_that_cannot_sign_in_is_named_beside_the_input(
    guide: Guide, flaw: str, input_name: str, says: str
) -> None:
    guide.until("integration-user")
    identity = guide.sandbox.ready["flawed"][flaw]

    page = text(guide.post("integration-user", as_application(identity)))

    assert f'id="id_{input_name}_error"' in page
    assert says in page


def test_a_certificate_is_shown_back_by_thumbprint_and_last_day_alone(guide: Guide) -> None:
    guide.until("integration-user")
    identity = guide.sandbox.ready["certificate_application"]

    assert leads_to(guide.post("integration-user", with_certificate(identity))) == "/setup/tables/"

    found = seen("integration-user")
    page = text(guide.get("tables"))
    assert f"Thumbprint {found['thumbprint']}" in page
    assert len(found["thumbprint"]) == 40
    assert found["expires"] > "2026"
    line = identity["pem"].splitlines()[3]
    assert line not in everything_stored()
    assert line not in text(guide.get("integration-user"))
    assert "Set. Leave it empty to keep it." in text(guide.get("integration-user"))


@pytest.mark.parametrize("flaw", ["expired_certificate", "unregistered_certificate"])
def test_a_certificate_that_cannot_sign_in_is_refused_beside_it(guide: Guide, flaw: str) -> None:
    guide.until("integration-user")
    identity = guide.sandbox.ready["flawed"][flaw]

    page = text(guide.post("integration-user", with_certificate(identity)))

    assert 'id="id_certificate_error"' in page
    assert ("has expired" if "expired" in flaw else "is not registered") in page
    assert identity["pem"].splitlines()[3] not in page


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        ("", "This field is required."),
        ("nonsense", "The text holds no private key."),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no private key"),
    ],
)
def test_a_text_that_is_no_certificate_is_refused_before_anybody_is_asked(
    guide: Guide, pem: str, says: str
) -> None:
    guide.until("integration-user")
    identity = guide.sandbox.ready["certificate_application"]
    mark = guide.sandbox.mark()

    page = text(guide.post("integration-user", with_certificate(identity, pem)))

    assert 'id="id_certificate_error"' in page
    assert says in page
    assert guide.sandbox.journal(mark) == []


def test_what_cannot_be_synchronized_yet_is_shown_as_not_available(guide: Guide) -> None:
    guide.until("tables")

    page = text(guide.get("tables"))

    for caption in ("Item availability", "Sales order integration"):
        assert caption in page
    assert page.count("Not available in this version yet.") == 2
    assert page.count("disabled><span>") == 2


def test_what_will_be_done_as_administrator_is_listed_before_it_is_confirmed(guide: Guide) -> None:
    guide.until("integration-user")
    stray = as_application(guide.sandbox.ready["flawed"]["application_without_user"])
    guide.post("integration-user", stray)
    guide.post("tables")
    guide.post("checks", {"change_tracking": ["systemuser"]})

    page = text(guide.get("check"))

    assert "Import the solution crmsync Integration 1.0.0.0" in page
    assert f"Create the application user of the application {stray['application']}." in page
    assert "crmsync Integration Administrator, crmsync Integration User" in page
    assert "Switch change tracking on for: User." in page
    assert "Connect and import the solution" in page
