"""The assisted setup from its first page to its last."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from crmsync.connections.models import Connection
from crmsync.frame.people import Role
from crmsync.ledger.models import CompanyInformation
from setup_wizard.models import SetupProgress
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import finish, imports_go
from tests.setup_wizard.guide import STEPS, Guide, leads_to, text


def test_the_guide_connects_step_by_step(guide: Guide) -> None:
    assert "/setup/environment/" in text(guide.client.get("/setup/"))
    for step, following in zip(STEPS, (*STEPS[1:], "finish"), strict=True):
        assert guide.get(step).status_code == 200
        assert leads_to(guide.post(step)) == f"/setup/{following}/"
    imports_go(guide.sandbox, seconds=0, hidden=0)
    finish(guide)

    page = text(guide.client.get("/setup/done/"))
    found = Connection.objects.get()
    assert found.organization_name in page
    assert found.connected_by == "a-administrators"
    assert "Couple salespeople" in page
    assert "First: Salespeople" in page
    assert not SetupProgress.objects.exists()
    assert "setup_key" not in guide.kept_cookies()


def test_a_user_with_a_password_can_be_the_integration_user(guide: Guide) -> None:
    identity = guide.sandbox.ready["integration_user"]
    guide.until("integration-user")
    guide.post(
        "integration-user",
        {"kind": "password", "username": identity["username"], "password": identity["password"]},
    )
    for step in ("tables", "checks", "check"):
        guide.post(step)
    imports_go(guide.sandbox, seconds=0, hidden=0)
    finish(guide)

    assert str(Connection.objects.get().integration_user_id) == identity["id"]


def test_the_start_page_says_what_is_connected(connected: Sandbox) -> None:
    Connection.objects.update(is_enabled=False, disabled_because="The <b>secret</b> expired.")
    found = Connection.objects.get()

    page = text(client_of(Role.ADMINISTRATORS).get("/setup/"))

    for part in (found.organization_name, found.origin, found.integration_user_name):
        assert part in page
    assert "Disabled" in page
    assert "The &lt;b&gt;secret&lt;/b&gt; expired." in page
    assert "Set up again" in page


def test_setting_up_again_begins_with_what_is_connected(connected: Sandbox) -> None:
    client = client_of(Role.ADMINISTRATORS)

    assert Connection.objects.get().origin in text(client.get("/setup/environment/"))


@pytest.mark.parametrize(
    ("step", "changes", "says"),
    [
        ("environment", {"url": ""}, "This field is required."),
        ("environment", {"application_id": "7"}, "Give the id as Microsoft Entra shows it"),
        ("administrator", {"password": ""}, "This field is required."),
        ("administrator", {"password": "wrong"}, "The user name or the password is wrong."),
        ("administrator", {"username": "nobody@x"}, "The user is not known in this tenant."),
        ("integration-user", {"kind": "other"}, "Select a valid choice."),
        ("integration-user", {"application": ""}, "This field is required."),
        ("integration-user", {"application_secret": ""}, "This field is required."),
        ("integration-user", {"application_secret": "x"}, "secret is not valid."),
        ("tables", {"scopes": []}, "Tick at least one."),
        ("tables", {"scopes": ["everything"]}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    guide: Guide, step: str, changes: dict[str, Any], says: str
) -> None:
    guide.until(step)

    page = text(guide.post(step, changes))

    name = next(iter(changes))
    assert "<title>Error:" in page
    assert f'href="#id_{name}' in page
    assert f'id="id_{name}_error"' in page
    assert says in page
    assert not SetupProgress.objects.filter(answers__has_key=step).exists()


def test_the_sandbox_is_reached_by_a_server_setting_alone(guide: Guide, settings: Any) -> None:
    settings.CRMSYNC_SANDBOX_PORT = 0

    page = text(guide.post("environment"))

    assert "cronus.crm.sandbox.test is not a host of Dynamics 365 Sales." in page


def test_a_problem_of_an_earlier_step_leads_back_to_its_field(guide: Guide) -> None:
    CompanyInformation.objects.update(local_currency_code="DKK")
    guide.until("administrator")

    assert leads_to(guide.post("administrator")) == "/setup/environment/"

    page = text(guide.get("environment"))
    assert "The base currency of Sales is GBP" in page
    assert 'id="id_url_error"' in page
    assert "<title>Error:" in page
    assert leads_to(guide.get("administrator")) == "/setup/environment/"
    assert SetupProgress.objects.get().sealed == {}


def test_an_application_id_that_is_not_known_leads_back_to_it(guide: Guide) -> None:
    unknown = "00000000-0000-0000-0000-000000000007"
    guide.post("environment", {"application_id": unknown})

    assert leads_to(guide.post("administrator")) == "/setup/environment/"

    assert 'id="id_application_id_error"' in text(guide.get("environment"))


def test_steps_cannot_be_skipped(guide: Guide) -> None:
    for step in STEPS[1:]:
        assert leads_to(guide.get(step)) == "/setup/environment/"
        if step != "check":
            assert leads_to(guide.post(step)) == "/setup/environment/"
    assert Connection.objects.count() == 0


def test_an_unknown_step_is_not_found_and_a_foreign_form_is_refused(guide: Guide) -> None:
    assert guide.client.get("/setup/nonsense/").status_code == 404
    assert guide.client.post("/setup/nonsense/").status_code == 404
    assert guide.client.post("/setup/environment/").status_code == 400
    foreign = {"setup-current_step": "nonsense", **guide.right("environment")}
    assert guide.client.post("/setup/environment/", foreign).status_code == 400


@pytest.mark.parametrize("experience", ["basic", None])
def test_without_a_company_with_the_suite_experience_nothing_can_be_set_up(
    guide: Guide, experience: str | None
) -> None:
    guide.until("check")
    if experience:
        CompanyInformation.objects.update(experience=experience)
    else:
        CompanyInformation.objects.all().delete()

    page = text(guide.client.get("/setup/"))

    assert 'class="button" href="/company/"' in page
    assert "/setup/environment/" not in page
    assert leads_to(guide.get("environment")) == "/setup/"
    assert leads_to(guide.post("check")) == "/setup/"
    assert Connection.objects.count() == 0


@pytest.mark.parametrize("role", [Role.ACCOUNTANTS, Role.OPERATIONS])
def test_only_those_who_set_up_may_look(db: None, role: Role) -> None:
    client = client_of(role)
    for path in ("/setup/", "/setup/environment/", "/setup/done/"):
        assert client.get(path).status_code == 403
    for path in ("/setup/environment/", "/setup/cancel/"):
        assert client.post(path).status_code == 403
    assert Client().get("/setup/").status_code == 302


def test_a_form_from_elsewhere_changes_nothing(guide: Guide) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = guide.client.cookies

    answer = strict.post("/setup/environment/", guide.right("environment"))

    assert answer.status_code == 403
    assert not SetupProgress.objects.exists()


def test_names_from_sales_are_shown_as_text(guide: Guide) -> None:
    hostile = {
        "fullname": "<img src=x onerror=alert(1)> \u202e",
        "_businessunitid_value": str(uuid.uuid4()),
        "accessmode": 4,
    }
    one_user = r"systemusers\([^)]*\)\?"
    guide.sandbox.fault({"path": one_user}, {"status": 200, "body": json.dumps(hostile)})
    guide.until("check")

    page = text(guide.get("check"))

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_no_page_asks_the_database_more_than_it_may(
    guide: Guide, django_assert_max_num_queries: Any
) -> None:
    guide.until("check")
    paths = ["/setup/", "/setup/done/", *(f"/setup/{step}/" for step in STEPS)]
    for path in paths:
        # The checks look at the books, too, and compare them with what is in Sales.
        with django_assert_max_num_queries(24 if "checks" in path else 8):
            guide.client.get(path)
    guide.post("check")
    for path in (*paths[:2], "/setup/environment/", "/setup/tables/"):
        with django_assert_max_num_queries(8):
            guide.client.get(path)
