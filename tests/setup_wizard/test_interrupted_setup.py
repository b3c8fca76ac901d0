"""A setup that is changed, interrupted, cancelled, shared by tabs, or finished twice."""

import threading
from typing import Any

import pytest
import requests

from crmsync.connections.models import Connection
from crmsync.dbclock import db_in
from setup_wizard.errors import NotTheAnswersShown
from setup_wizard.guide import progress
from setup_wizard.guide.progress import Answered
from setup_wizard.guide.steps import StepName
from setup_wizard.models import SetupProgress
from tests.setup_wizard.finishes import FINISH
from tests.setup_wizard.guide import Guide, leads_to, text


def test_what_was_answered_is_changed_from_the_check_page_and_back(guide: Guide) -> None:
    guide.until("check")
    page = text(guide.get("check"))
    assert "Set" in page
    assert '<span class="visually-hidden"> What to synchronize</span>' in page

    assert leads_to(guide.post("tables", {"scopes": ["salespeople"]})) == "/setup/checks/"
    assert leads_to(guide.post("checks")) == "/setup/check/"

    assert "Salespeople" in text(guide.get("check"))
    assert SetupProgress.objects.get().answers["tables"] == {"scopes": ["salespeople"]}


def test_a_secret_that_is_set_need_not_be_typed_again(guide: Guide) -> None:
    guide.until("check")

    assert leads_to(guide.post("administrator", {"password": ""})) == "/setup/check/"
    blank = {"application_secret": ""}
    assert leads_to(guide.post("integration-user", blank)) == "/setup/check/"


def test_a_blank_secret_does_not_pass_for_another_name(guide: Guide) -> None:
    guide.until("check")
    other = guide.sandbox.ready["flawed"]["team_administrator"]["username"]

    page = text(guide.post("administrator", {"username": other, "password": ""}))

    assert 'id="id_password_error"' in page


def test_what_a_table_needs_comes_along(guide: Guide) -> None:
    guide.until("tables")

    guide.post("tables", {"scopes": ["customers"]})
    guide.post("checks")

    page = text(guide.get("check"))
    assert "Ticked along, because others need it: Currencies, Salespeople" in page
    scopes = SetupProgress.objects.get().answers["tables"]["scopes"]
    assert scopes == ["currencies", "salespeople", "customers"]


def test_another_environment_asks_for_both_secrets_again(guide: Guide) -> None:
    guide.until("check")
    other = "51f81489-12ee-4a9e-aaae-a2591f45987d"

    assert leads_to(guide.post("environment", {"application_id": other})) == "/setup/administrator/"

    assert SetupProgress.objects.get().sealed == {}


def test_without_the_browsers_key_only_the_secrets_are_asked_for_again(guide: Guide) -> None:
    guide.until("check")
    del guide.client.cookies["setup_key"]

    assert leads_to(guide.get("check")) == "/setup/administrator/"
    page = text(guide.get("administrator"))
    assert guide.right("administrator")["username"] in page
    assert "Type this one again" in page
    assert leads_to(guide.post("administrator")) == "/setup/integration-user/"
    assert leads_to(guide.post("integration-user")) == "/setup/check/"
    assert leads_to(guide.post("check")) == FINISH


def test_after_an_hour_what_was_sealed_is_gone_whoever_looks(guide: Guide) -> None:
    guide.until("check")
    SetupProgress.objects.update(expires_at=db_in(-1))

    guide.again(name="somebody-else").client.get("/setup/")

    row = SetupProgress.objects.get()
    assert (row.sealed, row.expires_at) == ({}, None)
    assert leads_to(guide.post("check")) == "/setup/administrator/"
    assert Connection.objects.count() == 0


def test_what_is_sealed_later_does_not_rest_longer(guide: Guide) -> None:
    guide.until("integration-user")
    SetupProgress.objects.update(expires_at=db_in(60))
    before = SetupProgress.objects.get().expires_at

    guide.post("integration-user")

    assert SetupProgress.objects.get().expires_at == before


def test_a_setup_that_nobody_touches_for_a_month_is_forgotten(guide: Guide) -> None:
    guide.until("tables")
    progress.drop_abandoned()
    assert SetupProgress.objects.count() == 1
    SetupProgress.objects.update(changed_at=db_in(-31 * 24 * 3600))

    progress.drop_abandoned()

    assert SetupProgress.objects.count() == 0


def test_an_interrupted_setup_goes_on_where_it_was(guide: Guide) -> None:
    guide.until("tables")

    page = text(guide.client.get("/setup/"))

    assert "Continue the setup" in page
    assert "/setup/tables/" in page
    assert leads_to(guide.get("check")) == "/setup/tables/"


def test_cancelling_forgets_everything(guide: Guide) -> None:
    guide.until("check")

    answer = guide.client.post("/setup/cancel/")

    assert leads_to(answer) == "/setup/"
    assert not SetupProgress.objects.exists()
    assert "setup_key" not in guide.kept_cookies()
    assert leads_to(guide.client.get("/setup/cancel/")) == "/setup/"


def test_the_setup_of_somebody_else_is_not_reachable(guide: Guide) -> None:
    guide.until("check")
    other = guide.again(name="somebody-else")
    other.client.cookies["setup_key"] = guide.client.cookies["setup_key"].value

    assert leads_to(other.get("check")) == "/setup/environment/"
    assert leads_to(other.post("check")) == "/setup/done/"
    assert guide.right("environment")["url"] not in text(other.get("environment"))
    assert Connection.objects.count() == 0


def test_the_sealed_token_of_one_person_does_not_open_for_another(guide: Guide) -> None:
    guide.until("check")
    other = guide.again(name="somebody-else")
    other.until("check")
    mine = SetupProgress.objects.order_by("pk").first()
    assert mine is not None
    SetupProgress.objects.exclude(pk=mine.pk).update(sealed=mine.sealed)
    other.client.cookies["setup_key"] = guide.client.cookies["setup_key"].value

    assert leads_to(other.get("check")) == "/setup/administrator/"


def test_two_tabs_do_not_disturb_each_other(guide: Guide) -> None:
    guide.until("check")
    shown = guide.revision()
    guide.get("environment")
    guide.client.get("/setup/")
    assert SetupProgress.objects.get().revision == shown
    guide.post("tables", {"scopes": ["salespeople"]})
    guide.post("checks")

    page = text(guide.post("check", {"revision": shown}))

    assert "The answers were changed after they were shown here" in page
    assert SetupProgress.objects.get().finish == {}
    assert leads_to(guide.post("check")) == FINISH


OTHER_APPLICATION = "51f81489-12ee-4a9e-aaae-a2591f45987d"


@pytest.mark.parametrize("step", ["administrator", "integration-user", "checks"])
def test_a_secret_is_never_kept_for_another_environment_than_it_was_proved_at(
    guide: Guide, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    guide.until(step)
    once = iter([lambda: guide.post("environment", {"application_id": OTHER_APPLICATION})])
    send = requests.Session.send

    def meanwhile(*args: Any, **options: Any) -> requests.Response:
        """The first answer from Sales arrives after another tab has saved another environment.

        Threads of the checks have no database of their own.
        """
        answer = send(*args, **options)
        if threading.current_thread() is threading.main_thread():
            next(once, lambda: None)()
        return answer

    monkeypatch.setattr(requests.Session, "send", meanwhile)
    answer = guide.post(step)

    row = SetupProgress.objects.get()
    assert row.sealed == {}
    assert step not in row.answers
    assert row.answers["environment"]["application_id"] == OTHER_APPLICATION
    shown = answer if step == "administrator" else guide.client.get(answer.headers["Location"])
    assert "The environment was changed while this was checked" in text(shown)


def test_a_setup_that_was_cancelled_meanwhile_does_not_come_back_with_a_secret(
    guide: Guide,
) -> None:
    guide.until("administrator")
    looked_at = progress.look(user_id=SetupProgress.objects.get().user_id, key=None)
    guide.client.post("/setup/cancel/")
    proved = Answered(step=StepName.ADMINISTRATOR, answers={"username": "a"}, secret="proved")

    with pytest.raises(NotTheAnswersShown):
        progress.keep(looked_at=looked_at, key=b"0" * 32, answered=proved)

    assert not SetupProgress.objects.exists()


def test_an_environment_saved_from_an_old_tab_forgets_what_was_proved_at_the_newer_one(
    guide: Guide,
) -> None:
    guide.until("administrator")
    old = SetupProgress.objects.get()
    guide.post("environment", {"application_id": OTHER_APPLICATION})
    looked_at = progress.look(user_id=old.user_id, key=None)
    guide.post("environment")
    guide.post("administrator")
    saved = Answered(
        step=StepName.ENVIRONMENT,
        answers=looked_at.answers["environment"],
        seen=looked_at.seen["environment"],
    )

    progress.keep(looked_at=looked_at, key=b"0" * 32, answered=saved)

    assert SetupProgress.objects.get().sealed == {}
