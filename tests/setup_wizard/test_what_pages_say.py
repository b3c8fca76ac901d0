"""What the guide says it does is what it does; and what it asks is told apart."""

import re
from uuid import UUID

import pytest

from crmsync.audit.models import Entry
from crmsync.connections.models import Connection
from crmsync.dataverse import administration
from setup_wizard.errors import SetupProblem
from setup_wizard.guide.suitability import check_administrator
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import administrator, confirmed, finish, imports_go, one_act, plant
from tests.setup_wizard.guide import Guide, text

DONE, FINISH = "/setup/done/", "/setup/finish/"
NOBODY = {"administrator": {"kind": "none", "username": "", "password": ""}}


@pytest.fixture
def at_once(sandbox: Sandbox) -> Sandbox:
    """Sales imports without taking time."""
    imports_go(sandbox, seconds=0, hidden=0)
    return sandbox


def connected_again_without_anybody(guide: Guide) -> None:
    confirmed(guide)
    finish(guide)
    confirmed(guide, **NOBODY)
    finish(guide)


def test_the_check_page_says_who_does_what_and_where(guide: Guide, at_once: Sandbox) -> None:
    guide.until("check")

    page = text(guide.get("check"))

    assert "What will be done in Sales as the administrator" in page
    assert "What will be done in Sales as the integration user" in page
    assert "Tell Sales the address http://testserver/ of these books." in page
    assert "What will be done in these books" in page
    assert "Add our own user that stands for the integration" in page
    assert "Store the connection." in page


def test_without_an_administrator_nothing_is_denied_that_is_done(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    finish(guide)
    for step in ("environment", "administrator", "integration-user", "tables", "checks"):
        guide.post(step, NOBODY.get(step))
    mark = at_once.mark()

    page = text(guide.get("check"))
    guide.post("check")
    finish(guide)
    done = text(guide.client.get(DONE))

    written = [one["url"] for one in at_once.journal(mark) if one["method"] == "PATCH"]
    assert [url for url in written if "csy_connections" in url]
    assert "Nothing will be changed" not in page
    assert "no solution is imported, and no role assigned" in page
    assert "as the administrator" not in page
    assert "Tell Sales the address http://testserver/" in page
    assert "Replace the present connection" in page
    assert "looked at, not changed" not in done
    assert "The integration user told Sales the address of these books." in done


def test_a_setup_without_an_administrator_forgets_no_access_of_before(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    finish(guide)
    first = Connection.objects.get().receipt
    for _ in range(2):
        confirmed(guide, **NOBODY)
        finish(guide)

    kept = Connection.objects.get().receipt
    (access,) = kept["accesses"]
    assert access["administrator"] == "Sandbox Administrator"
    assert access["at"] == first["dropped_at"]
    assert {one["administrator"] for one in kept["earlier"]} == {"Sandbox Administrator"}
    page = text(guide.client.get(DONE))
    assert "Another time Sandbox Administrator had access." in page
    assert page.count("In an earlier setup") == len(kept["earlier"])


def test_connecting_is_on_record_with_the_administrator(guide: Guide, at_once: Sandbox) -> None:
    for _ in range(2):
        confirmed(guide)
        finish(guide)

    entries = Entry.objects.filter(act="connection_set_up")
    assert [one.after["administrator"] for one in entries] == ["Sandbox Administrator"] * 2


def test_a_table_that_is_not_tracked_is_told_although_nobody_agreed_to_it(
    guide: Guide, at_once: Sandbox
) -> None:
    plant(at_once, {"untrack": "account"})
    confirmed(guide)
    finish(guide)

    assert "account" in Connection.objects.get().receipt["acts"]["tracking"]["off"]
    page = text(guide.client.get(DONE))
    assert re.search(r"Off for: [^.]*\baccount\b", page)
    assert "Nothing had to be switched on." not in page


def test_the_finish_is_a_successful_call(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide)
    finish(guide)

    found = Connection.objects.get()
    assert found.answered_at is not None
    assert found.connected_at is not None
    assert found.answered_at <= found.connected_at


def test_the_act_at_hand_is_under_way_and_a_button_is_for_those_without_scripts(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)

    page = text(guide.client.get(FINISH))
    assert page.count("Under way") == 1
    assert "<noscript><button" in page
    assert page.count("<button") - page.count("<noscript><button") == _buttons(page, "Continue")
    assert text(one_act(guide)).count("Under way") == 1


def _buttons(page: str, caption: str) -> int:
    """All buttons but those with this caption."""
    return sum(caption not in one for one in page.split("<button")[1:])


def test_a_finish_that_failed_has_its_button_for_everybody(guide: Guide, sandbox: Sandbox) -> None:
    imports_go(sandbox, seconds=0, hidden=0, outcome="failed", message="No.")
    confirmed(guide)
    one_act(guide)
    one_act(guide)

    page = text(guide.client.get(FINISH))

    assert "Under way" not in page
    assert "<noscript><button" not in page
    assert "Try again" in page


def test_setting_up_again_begins_with_the_app_registration_of_before(
    guide: Guide, at_once: Sandbox
) -> None:
    registration = at_once.ready["application"]["client_id"]
    certificate = at_once.ready["certificate_application"]
    confirmed(
        guide,
        integration_user={
            "kind": "certificate",
            "application": certificate["client_id"],
            "certificate": certificate["pem"],
        },
    )
    finish(guide)

    found = Connection.objects.get()
    assert (found.registration_id, found.application_id) == (registration, certificate["client_id"])
    assert f'value="{registration}"' in text(guide.get("environment"))


def test_the_guide_is_called_assisted_setup_and_its_two_ids_are_told_apart(guide: Guide) -> None:
    assert "<h1>Assisted Setup</h1>" in text(guide.client.get("/setup/"))
    guide.until("check")

    assert "Application (client) ID of the app registration" in text(guide.get("environment"))
    application = "Application (client) ID of the integration application"
    assert application in text(guide.get("integration-user"))
    page = text(guide.get("check"))
    assert "Application (client) ID of the app registration" in page
    assert application in page


def test_whoever_lacks_both_roles_is_told_of_both(sandbox: Sandbox, db: None) -> None:
    client = administrator(sandbox)
    salesperson = administration.user(client, UUID(sandbox.ready["integration_user"]["id"]))

    with pytest.raises(SetupProblem) as refused:
        check_administrator(salesperson)

    assert "System Administrator" in str(refused.value)
    assert "System Customizer" in str(refused.value)
    assert "System Customizer" in str(refused.value.remedy)
