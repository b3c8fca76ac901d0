"""Answers changed when the finish has begun: what was done in Sales before stays known."""

import uuid
from typing import Any

import pytest

from crmsync.audit.models import Entry
from crmsync.connections.models import Connection
from setup_wizard.models import SetupProgress
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import (
    confirmed,
    finish,
    holders,
    imports_go,
    imports_sent,
    one_act,
)
from tests.setup_wizard.guide import Guide, text
from tests.setup_wizard.test_cancelling import CANCEL, DONE, cancelled, of_a_stray, until

ELSEWHERE = "https://elsewhere.crm.sandbox.test"
NOBODY = {"kind": "none", "username": "", "password": ""}


@pytest.fixture
def at_once(sandbox: Sandbox) -> Sandbox:
    """Sales imports without taking time."""
    imports_go(sandbox, seconds=0, hidden=0)
    return sandbox


@pytest.fixture
def prepared(guide: Guide, at_once: Sandbox) -> Guide:
    """A user was created in Sales and given roles; nothing is connected yet."""
    confirmed(guide, **of_a_stray(guide))
    until("roles", guide)
    return guide


def confirm_with(guide: Guide, **changes: dict[str, Any]) -> None:
    """These steps answered otherwise, and everything confirmed again."""
    for step, answers in changes.items():
        assert guide.post(step.replace("_", "-"), answers).status_code == 302
    for step in ("checks", "check"):
        assert guide.post(step).status_code == 302


def to_the_end(guide: Guide, **changes: dict[str, Any]) -> str:
    """The page behind the finish."""
    confirm_with(guide, **changes)
    finish(guide)
    return text(guide.client.get(DONE))


def stray_user(guide: Guide) -> str:
    """The id of the user that was created."""
    client_id = guide.sandbox.ready["flawed"]["application_without_user"]["client_id"]
    rows = guide.sandbox.dump("systemusers")
    return next(str(row["systemuserid"]) for row in rows if row["applicationid"] == client_id)


def recorded() -> dict[str, Any]:
    after: dict[str, Any] = Entry.objects.get(act="connection_set_up").after
    return after


def test_other_tables_make_nobody_forget_what_was_created_and_given(prepared: Guide) -> None:
    page = to_the_end(prepared, tables={"scopes": ["salespeople"]})

    assert "crmsync Integration was created." in page
    assert "Given to crmsync Integration: crmsync Integration Administrator" in page
    assert "was a user of Sales already" not in page
    assert "Held already" not in page
    assert "Earlier in this setup" not in page


def test_a_user_who_is_not_the_integration_user_any_more_is_told_with_its_roles(
    prepared: Guide,
) -> None:
    application = prepared.right("integration-user")
    confirm_with(prepared, integration_user=application)
    asked = text(prepared.client.get(CANCEL))
    finish(prepared)
    page = text(prepared.client.get(DONE))

    # Nothing is taken away from anybody by itself.
    assert all(stray_user(prepared) in held for held in holders(prepared.sandbox).values())
    for one in (asked, page):
        assert "crmsync Integration was created." in one
        assert "Disable the user in the Power Platform admin center" in one
        assert "Given to crmsync Integration: crmsync Integration Administrator" in one
        assert "Take the roles from the user in the Power Platform admin center" in one
    assert "Given to # crmsync integration: " in page
    assert page.count("Earlier in this setup") == 2
    assert "crmsync Integration: crmsync Integration User" in recorded()["roles_given"]
    assert "# crmsync integration: crmsync Integration User" in recorded()["roles_given"]


def test_on_the_way_back_to_a_user_what_was_done_for_it_is_told_once(prepared: Guide) -> None:
    confirm_with(prepared, integration_user=prepared.right("integration-user"))
    until("roles", prepared)

    page = to_the_end(prepared, **of_a_stray(prepared))

    assert page.count("crmsync Integration was created.") == 1
    assert page.count("Given to crmsync Integration:") == 1
    assert "Held already" not in page
    # The other one has roles now that nobody needs.
    assert page.count("Given to # crmsync integration:") == 1
    assert page.count("Earlier in this setup") == 1


def test_a_setup_that_goes_on_without_an_administrator_does_not_deny_the_one_it_had(
    prepared: Guide,
) -> None:
    page = to_the_end(prepared, administrator=NOBODY)

    assert "Nobody signed in as an administrator" not in page
    assert "Earlier in this setup Sandbox Administrator had access." in page
    assert "was created. " in page
    assert recorded()["administrator"] == "Sandbox Administrator"
    assert recorded()["user_created"]


def test_each_of_two_administrators_is_told_with_what_they_did(prepared: Guide) -> None:
    second = prepared.sandbox.ready["flawed"]["administrator_without_customizer"]
    login = {name: second[name] for name in ("username", "password")}

    page = to_the_end(prepared, administrator=login)

    users = prepared.sandbox.dump("systemusers")
    name = next(row["fullname"] for row in users if row["systemuserid"] == second["id"])
    assert f"{name} prepared Sales." in page
    assert "Earlier in this setup Sandbox Administrator had access." in page
    assert 'was created. <span class="muted">Sandbox Administrator</span>' in page
    assert recorded()["administrator"] == f"{name}, Sandbox Administrator"


def test_what_was_done_in_another_environment_is_told_with_its_address(prepared: Guide) -> None:
    _as_if_elsewhere()

    confirm_with(prepared, **of_a_stray(prepared))
    asked = text(prepared.client.get(CANCEL))
    finish(prepared)
    page = text(prepared.client.get(DONE))

    for one in (asked, page):
        assert "Version 1.0.0.0 was imported." in one
        assert ELSEWHERE in one
    assert "Version 1.0.0.0 was installed already." in page
    assert f"1.0.0.0 ({ELSEWHERE})" in recorded()["solution"]


def test_an_import_that_goes_on_is_followed_after_a_detour(guide: Guide, sandbox: Sandbox) -> None:
    imports_go(sandbox, seconds=600, hidden=0)
    confirmed(guide)
    while not _solution().get("is_sent"):
        one_act(guide)
    _as_if_elsewhere()
    confirm_with(guide, tables={"scopes": ["salespeople"]})
    assert _solution() == {}
    _as_if_elsewhere(back=True)

    confirm_with(guide, tables={"scopes": ["customers"]})
    one_act(guide)
    sandbox.edit({"clock": {"advance": 600}})
    finish(guide)

    assert len(imports_sent(sandbox)) == 1


def test_cancelling_records_every_user_that_was_given_roles(prepared: Guide) -> None:
    confirm_with(prepared, integration_user=prepared.right("integration-user"))

    page = cancelled(prepared)

    after = Entry.objects.get(act="setup_cancelled").after
    assert len(after["roles_given"]) == 2
    assert all(role.startswith("crmsync Integration: ") for role in after["roles_given"])
    assert after["administrator"] == "Sandbox Administrator"
    assert "Given to crmsync Integration:" in page


def test_what_was_done_stays_on_record_when_another_organization_is_connected(
    prepared: Guide,
) -> None:
    finish(prepared)
    first = recorded()
    Connection.objects.update(organization_id=uuid.uuid4())
    confirmed(prepared)
    finish(prepared)

    assert "In an earlier setup" not in text(prepared.client.get(DONE))
    assert first["solution"] == "1.0.0.0"
    assert first["user_created"] == "crmsync Integration"
    assert len(first["roles_given"]) == 2
    assert first["told_address"] == "http://testserver/"
    assert "Integration user created in Sales" in text(prepared.client.get("/audit/"))
    secret = prepared.sandbox.ready["flawed"]["application_without_user"]["client_secret"]
    assert secret not in str(first)


def _solution() -> dict[str, Any]:
    acts = SetupProgress.objects.get().finish["acts"]
    found: dict[str, Any] = acts.get("solution", {}).get("seen", {})
    return found


def _as_if_elsewhere(*, back: bool = False) -> None:
    """The sandbox has one environment: what was done there counts as done in another one."""
    row = SetupProgress.objects.get()
    origin = row.answers["environment"]["url"]
    row.finish["agreed"]["environment"]["url"] = ELSEWHERE
    for deed in row.finish["deeds"] if back else ():
        deed["environment"] = origin
    row.save()
