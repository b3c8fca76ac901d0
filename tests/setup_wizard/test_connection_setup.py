"""Connection Setup without the guide: what its page shows, and Test Connection."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from crmsync.audit.actors import INSTALLATION
from crmsync.availability.keys import change_key
from crmsync.celery import app
from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.frame.people import Role
from crmsync.sync import jobs
from setup_wizard.connection_setup import trying
from tests.kept import Kept
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import plant
from tests.setup_wizard.standing import PAGE, Standing, refuse_sign_in, stand, stored, text


@pytest.fixture
def standing(sandbox: Sandbox, db: None, kept_states: dict[str, Kept]) -> Standing:
    return stand(sandbox, kept_states)


def tones() -> dict[str, str]:
    trial = trying.try_connection(connection=stored())
    return {found.caption: found.tone for found in trial.findings}


def test_every_setting_is_on_the_page(standing: Standing) -> None:
    page = standing.page()

    connection = stored()
    assert connection.origin in page
    assert connection.organization_name in page
    assert connection.integration_user_name in page
    assert "Application with a client secret" in page
    assert "Customers" in page
    assert "The salesperson&#x27;s user, otherwise the integration user" in page
    assert "Version 1.0.0.0" in page
    assert "The secret is under the newest" in page
    assert "Receipt: what the setup did in Sales" in page
    assert "Sales was told none." in page
    assert "Nobody holds a web service key." in page


def test_holders_of_access_keys_are_named_with_a_way_to_their_page(standing: Standing) -> None:
    person = client_of(Role.OPERATIONS, name="carl-of-the-shop")
    user_id = person.session["_auth_user_id"]
    change_key(user_id=int(user_id), by=INSTALLATION)

    assert f'<a href="/people/{user_id}/">carl-of-the-shop</a>' in standing.page()


def test_without_a_connection_the_page_leads_to_the_guide(db: None) -> None:
    client = client_of(Role.ADMINISTRATORS)

    assert client.get(PAGE).headers["Location"] == "/setup/"
    assert 'href="/setup/connection/"' in text(client.get("/"))


def test_a_connection_that_is_being_set_up_is_the_guides_alone(standing: Standing) -> None:
    Connection.objects.update(is_being_set_up=True, is_enabled=False)

    assert standing.client.get(PAGE).headers["Location"] == "/setup/"
    assert standing.post("enable").status_code == 302
    assert not stored().is_enabled


@pytest.mark.parametrize(
    ("days", "said"),
    [(-1, "Expired on"), (10, "Valid until"), (200, "Valid until")],
)
def test_the_end_of_a_certificate_is_warned_about_here_and_on_home(
    standing: Standing, days: int, said: str
) -> None:
    ends = timezone.now() + timedelta(days=days)
    Connection.objects.update(credential_expires_at=ends)

    home = text(standing.client.get("/"))

    assert said in standing.page()
    assert ("The certificate of the integration user" in home) is (days <= 30)
    assert ("is over" in home) is (days < 0)


def test_the_status_tells_what_is_true_now(standing: Standing) -> None:
    assert "0 of 3" in standing.page()
    assert "None is alive" in standing.page()
    assert "Not throttled" in standing.page()

    jobs.request(mapping="CURRENCY", by="test")
    connections.beat(worker="w")
    connections.close_gate(seconds=90)

    live = text(standing.client.get(f"{PAGE}status/", headers={"HX-Request": "true"}))
    assert "1 of 3" in live
    assert "1 alive" in live
    assert "Sales asked us to wait." in live
    assert "Currencies</a>" in live
    assert "<html" not in live


def test_the_broker_that_is_away_is_said_to_be(standing: Standing) -> None:
    former = app.conf.broker_url
    app.conf.update(broker_url="redis://127.0.0.1:1/0")
    try:
        page = standing.page()
    finally:
        app.conf.update(broker_url=former)

    assert "Does not answer" in page


def test_the_test_looks_at_everything_and_says_what_it_saw(standing: Standing) -> None:
    Connection.objects.update(answered_at=None, organization_version="", solution_version="")

    page = text(standing.post("test"))

    assert "Everything works" in page
    assert "Sales knows us as" in page
    assert "crmsync Integration User" in page
    assert page.count("Can be read, with every column.") == 3
    row = stored()
    assert row.answered_at is not None
    assert row.organization_version.startswith("9.")
    assert row.solution_version == "1.0.0.0"
    assert row.is_enabled


def test_the_test_works_while_disabled_and_changes_nothing(standing: Standing) -> None:
    Connection.objects.update(is_enabled=False, disabled_because="The contract ended.")
    mark = standing.sandbox.mark()

    assert "Everything works" in text(standing.post("test"))

    assert not stored().is_enabled
    assert standing.sandbox.writes(mark) == []


def test_a_secret_that_is_refused_is_named_and_nobody_looked_any_further(
    standing: Standing,
) -> None:
    Connection.objects.update(answered_at=None)
    refuse_sign_in(standing.sandbox)

    page = text(standing.post("test"))

    assert "The application&#x27;s secret has expired. (AADSTS7000222)" in page
    assert "1 thing stands in the way" in page
    assert "Everything works" not in page
    assert page.count("Not looked at.") == 9
    assert stored().answered_at is None


def test_another_organization_or_user_is_no_success(standing: Standing) -> None:
    right = stored()
    other = "00000000-0000-0000-0000-000000000001"
    Connection.objects.update(organization_id=other, answered_at=None)
    assert tones()["Organization"] == "bad"

    Connection.objects.update(
        organization_id=right.organization_id, integration_user_id=other, answered_at=None
    )
    assert tones()["Integration user"] == "bad"
    assert stored().answered_at is None


@pytest.mark.parametrize(
    ("path", "status", "caption"),
    [
        ("RetrieveUserPrivileges", 403, "Privileges"),
        ("RetrieveVersion", 503, "Version of Sales"),
        ("solutions", 403, "Integration solution"),
        ("accounts", 403, "Account"),
    ],
)
def test_each_line_fails_for_itself(
    standing: Standing, path: str, status: int, caption: str
) -> None:
    standing.sandbox.fault({"path": path}, {"status": status})

    found = tones()

    assert found[caption] == "bad"
    assert [name for name, tone in found.items() if tone != "good"] == [caption]


def test_a_lost_key_breaks_no_page_and_is_said(standing: Standing, settings: Settings) -> None:
    settings.CRMSYNC_SEALING_KEYS = ["another key"]

    assert "The stored secret does not open" in standing.page()
    assert "is not at hand" in text(standing.post("test"))
    answer = standing.post("rotate-keys")
    assert answer.status_code == 302
    assert "is not at hand" in standing.page()


def test_a_missing_solution_leads_to_redeploying_it(standing: Standing) -> None:
    standing.sandbox.fault({"path": "solutions"}, {"status": 200, "body": '{"value": []}'})

    page = text(standing.post("test"))

    assert "The integration solution is not installed." in page
    assert "Choose Redeploy Integration Solution." in page


def test_an_integration_user_who_became_system_administrator_fails_the_test(
    standing: Standing,
) -> None:
    role = next(
        row
        for row in standing.sandbox.dump("roles")
        if row["name"] == "System Administrator" and not row["_parentroleid_value"]
    )
    held = {"systemuserid": str(stored().integration_user_id), "roleid": role["roleid"]}
    plant(standing.sandbox, {"set": "systemuserrolescollection", "row": held})

    trial = trying.try_connection(connection=stored())

    found = next(one for one in trial.findings if one.caption == "Integration user")
    assert (found.tone, "is a System Administrator" in found.seen) == ("bad", True)
    assert "Take the role away" in found.remedy
    assert not trial.has_passed


def test_a_hidden_column_is_warned_about(standing: Standing) -> None:
    plant(standing.sandbox, {"secure": "account.creditlimit"})

    trial = trying.try_connection(connection=stored())

    found = next(one for one in trial.findings if one.caption == "Account")
    assert (found.tone, found.seen) == ("warn", "Hidden from the integration user: creditlimit.")


def test_the_roles_of_the_integration_user_are_shown_once_they_were_seen(
    standing: Standing,
) -> None:
    trying.try_connection(connection=stored())

    assert "crmsync Integration Administrator, crmsync Integration User" in standing.page()


def test_more_tables_need_no_more_questions(
    standing: Standing, django_assert_max_num_queries: Any
) -> None:
    standing.page()
    with django_assert_max_num_queries(12):
        standing.page()


def test_a_throttled_connection_is_not_asked(standing: Standing) -> None:
    connections.close_gate(seconds=60)
    mark = standing.sandbox.mark()

    assert "Sales asked us to wait" in text(standing.post("test"))

    assert standing.sandbox.journal(mark) == []


def test_keys_are_rotated_with_and_without_a_new_one(
    standing: Standing, settings: Settings, tmp_path: Any
) -> None:
    before = stored().sealed_secret
    if settings.CRMSYNC_SEALING_KEYS:
        settings.CRMSYNC_SEALING_KEYS = ["newer", *settings.CRMSYNC_SEALING_KEYS]
        assert "under an older one" in standing.page()
        standing.post("rotate-keys")
    else:
        standing.post("rotate-keys")
        assert stored().sealed_secret == before
        standing.post("rotate-keys", new_key="on")

    assert stored().sealed_secret != before
    assert "The secret is under the newest" in standing.page()
    assert set(tones().values()) == {"good"}


def test_every_action_of_the_page_leads_to_a_page_that_is_there(standing: Standing) -> None:
    main = standing.page().partition("<main")[2]
    paths = set(re.findall(r'<a (?:class="[^"]*" )?href="(/[^"]*)"', main))

    assert {"/tables/SALESPEOPLE/", "/full-synchronization/", "/setup/"} <= paths
    for path in paths:
        assert standing.client.get(html.unescape(path)).status_code == 200, path
