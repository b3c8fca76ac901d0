"""Who owns what is created in Sales: asked at a step, checked live, stored and told."""

from typing import Any

import orjson
import pytest

from crmsync.audit.models import Entry
from crmsync.connections.models import Connection
from setup_wizard.errors import SetupProblem
from setup_wizard.guide.ownership import OwnerWish
from setup_wizard.integration_solution import PRODUCT_AVAILABILITY_USER, SOLUTION
from setup_wizard.models import SetupProgress
from tests.sandboxes import Sandbox
from tests.setup_wizard.attempts import Attempt
from tests.setup_wizard.finishes import (
    DONE,
    administrator,
    confirmed,
    finish,
    has_version,
    imports_go,
)
from tests.setup_wizard.guide import Guide, leads_to, text
from tests.setup_wizard.test_checks import NONE, said

TEAM = Connection.Ownership.TEAM
CUSTOMERS = ["salespeople", "currencies", "customers"]


def by_team(team: str) -> dict[str, Any]:
    return {"scopes": CUSTOMERS, "ownership": "team", "team": team}


def by_salesperson(fallback: str) -> dict[str, Any]:
    return {"scopes": CUSTOMERS, "ownership": "salesperson", "fallback": fallback}


def team_id(sandbox: Sandbox, name: str) -> str:
    (row,) = [row for row in sandbox.dump("teams") if row["name"] == name]
    return str(row["teamid"])


def user_id(sandbox: Sandbox, name: str) -> str:
    (row,) = [row for row in sandbox.dump("systemusers") if row["fullname"] == name]
    return str(row["systemuserid"])


def new_team(sandbox: Sandbox, **values: Any) -> None:
    unit = sandbox.dump("businessunits")[0]["businessunitid"]
    create = {**values, "businessunitid@odata.bind": f"/businessunits({unit})"}
    administrator(sandbox).channel.send(
        "POST", "teams", headers={"Content-Type": "application/json"}, body=_json(create)
    )


def _json(values: dict[str, Any]) -> bytes:
    return orjson.dumps(values)


@pytest.fixture
def at_tables(guide: Guide) -> Guide:
    guide.until("tables")
    return guide


def test_the_step_offers_users_and_owner_teams_of_that_environment(at_tables: Guide) -> None:
    new_team(at_tables.sandbox, name="Guests", teamtype=1)
    mark = at_tables.sandbox.mark()

    page = text(at_tables.get("tables"))

    assert "Who owns the records that are created in Sales?" in page
    assert "Sales Office</option>" in page
    assert "Ester Henderson</option>" in page
    assert "The integration user</option>" in page
    for nobody in ("Guests", "SYSTEM", "Unlicensed User", "Disabled User"):
        assert f"{nobody}</option>" not in page
    assert at_tables.sandbox.writes(mark) == []


def test_a_team_is_kept_shown_and_stored(at_tables: Guide) -> None:
    guide = at_tables
    chosen = team_id(guide.sandbox, "Sales Office")

    assert leads_to(guide.post("tables", by_team(chosen))) == "/setup/checks/"

    page = text(guide.get("checks"))
    assert "The team Sales Office owns them." in said(page, "Owner of records created in Sales")
    guide.post("checks")
    page = text(guide.get("check"))
    assert "The team Sales Office owns them." in page
    assert f'value="{chosen}" selected' in text(guide.get("tables"))
    imports_go(guide.sandbox, seconds=0, hidden=0)
    guide.post("check")
    finish(guide)
    stored = Connection.objects.get()
    assert (stored.ownership, str(stored.owner_id)) == ("team", chosen)
    assert stored.owner_name == "Sales Office"
    assert "The team Sales Office owns them." in text(guide.client.get(DONE))
    assert '"Sales Office"' in str(Entry.objects.latest("pk").after).replace("'", '"')


def test_a_fallback_is_kept_shown_and_stored_and_offered_again(guide: Guide) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    chosen = user_id(guide.sandbox, "Ester Henderson")

    confirmed(guide, tables=by_salesperson(chosen))
    finish(guide)

    stored = Connection.objects.get()
    assert (stored.ownership, str(stored.owner_id)) == ("salesperson", chosen)
    assert "otherwise Ester Henderson." in text(guide.client.get(DONE))
    guide.until("tables")
    assert f'value="{chosen}" selected' in text(guide.get("tables"))


def test_without_a_word_it_is_as_sales_does_it(guide: Guide) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)

    confirmed(guide)
    finish(guide)

    stored = Connection.objects.get()
    assert (stored.ownership, stored.owner_id, stored.owner_name) == ("salesperson", None, "")


def test_nobody_is_asked_where_nothing_is_created_that_belongs_to_somebody(
    at_tables: Guide,
) -> None:
    answer = at_tables.post("tables", {"scopes": ["currencies"], "ownership": "team", "team": ""})

    assert leads_to(answer) == "/setup/checks/"
    assert SetupProgress.objects.get().answers["tables"] == {"scopes": ["currencies"]}


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (by_team(""), "Choose the team."),
        (by_team("Nobody knows it"), "There is no team Nobody knows it in Sales."),
        (by_team("8b3ae0fd-5dc4-4d12-8a8c-7b1d1c0f3b11"), "There is no team 8b3ae0fd"),
        (by_team("cronus"), "The team cronus has no role in Sales."),
        (by_team("Guests"), "Guests is an access team, which owns nothing."),
        (by_team("Twice"), "Sales knows several with the name Twice."),
        (by_salesperson("Nobody"), "There is no user Nobody in Sales."),
        (by_salesperson("Disabled User"), "Disabled User is disabled in Sales."),
        (by_salesperson("Unlicensed User"), "Unlicensed User has no licence for Sales."),
        (by_salesperson("User Without Roles"), "User Without Roles has no role in Sales."),
    ],
)
def test_an_owner_whom_sales_would_refuse_is_named_beside_the_input(
    at_tables: Guide, chosen: dict[str, Any], says: str
) -> None:
    new_team(at_tables.sandbox, name="Guests", teamtype=1)
    new_team(at_tables.sandbox, name="Twice")
    new_team(at_tables.sandbox, name="Twice")

    answer = at_tables.post("tables", chosen)

    page = text(answer)
    assert answer.status_code == 200
    assert says in page
    name = "team" if chosen["ownership"] == "team" else "fallback"
    assert f'id="id_{name}_error"' in page
    assert "Sales Office</option>" in page
    assert "tables" not in SetupProgress.objects.get().answers


def holds_a_role_without_accounts(sandbox: Sandbox, path: str, association: str) -> None:
    """Give somebody our own role for item availability, which opens no account."""
    admin = administrator(sandbox)
    has_version(sandbox, SOLUTION.version)
    role = {"@odata.id": admin.channel.url(f"roles({PRODUCT_AVAILABILITY_USER})")}
    admin.channel.send(
        "POST",
        f"{path}/{association}/$ref",
        headers={"Content-Type": "application/json"},
        body=_json(role),
    )


@pytest.mark.parametrize("kind", ["team", "salesperson"])
def test_an_owner_who_may_not_read_accounts_is_refused_with_the_privilege_that_is_missing(
    at_tables: Guide, kind: str
) -> None:
    sandbox = at_tables.sandbox
    imports_go(sandbox, seconds=0, hidden=0)
    if kind == "team":
        new_team(sandbox, name="Pickers")
        chosen, name = by_team("Pickers"), "Pickers"
        path = f"teams({team_id(sandbox, name)})"
        holds_a_role_without_accounts(sandbox, path, "teamroles_association")
    else:
        name = "User Without Roles"
        path = f"systemusers({user_id(sandbox, name)})"
        chosen = by_salesperson(name)
        holds_a_role_without_accounts(sandbox, path, "systemuserroles_association")

    answer = at_tables.post("tables", chosen)

    page = text(answer)
    assert answer.status_code == 200
    assert f"{name} may not read the table account in Sales: prvReadAccount is missing." in page
    assert "Assign a role with that privilege in Sales" in page
    assert f'id="id_{"team" if kind == "team" else "fallback"}_error"' in page
    assert "tables" not in SetupProgress.objects.get().answers


def test_an_owner_may_read_accounts_through_a_team(at_tables: Guide) -> None:
    sandbox = at_tables.sandbox
    name = "User Without Roles"
    imports_go(sandbox, seconds=0, hidden=0)
    path = f"systemusers({user_id(sandbox, name)})"
    holds_a_role_without_accounts(sandbox, path, "systemuserroles_association")
    member = {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "ownerid": user_id(sandbox, name)}
    administrator(sandbox).channel.send(
        "POST",
        f"teams({team_id(sandbox, 'Sales Office')})/Microsoft.Dynamics.CRM.AddMembersTeam",
        headers={"Content-Type": "application/json"},
        body=_json({"Members": [member]}),
    )

    assert leads_to(at_tables.post("tables", by_salesperson(name))) == "/setup/checks/"


def test_a_name_that_sales_knows_once_is_good_enough(at_tables: Guide) -> None:
    at_tables.post("tables", by_team("Sales Office"))

    kept = SetupProgress.objects.get().answers["tables"]
    assert kept["team"] == team_id(at_tables.sandbox, "Sales Office")


def test_where_there_are_very_many_the_exact_name_is_asked_for(
    at_tables: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setup_wizard.guide.owners.MOST_NAMES", 2)
    at_tables.post("tables", by_salesperson("Ester Henderson"))

    page = text(at_tables.get("tables"))

    assert "The name exactly as Sales shows it." in page
    assert 'name="fallback" value="Ester Henderson"' in page
    assert "Ester Henderson</option>" not in page


def test_where_sales_does_not_tell_the_page_opens_all_the_same(at_tables: Guide) -> None:
    at_tables.sandbox.fault({"path": "teams"}, {"status": 503})

    page = text(at_tables.get("tables"))

    assert 'name="team"' in page
    assert "The name exactly as Sales shows it." in page


def test_an_owner_who_is_no_good_any_more_stands_in_the_way(at_tables: Guide) -> None:
    guide = at_tables
    guide.post("tables", by_salesperson("Ester Henderson"))
    chosen = user_id(guide.sandbox, "Ester Henderson")
    administrator(guide.sandbox).channel.send(
        "PATCH",
        f"systemusers({chosen})",
        headers={"Content-Type": "application/json"},
        body=_json({"isdisabled": True}),
    )

    page = text(guide.post("checks"))

    found = said(page, "Owner of records created in Sales")
    assert "Ester Henderson is disabled in Sales." in found
    assert '<a href="/setup/tables/">Change the answer' in page


def test_the_integration_user_can_look_where_there_is_no_administrator(guide: Guide) -> None:
    imports_go(guide.sandbox, seconds=0, hidden=0)
    confirmed(guide)
    finish(guide)
    guide.until("administrator")
    guide.post("administrator", NONE)
    guide.post("integration-user")

    assert "Sales Office</option>" in text(guide.get("tables"))
    assert leads_to(guide.post("tables", by_team("Sales Office"))) == "/setup/checks/"
    assert leads_to(guide.post("checks")) == "/setup/check/"


def test_the_command_takes_a_team_or_a_fallback(sandbox: Sandbox, books: object) -> None:
    Attempt(sandbox, {"owner": OwnerWish(TEAM, "Sales Office")}).connect()

    assert Connection.objects.get().owner_name == "Sales Office"
    Attempt(sandbox, {"owner": OwnerWish(named="Ester Henderson")}).connect()
    stored = Connection.objects.get()
    assert (stored.ownership, stored.owner_name) == ("salesperson", "Ester Henderson")


def test_the_command_names_the_option_of_an_owner_who_will_not_do(
    sandbox: Sandbox, books: object
) -> None:
    with pytest.raises(SetupProblem) as team:
        Attempt(sandbox, {"owner": OwnerWish(TEAM, "cronus")}).connect()
    with pytest.raises(SetupProblem) as user:
        Attempt(sandbox, {"owner": OwnerWish(named="Disabled User")}).connect()

    assert (team.value.field, user.value.field) == ("owner-team", "fallback-owner")
    assert not Connection.objects.exists()
