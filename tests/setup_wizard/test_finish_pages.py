"""The finish of the guide: act by act, interrupted, refused, repeated; judged by Sales' rows."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from crmsync.audit.models import Entry
from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.dbclock import db_in
from crmsync.frame.models import Account
from crmsync.ledger.models import CompanyInformation
from crmsync.sync.models import Coupling
from setup_wizard.errors import NotTheAnswersShown
from setup_wizard.finish import claiming
from setup_wizard.finish.acts import ACTS as ACTS_BY_NAME
from setup_wizard.finish.plan import ActName, Memory
from setup_wizard.guide.steps import SecretName
from setup_wizard.models import SetupProgress
from tests.conftest import plan_of_the_application
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import (
    DONE,
    FINISH,
    ROLE_IDS,
    by_administrator,
    confirmed,
    finish,
    has_version,
    holders,
    imports_go,
    imports_sent,
    one_act,
    press_continue,
    solutions,
    states,
)
from tests.setup_wizard.guide import Guide, leads_to, text

ACTS = 9


@pytest.fixture
def at_once(sandbox: Sandbox) -> Sandbox:
    """Sales imports without taking time."""
    imports_go(sandbox, seconds=0, hidden=0)
    return sandbox


def test_every_act_is_done_one_after_the_other_and_the_page_leads_to_what_comes_next(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    page = text(guide.client.get(FINISH))
    assert page.count("Not yet") == ACTS
    assert 'hx-trigger="load delay:200ms,' in page
    assert "Another request" not in page
    assert solutions(at_once) == []

    answers = [one_act(guide) for _ in range(ACTS + 1)]

    done = [text(answer).count(">Done<") for answer in answers[:-1]]
    assert done == list(range(ACTS))
    assert answers[-1].headers["HX-Redirect"] == DONE
    found = Connection.objects.get()
    assert (found.is_enabled, found.is_being_set_up, found.disabled_because) == (True, False, "")
    assert found.solution_version == "1.0.0.0"
    assert found.connected_by == "a-administrators"
    assert "setup_key" not in guide.kept_cookies()
    assert not SetupProgress.objects.exists()


def test_without_scripts_a_button_does_all_that_need_not_wait(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)

    presses = [leads_to(press_continue(guide)) for _ in range(3)]

    assert presses[-1] == DONE or presses[-2] == DONE
    assert Connection.objects.get().is_enabled


def test_the_roles_are_held_by_the_integration_user_only(guide: Guide, at_once: Sandbox) -> None:
    before = {row["systemuserroleid"] for row in at_once.dump("systemuserrolescollection")}
    confirmed(guide)
    finish(guide)

    user_id = at_once.ready["application"]["id"]
    assert holders(at_once) == {role_id: {user_id} for role_id in ROLE_IDS}
    after = {row["systemuserroleid"] for row in at_once.dump("systemuserrolescollection")}
    assert before < after


def test_after_the_finish_nothing_is_asked_with_the_administrators_token(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    finish(guide)
    mark = at_once.mark()

    guide.client.get(DONE)
    guide.client.get("/setup/")
    press_continue(guide)
    connections.open_client(connection=connections.get_connection())

    assert by_administrator(at_once, mark) == []
    assert at_once.journal(mark) != []


def test_an_application_without_a_user_gets_one_with_our_roles_alone(
    guide: Guide, at_once: Sandbox
) -> None:
    stray = at_once.ready["flawed"]["application_without_user"]
    confirmed(
        guide,
        integration_user={
            "application": stray["client_id"],
            "application_secret": stray["client_secret"],
        },
    )
    finish(guide)

    users = at_once.dump("systemusers")
    (made,) = [row for row in users if row["applicationid"] == stray["client_id"]]
    assert made["accessmode"] == 4
    held = at_once.dump("systemuserrolescollection")
    roles = {row["roleid"] for row in held if row["systemuserid"] == made["systemuserid"]}
    assert roles == ROLE_IDS
    assert str(Connection.objects.get().integration_user_id) == made["systemuserid"]
    assert "was created" in text(guide.client.get(DONE))


def test_a_certificate_signs_in_and_its_end_is_kept(guide: Guide, at_once: Sandbox) -> None:
    identity = at_once.ready["certificate_application"]
    confirmed(
        guide,
        integration_user={
            "kind": "certificate",
            "application": identity["client_id"],
            "certificate": identity["pem"],
        },
    )
    finish(guide)

    found = Connection.objects.get()
    assert found.identity_kind == Connection.IdentityKind.CERTIFICATE
    assert found.credential_expires_at is not None
    connections.open_client(connection=found)


def test_change_tracking_is_switched_on_for_the_tables_agreed_to(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    SetupProgress.objects.update(answers=_with_tracking(["account", "systemuser"]))
    row = SetupProgress.objects.get()
    SetupProgress.objects.update(finish={**row.finish, "acts": {}})
    finish(guide)

    tracked = {
        row["LogicalName"]: row["ChangeTrackingEnabled"]
        for row in at_once.dump("EntityDefinitions")
    }
    assert tracked["account"]
    assert tracked["systemuser"]


def _with_tracking(tables: list[str]) -> dict[str, Any]:
    answers: dict[str, Any] = SetupProgress.objects.get().answers
    return {**answers, "checks": {**answers["checks"], "change_tracking": tables}}


def test_sales_is_told_where_the_books_are(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    finish(guide)

    (row,) = at_once.dump("csy_connections")
    assert row["csy_ledgerurl"] == "http://testserver/"


def test_the_integration_gets_a_counterpart_that_signs_in_to_no_page(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    finish(guide)

    account = Account.objects.get(is_non_interactive=True)
    assert account.user.username == "Dynamics 365 Sales"
    assert not account.user.has_usable_password()


def test_setting_up_is_kept_on_record_without_secrets(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    finish(guide)

    entry = Entry.objects.get(act="connection_set_up")
    assert (entry.who, entry.door) == ("a-administrators", "page")
    assert entry.after["environment"] == at_once.ready["origin"]
    assert at_once.ready["application"]["client_secret"] not in str(entry.after)


def test_closed_in_the_middle_it_goes_on_where_it_was(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    for _ in range(5):
        one_act(guide)
    before = states()
    assert "done" in before.values()
    mark = at_once.mark()

    page = text(guide.client.get(FINISH))
    assert f'href="{FINISH}">Continue the setup' in text(guide.client.get("/setup/"))
    finish(guide)

    assert page.count(">Done<") == list(before.values()).count("done")
    assert imports_sent(at_once, mark) == []
    assert Connection.objects.get().is_enabled


def test_a_finish_that_is_confirmed_and_driven_twice_imports_once(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    one_act(guide)
    assert leads_to(guide.post("check")) == FINISH
    finish(guide)

    assert len(imports_sent(at_once)) == 1
    assert solutions(at_once) == ["1.0.0.0"]


def test_while_another_request_is_at_it_nothing_is_done_twice(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    SetupProgress.objects.update(claimed_until=db_in(60))
    mark = at_once.mark()

    assert leads_to(press_continue(guide)) == FINISH

    assert at_once.journal(mark) == []
    page = text(guide.client.get(FINISH))
    assert "Another request is at work on this" in page
    assert 'hx-trigger="load delay:1s,' in page


def test_after_a_process_that_died_another_request_goes_on(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    SetupProgress.objects.update(claimed_until=db_in(-1))

    finish(guide)

    assert Connection.objects.get().is_enabled


def test_a_lost_answer_to_the_import_imports_once(guide: Guide, sandbox: Sandbox) -> None:
    imports_go(sandbox, seconds=600, hidden=0)
    confirmed(guide)
    sandbox.fault({"path": "ImportSolutionAsync"}, {"drop": "after"}, times=1)
    one_act(guide)
    assert 'hx-trigger="load delay:1s,' in text(guide.client.get(FINISH))
    assert "job_id" in SetupProgress.objects.get().finish["acts"]["solution"]["seen"]
    _no_pause()
    for _ in range(3):
        one_act(guide)
    assert states() == {"solution": "waiting"}

    sandbox.edit({"clock": {"advance": 600}})
    finish(guide)

    assert len(imports_sent(sandbox)) == 1
    assert solutions(sandbox) == ["1.0.0.0"]


def _no_pause(guide: Guide | None = None) -> None:
    """As if the moment to ask again had come."""
    rows = SetupProgress.objects.all()
    mine = rows.filter(user_id=guide.client.session["_auth_user_id"]) if guide else rows
    row = mine.get()
    for kept in row.finish["acts"].values():
        kept.pop("not_before", None)
    row.save()


def test_a_solution_that_is_there_is_not_imported_again(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    finish(guide)
    mark = at_once.mark()

    confirmed(guide)
    finish(guide)

    assert imports_sent(at_once, mark) == []
    page = text(guide.client.get(DONE))
    assert "was installed already" in page
    assert "In an earlier setup" in page
    assert page.count("Delete the solution crmsync in Power Apps") == 1


def test_an_older_solution_is_replaced(guide: Guide, at_once: Sandbox) -> None:
    has_version(at_once, (0, 9, 0, 0))
    confirmed(guide)
    finish(guide)

    assert solutions(at_once) == ["1.0.0.0"]
    assert "over version 0.9.0.0" in text(guide.client.get(DONE))


def test_a_newer_solution_is_left_alone(guide: Guide, at_once: Sandbox) -> None:
    has_version(at_once, (1, 10, 0, 0))
    confirmed(guide)
    mark = at_once.mark()
    finish(guide)

    assert imports_sent(at_once, mark) == []
    assert solutions(at_once) == ["1.10.0.0"]
    assert Connection.objects.get().solution_version == "1.10.0.0"


def test_a_failing_import_says_what_sales_said_and_can_be_tried_again(
    guide: Guide, sandbox: Sandbox
) -> None:
    said = "The publisher <b>is locked</b>."
    imports_go(sandbox, seconds=0, hidden=0, outcome="failed", message=said)
    confirmed(guide)
    one_act(guide)
    one_act(guide)

    page = text(guide.client.get(FINISH))

    assert "The publisher &lt;b&gt;is locked&lt;/b&gt;." in page
    assert "Try again" in page
    assert "hx-trigger" not in page
    assert not Connection.objects.exists()
    imports_go(sandbox, outcome="done")
    finish(guide)
    assert solutions(sandbox) == ["1.0.0.0"]


def test_an_import_that_does_not_end_says_so_after_half_an_hour_and_is_waited_for_again(
    guide: Guide, sandbox: Sandbox
) -> None:
    imports_go(sandbox, seconds=0, hidden=0, outcome="never")
    confirmed(guide)
    one_act(guide)
    assert states() == {"solution": "waiting"}
    _asked_long_ago()

    one_act(guide)
    page = text(guide.client.get(FINISH))

    assert "has not ended within 30 minutes" in page
    assert states() == {"solution": "failed"}
    press_continue(guide)
    assert states() == {"solution": "waiting"}
    assert len(imports_sent(sandbox)) == 1


def _asked_long_ago() -> None:
    row = SetupProgress.objects.get()
    row.finish["acts"]["solution"]["seen"]["asked_at"] = "2020-01-01T00:00:00+00:00"
    row.save()


def test_an_import_whose_rows_vanish_is_done_when_the_solution_is_there(
    guide: Guide, sandbox: Sandbox
) -> None:
    imports_go(sandbox, seconds=0, hidden=0, outcome="vanished")
    confirmed(guide)

    finish(guide)

    assert len(imports_sent(sandbox)) == 1
    assert Connection.objects.get().is_enabled


def test_an_ended_sign_in_of_the_administrator_is_asked_for_again_and_it_goes_on(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    for _ in range(3):
        one_act(guide)
    before = {act for act, state in states().items() if state == "done"}
    assert before
    at_once.fault({"path": "systemusers"}, {"status": 401})
    at_once.fault({"path": "roles"}, {"status": 401})
    one_act(guide)
    at_once.clear_faults()

    page = text(guide.client.get(FINISH))
    assert "The administrator has to sign in again." in page
    assert "hx-trigger" not in page
    assert SecretName.TOKEN not in SetupProgress.objects.get().sealed

    guide.post("administrator")
    guide.post("check")
    assert before <= {act for act, state in states().items() if state == "done"}
    finish(guide)
    assert len(imports_sent(at_once)) == 1


def test_after_an_hour_the_finish_asks_for_the_secrets_and_goes_on(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    for _ in range(3):
        one_act(guide)
    SetupProgress.objects.update(expires_at=db_in(-1))

    assert "The administrator has to sign in again." in text(guide.client.get(FINISH))

    for step in ("administrator", "integration-user", "checks", "check"):
        guide.post(step)
    finish(guide)
    assert len(imports_sent(at_once)) == 1


def test_a_refusal_of_the_integration_user_leads_to_its_step(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    expired = {"error": "invalid_client", "error_codes": [7000222]}
    at_once.fault({"path": "/token"}, {"status": 401, "body": json.dumps(expired)})
    for _ in range(8):
        one_act(guide)

    page = text(guide.client.get(FINISH))

    assert "secret has expired" in page
    assert 'href="/setup/integration-user/"' in page
    assert not Connection.objects.filter(is_enabled=True).exists()
    at_once.clear_faults()
    for step in ("integration-user", "checks", "check"):
        guide.post(step)
    finish(guide)
    assert Connection.objects.get().is_enabled


def test_sales_that_is_down_is_asked_again_without_anybody(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    at_once.fault({"path": "solutions"}, {"status": 503})

    page = text(one_act(guide))

    assert "is not available at the moment" in page
    assert ">Waiting<" in page
    assert "hx-trigger" in page
    mark = at_once.mark()
    one_act(guide)
    assert at_once.journal(mark) == []
    at_once.clear_faults()
    _no_pause()
    finish(guide)
    assert Connection.objects.get().is_enabled


def test_a_connection_that_works_is_untouched_until_the_last_act(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    finish(guide)
    before = Connection.objects.values().get()

    confirmed(guide, tables={"scopes": ["salespeople"]})
    for _ in range(ACTS - 1):
        one_act(guide)
        assert Connection.objects.values().get() == before
    one_act(guide)

    after = Connection.objects.get()
    assert after.scopes == ["salespeople"]
    assert Entry.objects.filter(act="connection_set_up").count() == 2


def test_before_it_is_enabled_nothing_synchronizes_and_a_cancelled_setup_leaves_no_secret(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    _until("stored", guide)
    stored = Connection.objects.get()
    assert (stored.is_enabled, stored.is_being_set_up) == (False, True)
    assert stored.disabled_because == "The connection is being set up."

    page = text(guide.client.post("/setup/cancel/", follow=True))

    assert not Connection.objects.exists()
    assert "In Sales this stays: Version 1.0.0.0 was imported." in page
    assert "Delete the solution crmsync" in page


def _until(act: str, guide: Guide) -> None:
    for _ in range(2 * ACTS):
        if states().get(act) == "done":
            return
        one_act(guide)
    raise AssertionError(states())


def test_without_an_administrator_what_is_missing_is_said_with_its_remedy(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    row = SetupProgress.objects.get()
    row.answers["administrator"] = {"kind": "none", "username": ""}
    row.seen["administrator"] = {}
    row.save()
    mark = at_once.mark()

    press_continue(guide)
    page = text(guide.client.get(FINISH))

    assert "may not see whether the integration solution is installed" in page
    assert "let the guide do it" in page
    assert at_once.writes(mark) == []


def test_without_an_administrator_what_is_there_is_enough(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    finish(guide)
    Connection.objects.all().delete()
    mark = at_once.mark()

    confirmed(guide, administrator={"kind": "none", "username": "", "password": ""})
    finish(guide)

    assert Connection.objects.get().is_enabled
    assert by_administrator(at_once, mark) == []
    assert "Nobody signed in as an administrator" in text(guide.client.get(DONE))


def test_the_receipt_says_what_was_done_and_how_to_remove_it(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    finish(guide)

    page = text(guide.client.get(DONE))

    for said in (
        "Version 1.0.0.0 was imported.",
        "Given to # crmsync integration: crmsync Integration Administrator, "
        "crmsync Integration User.",
        "Delete the solution crmsync in Power Apps",
        "Take the roles from the user",
        "Sandbox Administrator prepared Sales.",
    ):
        assert said in page
    assert Connection.objects.get().receipt["dropped_at"]


def test_changed_answers_must_be_confirmed_before_it_goes_on(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    one_act(guide)
    guide.post("tables", {"scopes": ["salespeople"]})
    guide.post("checks")
    mark = at_once.mark()

    press_continue(guide)
    assert at_once.journal(mark) == []
    assert "The answers were changed." in text(guide.client.get(FINISH))

    guide.post("check")
    finish(guide)
    assert Connection.objects.get().scopes == ["salespeople"]
    assert len(imports_sent(at_once)) == 1


@pytest.mark.parametrize("experience", ["basic", None])
def test_without_the_suite_experience_nothing_is_enabled(
    guide: Guide, at_once: Sandbox, experience: str | None
) -> None:
    confirmed(guide)
    _until("counterpart", guide)
    if experience:
        CompanyInformation.objects.update(experience=experience)
    else:
        CompanyInformation.objects.all().delete()

    press_continue(guide)

    assert not Connection.objects.filter(is_enabled=True).exists()
    assert states()["enabled"] == "failed"


def test_the_finish_of_somebody_else_is_not_reachable(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    other = guide.again(name="somebody-else")
    other.client.cookies["setup_key"] = guide.client.cookies["setup_key"].value
    mark = at_once.mark()

    assert leads_to(other.client.get(FINISH)) == "/setup/"
    press_continue(other)

    assert at_once.journal(mark) == []
    assert not Connection.objects.exists()


def test_two_administrators_do_not_prepare_sales_at_the_same_time(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    other = guide.again(name="somebody-else")
    for step in ("environment", "administrator", "integration-user", "tables", "checks"):
        assert other.post(step).status_code == 302
    mark = at_once.mark()

    refused = text(other.post("check"))

    assert "a-administrators is connecting this installation, and was last at it at" in refused
    assert "If nothing more is done there for 3 minutes, try again" in refused
    assert at_once.writes(mark) == []
    finish(guide)
    assert leads_to(other.post("check")) == FINISH


def at_the_check(guide: Guide) -> Guide:
    """Somebody else who has answered everything."""
    other = guide.again(name="somebody-else")
    other.until("check")
    return other


def _rests(guide: Guide) -> None:
    """As if the last act had been three minutes ago."""
    mine = SetupProgress.objects.filter(user_id=guide.client.session["_auth_user_id"])
    mine.update(changed_at=db_in(-181))


def test_a_finish_that_rests_can_be_overtaken_and_does_nothing_more_then(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    one_act(guide)
    one_act(guide)
    other = at_the_check(guide)
    _rests(guide)

    assert leads_to(other.post("check")) == FINISH

    mark = at_once.mark()
    page = text(guide.client.post(FINISH, follow=True))
    assert "somebody-else is connecting this installation" in page
    assert at_once.writes(mark) == []
    finish(other)
    assert Connection.objects.get().connected_by == "somebody-else"


def test_every_act_keeps_others_waiting_anew(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    _until("solution", guide)
    other = at_the_check(guide)
    _rests(guide)
    one_act(guide)

    assert "is connecting this installation" in text(other.post("check"))


def test_who_waits_until_sales_may_be_asked_again_is_still_at_it(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    at_once.fault({"path": "solutions"}, {"status": 503}, times=1)
    one_act(guide)
    other = at_the_check(guide)
    _rests(guide)
    one_act(guide)

    assert "is connecting this installation" in text(other.post("check"))


def test_who_overtakes_waits_for_the_import_that_was_begun(guide: Guide, sandbox: Sandbox) -> None:
    imports_go(sandbox, seconds=600, hidden=0)
    confirmed(guide)
    one_act(guide)
    other = at_the_check(guide)
    # Whose import it is stays known even when their answers were changed since.
    guide.post("tables", {"scopes": ["salespeople"]})
    _rests(guide)
    assert leads_to(other.post("check")) == FINISH

    page = text(one_act(other))

    assert "a-administrators began to import the solution at" in page
    assert "hx-trigger" in page
    sandbox.edit({"clock": {"advance": 600}})
    _no_pause(other)
    finish(other)
    assert len(imports_sent(sandbox)) == 1
    assert "Version 1.0.0.0 was installed already." in text(other.client.get(DONE))


def test_an_import_that_never_ended_is_waited_for_half_an_hour(
    guide: Guide, sandbox: Sandbox
) -> None:
    imports_go(sandbox, seconds=0, hidden=0, outcome="never")
    confirmed(guide)
    one_act(guide)
    _asked_long_ago()
    other = at_the_check(guide)
    _rests(guide)
    other.post("check")

    one_act(other)

    # Sales itself does no second one while it is at the first.
    assert len(imports_sent(sandbox)) == 2


def test_a_finish_that_failed_keeps_nobody_else_waiting(guide: Guide, sandbox: Sandbox) -> None:
    imports_go(sandbox, seconds=0, hidden=0, outcome="failed", message="No room.")
    confirmed(guide)
    one_act(guide)
    one_act(guide)
    assert states()["solution"] == "failed"
    imports_go(sandbox, seconds=0, hidden=0, outcome="done")
    other = guide.again(name="somebody-else")

    confirmed(other)

    finish(other)
    assert Connection.objects.get().is_enabled


def test_trying_again_does_not_replace_what_somebody_else_connected_meanwhile(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    while states().get("verified") != "failed":
        if states().get("stored") == "done":
            at_once.fault({"path": "/accounts"}, {"status": 404}, times=1)
        one_act(guide)
    at_once.clear_faults()
    other = guide.again(name="somebody-else")
    confirmed(other)
    assert "somebody-else is connecting" in text(guide.client.post(FINISH, follow=True))
    finish(other)
    theirs = Connection.objects.get()

    press_continue(guide)

    page = text(guide.client.get(FINISH))
    assert "Somebody else has set up the connection meanwhile." in page
    assert Connection.objects.get().connected_at == theirs.connected_at
    assert leads_to(guide.post("check")) == FINISH
    finish(guide)
    assert Connection.objects.get().connected_by == "a-administrators"


def test_a_setup_that_is_cancelled_while_it_is_stored_leaves_nothing(
    guide: Guide, at_once: Sandbox
) -> None:
    """Sales is asked first, which takes a while; then nobody wants it any more."""
    confirmed(guide)
    row = SetupProgress.objects.get()
    still_mine = {"user_id": row.user_id, "revision": row.revision}
    agreed = replace(
        plan_of_the_application(at_once), expect_wanted=lambda: claiming.expect_begun(**still_mine)
    )
    memory = Memory()
    assert ACTS_BY_NAME[ActName.USER](agreed, memory)
    guide.client.post("/setup/cancel/")

    with pytest.raises(NotTheAnswersShown):
        ACTS_BY_NAME[ActName.STORED](agreed, memory)

    assert not Connection.objects.exists()


def test_coupled_records_of_another_organization_stop_it(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    finish(guide)
    before = Connection.objects.get()
    confirmed(guide)
    Connection.objects.update(organization_id=uuid.uuid4(), organization_name="Elsewhere")
    Coupling.objects.create(
        mapping="CUSTOMER",
        ledger_id=uuid.uuid4(),
        crm_table="account",
        crm_id=uuid.uuid4(),
        origin="person",
    )

    press_continue(guide)

    assert "This installation is connected with Elsewhere." in text(guide.client.get(FINISH))
    assert Connection.objects.get().connected_at == before.connected_at
