"""The checks before connecting: what each saw in Sales, and what to do about it."""

import re
from typing import Any

import pytest

from crmsync.ledger.models import CompanyInformation
from setup_wizard.checks import CHECKS
from setup_wizard.models import SetupProgress
from tests.setup_wizard.finishes import confirmed, finish, imports_go, plant
from tests.setup_wizard.guide import Guide, leads_to, text

NONE = {"kind": "none", "username": "", "password": ""}


@pytest.fixture
def at_checks(guide: Guide) -> Guide:
    guide.until("checks")
    return guide


def said(page: str, caption: str) -> str:
    """What the page says of one check, without its marks."""
    (part,) = [part for part in page.split("<li>") if f'"strong">{caption}</span>' in part]
    return " ".join(re.sub(r"<[^>]+>", " ", part.split("</li>")[0]).split())


def test_everything_is_looked_at_when_the_page_opens_and_again_on_next(at_checks: Guide) -> None:
    guide = at_checks
    mark = guide.sandbox.mark()

    page = text(guide.get("checks"))

    for check in CHECKS:
        assert said(page, str(check.caption))
    assert "Check again" in page
    assert guide.sandbox.writes(mark) == []
    assert "checks" not in SetupProgress.objects.get().answers
    assert leads_to(guide.post("checks")) == "/setup/check/"
    kept = SetupProgress.objects.get().seen["checks"]["checks"]
    assert [one["name"] for one in kept] == [check.name for check in CHECKS]
    assert guide.sandbox.writes(mark) == []


def test_what_is_found_is_said_of_a_good_environment(at_checks: Guide) -> None:
    page = text(at_checks.get("checks"))

    assert "answers, in the tenant" in said(page, "Environment")
    assert "System Administrator and System Customizer" in said(page, "Administrator")
    user = said(page, "Integration user")
    assert "# crmsync integration can sign in and is enabled." in user
    assert "It is an application user. Its access mode is Non-interactive." in user
    assert "No licence is assigned, and none is needed." in user
    assert "Version 1.0.0.0 will be imported." in said(page, "Integration solution")
    assert "GBP, here and in Sales." in said(page, "Base currency")
    assert "Customers: 60 here" in said(page, "Number of records")
    assert "6000" in said(page, "Service limits")
    assert "Stands in the way" not in page


@pytest.mark.parametrize(
    ("wish", "caption", "says"),
    [
        ("microsoft_integration", "Other integrations", "Business Central (bcbi_CdsBase"),
        ("dual_write", "Other integrations", "Dual-write (DualWriteCore)"),
        ("classic_workflow", "Flows, workflows and plug-ins", "about a changed account (workflow)"),
        ("cloud_flow", "Flows, workflows and plug-ins", "Post new accounts to a channel (flow)"),
        ("plugin_step", "Flows, workflows and plug-ins", "Contoso.Plugins.CheckAccount"),
        ("duplicate_rule", "Duplicate detection", "Accounts with the same account name"),
        ({"secure": "account.creditlimit"}, "Secured columns", "Account: creditlimit"),
        ({"untrack": "account"}, "Change tracking", "Account"),
    ],
)
def test_what_others_have_there_is_a_warning_and_stops_nobody(
    at_checks: Guide, wish: Any, caption: str, says: str
) -> None:
    plant(at_checks.sandbox, wish)

    found = said(text(at_checks.get("checks")), caption)

    assert "Warning" in found
    assert says in found
    assert leads_to(at_checks.post("checks")) == "/setup/check/"
    assert caption in text(at_checks.get("check"))


def test_change_tracking_is_switched_on_only_where_a_person_agrees(at_checks: Guide) -> None:
    guide = at_checks
    plant(guide.sandbox, {"untrack": "account"})
    page = text(guide.get("checks"))
    assert 'name="change_tracking" value="account"' in page
    assert 'name="change_tracking" value="transactioncurrency"' not in page

    guide.post("checks", {"change_tracking": ["account"]})

    assert SetupProgress.objects.get().answers["checks"] == {"change_tracking": ["account"]}
    assert "Switch change tracking on for: Account." in text(guide.get("check"))


def test_a_table_that_takes_no_part_cannot_be_agreed_to(at_checks: Guide) -> None:
    answer = at_checks.post("checks", {"change_tracking": ["lead"]})

    assert answer.status_code == 200
    assert "checks" not in SetupProgress.objects.get().answers


def test_a_check_that_fails_does_not_stop_the_others(at_checks: Guide) -> None:
    guide = at_checks
    guide.sandbox.fault({"path": "duplicaterules"}, {"status": 500})

    page = text(guide.get("checks"))

    assert "This could not be looked at" in said(page, "Duplicate detection")
    assert "Customers: 60 here" in said(page, "Number of records")
    assert leads_to(guide.post("checks")) == "/setup/check/"


def test_sales_being_down_stands_in_the_way(at_checks: Guide) -> None:
    guide = at_checks
    guide.sandbox.fault({"path": "/api/data/"}, {"status": 503})

    answer = guide.post("checks")

    page = text(answer)
    assert answer.status_code == 200
    assert "Something stands in the way of the connection." in page
    assert "Stands in the way" in said(page, "Environment")
    assert "checks" not in SetupProgress.objects.get().answers
    assert leads_to(guide.get("check")) == "/setup/checks/"
    guide.sandbox.clear_faults()
    assert leads_to(guide.post("checks")) == "/setup/check/"


def test_a_secret_that_is_no_good_any_more_leads_to_its_step(at_checks: Guide) -> None:
    guide = at_checks
    expired = '{"error": "invalid_client", "error_codes": [7000222]}'
    guide.sandbox.fault({"path": "/token"}, {"status": 401, "body": expired})

    found = said(page := text(guide.get("checks")), "Integration user")

    assert "secret has expired" in found
    assert '<a href="/setup/integration-user/">Change the answer' in page


def test_another_base_currency_stands_in_the_way(at_checks: Guide) -> None:
    CompanyInformation.objects.update(local_currency_code="DKK")

    page = text(at_checks.post("checks"))

    assert "The base currency of Sales is GBP" in said(page, "Base currency")


def test_without_an_administrator_what_is_missing_stands_in_the_way(guide: Guide) -> None:
    guide.until("administrator")
    guide.post("administrator", NONE)
    guide.post("integration-user")
    guide.post("tables")

    page = text(guide.post("checks"))

    assert "could not be looked at" in said(page, "Integration solution")
    assert "lacks privileges in Sales" in said(page, "Roles of the integration user")
    assert '<a href="/setup/administrator/">Change the answer' in page
    assert leads_to(guide.get("check")) == "/setup/checks/"


def test_without_an_administrator_what_is_there_is_good_enough(guide: Guide) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    confirmed(guide)
    finish(guide)
    guide.until("administrator")
    guide.post("administrator", NONE)
    guide.post("integration-user")
    guide.post("tables")
    mark = guide.sandbox.mark()

    page = text(guide.get("checks"))

    assert "crmsync Integration 1.0.0.0 is installed." in said(page, "Integration solution")
    assert "hold every privilege" in said(page, "Roles of the integration user")
    assert leads_to(guide.post("checks")) == "/setup/check/"
    page = text(guide.get("check"))
    assert "no solution is imported" in page
    assert "Connect to Sales" in page
    assert guide.sandbox.writes(mark) == []


def test_what_was_checked_is_checked_again_after_another_answer(guide: Guide) -> None:
    guide.until("check")

    assert leads_to(guide.post("tables", {"scopes": ["salespeople"]})) == "/setup/checks/"

    assert "checks" not in SetupProgress.objects.get().answers
    assert leads_to(guide.post("checks")) == "/setup/check/"
    assert leads_to(guide.post("tables", {"scopes": ["salespeople"]})) == "/setup/check/"
