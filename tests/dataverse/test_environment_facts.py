"""What is found out about an environment before anything is written there."""

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from crmsync.dataverse import administration, environment
from crmsync.dataverse.automations import (
    Automation,
    AutomationKind,
    DuplicateRule,
    automations,
    duplicate_rules,
)
from crmsync.dataverse.client import Client
from crmsync.dataverse.column_security import unreadable_columns
from crmsync.dataverse.errors import PrivilegeMissing
from tests.dataverse.wires import administrator, plant
from tests.sandboxes import Sandbox

TABLES = ("account", "contact")


@pytest.fixture
def admin(sandbox: Sandbox) -> Client:
    return administrator(sandbox)


def test_the_organization_says_its_version_and_its_base_currency(client: Client) -> None:
    found = administration.organization(client)

    assert found.version.startswith("9.2.")
    assert (found.base_currency_code, found.base_currency_precision) == ("GBP", 2)


def test_nothing_else_is_installed_in_a_fresh_environment(admin: Client) -> None:
    assert environment.installed_others(admin) == ()


def test_other_integrations_are_found_by_their_solutions(sandbox: Sandbox, admin: Client) -> None:
    plant(sandbox, "microsoft_integration", "dual_write")

    found = {
        other.solution.unique_name: other.product for other in environment.installed_others(admin)
    }

    assert found == {
        "MicrosoftDynamicsNavIntegration": "Business Central",
        "bcbi_CdsBaseIntegration": "Business Central",
        "DualWriteCore": "Dual-write",
    }


def test_currencies_come_with_rate_and_precision(sandbox: Sandbox, client: Client) -> None:
    found = environment.currencies(client)

    raw = {row["isocurrencycode"]: row for row in sandbox.dump("transactioncurrencies")}
    assert [currency.code for currency in found] == sorted(raw)
    base = next(currency for currency in found if currency.code == "GBP")
    assert (base.rate, base.precision, base.is_active) == (Decimal(1), 2, True)
    assert all(c.rate == Decimal(str(raw[c.code]["exchangerate"])) for c in found)


def test_rows_are_counted_per_table(sandbox: Sandbox, client: Client) -> None:
    found = environment.row_counts(client, TABLES)

    assert found == {
        "account": len(sandbox.dump("accounts")),
        "contact": len(sandbox.dump("contacts")),
    }


def test_change_tracking_is_switched_on_where_it_is_off(sandbox: Sandbox, admin: Client) -> None:
    plant(sandbox, {"untrack": "account"})
    assert environment.change_tracking(admin, TABLES) == {"account": False, "contact": True}

    environment.enable_change_tracking(admin, "account")

    assert environment.change_tracking(admin, TABLES) == {"account": True, "contact": True}


def test_change_tracking_that_is_on_is_left_alone(sandbox: Sandbox, admin: Client) -> None:
    mark = sandbox.mark()

    environment.enable_change_tracking(admin, "contact")

    assert sandbox.writes(mark) == []


def test_only_customizers_switch_change_tracking_on(sandbox: Sandbox, client: Client) -> None:
    plant(sandbox, {"untrack": "account"})

    with pytest.raises(PrivilegeMissing):
        environment.enable_change_tracking(client, "account")

    assert environment.change_tracking(client, ["account"]) == {"account": False}


def test_what_reacts_to_written_rows_is_listed(sandbox: Sandbox, admin: Client) -> None:
    plant(sandbox, "classic_workflow", "cloud_flow", "plugin_step")

    found = set(automations(admin, TABLES))

    assert found == {
        Automation(AutomationKind.WORKFLOW, "account", "Tell the owner about a changed account"),
        Automation(AutomationKind.FLOW, "account", "Post new accounts to a channel"),
        Automation(
            AutomationKind.PLUGIN,
            "account",
            "Contoso.Plugins.CheckAccount: Create of account",
            "Create",
        ),
    }
    assert automations(admin, ["contact"]) == ()


def test_what_is_switched_off_does_not_react(sandbox: Sandbox, admin: Client) -> None:
    draft = {"name": "Draft", "category": 0, "primaryentity": "account", "statecode": 0}
    plant(sandbox, {"set": "workflows", "row": {**draft, "statuscode": 1}})

    assert automations(admin, TABLES) == ()


def test_steps_of_microsoft_are_not_listed(sandbox: Sandbox, admin: Client) -> None:
    step = {
        "name": "Microsoft.Dynamics.Sales.Plugins.AccountPlugin: Update of account",
        "stage": 40,
        "mode": 0,
        "ismanaged": True,
        "_sdkmessageid_value": "Update",
        "_sdkmessagefilterid_value": "account",
    }
    plant(sandbox, {"set": "sdkmessageprocessingsteps", "row": step})

    assert automations(admin, TABLES) == ()


@pytest.mark.parametrize("clientdata", ["", "{", "[]", '{"properties": {"definition": 1}}'])
def test_a_flow_that_cannot_be_read_stops_nothing(
    sandbox: Sandbox, admin: Client, clientdata: str
) -> None:
    flow = {"name": "Odd", "category": 5, "primaryentity": "none", "clientdata": clientdata}
    plant(sandbox, {"set": "workflows", "row": {**flow, "statecode": 1, "statuscode": 2}})

    assert automations(admin, TABLES) == ()


def test_published_duplicate_rules_are_listed(sandbox: Sandbox, admin: Client) -> None:
    plant(sandbox, "duplicate_rule")

    expected = DuplicateRule("account", "Accounts with the same account name")
    assert duplicate_rules(admin, TABLES) == (expected,)
    assert duplicate_rules(admin, ["contact"]) == ()


def test_a_secured_column_cannot_be_read_by_whom_no_profile_allows_it(
    sandbox: Sandbox, admin: Client
) -> None:
    plant(sandbox, {"secure": "account.creditlimit"})
    wanted = ("name", "creditlimit", "telephone1")

    user_id = UUID(sandbox.ready["integration_user"]["id"])
    admin_id = UUID(sandbox.ready["administrator"]["id"])
    assert unreadable_columns(admin, user_id=user_id, table="account", columns=wanted) == (
        "creditlimit",
    )
    assert unreadable_columns(admin, user_id=admin_id, table="account", columns=wanted) == ()
    assert unreadable_columns(admin, user_id=user_id, table="account", columns=["name"]) == ()


def allow_credit_limit(sandbox: Sandbox, *, user_id: str, through_a_team: bool) -> None:
    """Give a user, or a team with that user in it, a profile that allows reading the column."""
    profile, team = str(uuid4()), str(uuid4())
    permission = {
        "entityname": "account",
        "attributelogicalname": "creditlimit",
        "canread": 4,
        "_fieldsecurityprofileid_value": profile,
    }
    held = {"fieldsecurityprofileid": profile}
    plant(
        sandbox,
        {"set": "fieldsecurityprofiles", "row": {**held, "name": "Credit"}},
        {"set": "fieldpermissions", "row": permission},
        {"set": "teams", "row": {"teamid": team, "ownerid": team, "name": "Credit team"}},
        {"set": "teammemberships", "row": {"teamid": team, "systemuserid": user_id}},
    )
    if through_a_team:
        plant(sandbox, {"set": "teamprofilescollection", "row": {**held, "teamid": team}})
    else:
        holder = {"set": "systemuserprofilescollection", "row": {**held, "systemuserid": user_id}}
        plant(sandbox, holder)


@pytest.mark.parametrize("through_a_team", [False, True])
def test_a_profile_of_the_user_or_of_a_team_allows_a_column(
    sandbox: Sandbox, admin: Client, through_a_team: bool
) -> None:
    plant(sandbox, {"secure": "account.creditlimit"})
    user_id = UUID(sandbox.ready["integration_user"]["id"])

    allow_credit_limit(sandbox, user_id=str(user_id), through_a_team=through_a_team)

    columns = ["creditlimit", "name"]
    assert unreadable_columns(admin, user_id=user_id, table="account", columns=columns) == ()
