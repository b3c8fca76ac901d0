"""A setup that is cancelled: asked first, what was done in Sales stays known."""

import pytest

from crmsync.audit.models import Entry
from crmsync.connections.models import Connection
from setup_wizard.models import FormerConnection, SetupProgress
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import (
    confirmed,
    finish,
    imports_go,
    one_act,
    solutions,
    states,
)
from tests.setup_wizard.guide import Guide, text

CANCEL, DONE = "/setup/cancel/", "/setup/done/"


@pytest.fixture
def at_once(sandbox: Sandbox) -> Sandbox:
    """Sales imports without taking time."""
    imports_go(sandbox, seconds=0, hidden=0)
    return sandbox


def until(act: str, guide: Guide) -> None:
    for _ in range(20):
        if states().get(act) == "done":
            return
        one_act(guide)
    raise AssertionError(states())


def connected(guide: Guide) -> Connection:
    confirmed(guide)
    finish(guide)
    return Connection.objects.get()


def entry() -> Entry:
    return Entry.objects.get(act="setup_cancelled")


def cancelled(guide: Guide) -> str:
    return text(guide.client.post(CANCEL, follow=True))


def of_a_stray(guide: Guide) -> dict[str, dict[str, str]]:
    """An application that is no user of Sales yet, as the answers of a step."""
    stray = guide.sandbox.ready["flawed"]["application_without_user"]
    return {
        "integration_user": {
            "application": stray["client_id"],
            "application_secret": stray["client_secret"],
        }
    }


def test_cancelling_asks_first_and_forgets_nothing_by_asking(
    guide: Guide, at_once: Sandbox
) -> None:
    confirmed(guide)
    until("solution", guide)
    before = SetupProgress.objects.values().get()

    page = text(guide.client.get(CANCEL))

    assert "What is forgotten" in page
    assert "Version 1.0.0.0 was imported." in page
    assert "Delete the solution crmsync" in page
    assert SetupProgress.objects.values().get() == before
    assert not Entry.objects.filter(act="setup_cancelled").exists()


@pytest.mark.parametrize("path", ["/setup/", "/setup/administrator/", "/setup/check/"])
def test_no_page_of_the_guide_forgets_with_one_click(guide: Guide, path: str) -> None:
    guide.until("check")

    page = text(guide.client.get(path))

    assert f'href="{CANCEL}"' in page
    assert f'action="{CANCEL}"' not in page


def test_what_was_done_in_sales_is_on_record(guide: Guide, at_once: Sandbox) -> None:
    confirmed(guide, **of_a_stray(guide))
    until("address", guide)

    cancelled(guide)

    kept = entry()
    assert (kept.who, kept.door) == ("a-administrators", "page")
    assert kept.after["environment"] == at_once.ready["origin"]
    assert kept.after["administrator"] == "Sandbox Administrator"
    assert kept.after["solution"] == "1.0.0.0"
    assert kept.after["user_created"]
    assert len(kept.after["roles_given"]) == 2
    assert kept.after["told_address"] == "http://testserver/"
    page = text(guide.client.get("/audit/"))
    assert "Cancelled a setup of the connection with" in page
    assert "Roles given in Sales" in page


def test_a_setup_that_did_nothing_in_sales_leaves_no_entry(guide: Guide) -> None:
    guide.until("check")

    page = cancelled(guide)

    assert "What you typed is forgotten." in page
    assert "In Sales this stays" not in page
    assert not Entry.objects.filter(act="setup_cancelled").exists()


def test_an_import_that_was_begun_is_said_to_go_on(guide: Guide, sandbox: Sandbox) -> None:
    imports_go(sandbox, seconds=600, hidden=0)
    confirmed(guide)
    one_act(guide)
    one_act(guide)

    page = cancelled(guide)

    assert "An import was begun; it goes on in Sales." in page
    assert "Importing" not in page
    assert entry().after["import_goes_on"] is True


def test_an_import_that_failed_is_not_said_to_stay(guide: Guide, sandbox: Sandbox) -> None:
    imports_go(sandbox, seconds=0, hidden=0, outcome="failed", message="No.")
    confirmed(guide)
    one_act(guide)
    one_act(guide)

    page = cancelled(guide)

    assert "In Sales this stays" not in page
    assert solutions(sandbox) == []
    assert "solution" not in entry().after


def test_what_the_working_connection_needs_is_not_advised_to_be_removed(
    guide: Guide, at_once: Sandbox
) -> None:
    before = connected(guide)
    SetupProgress.objects.all().delete()
    guide.client.post("/setup/connection/redeploy/")
    confirmed(guide, **of_a_stray(guide))
    until("roles", guide)

    asked, page = text(guide.client.get(CANCEL)), cancelled(guide)

    for one in (asked, page):
        assert "Delete the solution" not in one
        assert "The connection needs it." in one
        # Another user than the one that synchronization acts as.
        assert "Disable the user in the Power Platform admin center" in one
    after = Connection.objects.get()
    assert (after.is_enabled, after.connected_at) == (True, before.connected_at)


def test_the_receipt_of_the_working_connection_tells_what_the_cancelled_setup_did(
    guide: Guide, at_once: Sandbox
) -> None:
    connected(guide)
    confirmed(guide, **of_a_stray(guide))
    until("user", guide)
    cancelled(guide)

    page = text(guide.client.get(DONE))

    assert "The application user" in page
    assert "In an earlier setup" in page
    assert "Another time Sandbox Administrator had access." in page


def test_the_receipt_of_a_connection_that_was_reset_tells_it_too(
    guide: Guide, at_once: Sandbox
) -> None:
    _reset(guide)
    confirmed(guide, **of_a_stray(guide))
    until("user", guide)
    cancelled(guide)

    assert [one["act"] for one in FormerConnection.objects.get().receipt["earlier"]] == ["user"]
    assert "In an earlier setup" in text(guide.client.get("/setup/"))


def test_after_a_reset_the_former_connection_is_shown_until_another_one_works(
    guide: Guide, at_once: Sandbox
) -> None:
    name = _reset(guide)

    page = text(guide.client.get("/setup/"))
    assert f"Formerly connected with {name}" in page
    assert "Version 1.0.0.0 was imported." in page
    assert "Delete the solution crmsync" in page

    confirmed(guide)
    finish(guide)
    assert "Formerly connected" not in text(guide.client.get("/setup/"))
    assert "In an earlier setup" in text(guide.client.get(DONE))


def _reset(guide: Guide) -> str:
    name = connected(guide).organization_name
    FormerConnection.objects.update_or_create(pk=1, defaults=_kept(Connection.objects.get()))
    Connection.objects.all().delete()
    return name


def _kept(row: Connection) -> dict[str, object]:
    names = ("origin", "organization_id", "organization_name", "receipt")
    return {name: getattr(row, name) for name in names}
