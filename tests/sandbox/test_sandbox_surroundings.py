"""What others have in an environment, and what definitions and counts tell about it."""

import json

import pytest

from tests.sandbox.harness import Client, Sandbox, refused

ACCOUNT = "EntityDefinitions(LogicalName='account')"


def test_a_new_environment_has_nothing_of_others(admin: Client) -> None:
    assert [row["uniquename"] for row in admin.rows("solutions?$select=uniquename")] == ["Default"]
    for path in ("workflows", "sdkmessageprocessingsteps", "duplicaterules"):
        assert admin.rows(path) == []


def test_other_integrations_can_be_planted(admin: Client, sandbox: Sandbox) -> None:
    sandbox.plant("microsoft_integration", "dual_write")
    where = "uniquename eq 'DualWriteCore' or startswith(uniquename,'bcbi_')"
    found = admin.rows(f"solutions?$select=uniquename,version,ismanaged&$filter={where}")
    assert {row["uniquename"] for row in found} == {"DualWriteCore", "bcbi_CdsBaseIntegration"}
    assert {row["ismanaged"] for row in found} == {True}


def test_flows_say_in_their_own_ways_which_table_they_watch(
    admin: Client, sandbox: Sandbox
) -> None:
    sandbox.plant("classic_workflow", "cloud_flow")
    select = "$select=name,category,statecode,type,primaryentity,clientdata"
    found = admin.rows(f"workflows?{select}&$filter=statecode eq 1 and type eq 1")
    by_category = {row["category"]: row for row in found}
    assert by_category[0]["primaryentity"] == "account"
    assert by_category[5]["primaryentity"] == "none"
    assert json.loads(by_category[5]["clientdata"])["properties"]["definition"]["triggers"]


def test_a_plug_in_step_leads_to_its_message_and_table(admin: Client, sandbox: Sandbox) -> None:
    sandbox.plant("plugin_step")
    expand = "$expand=sdkmessageid($select=name),sdkmessagefilterid($select=primaryobjecttypecode)"
    path = f"sdkmessageprocessingsteps?$select=name,stage,mode,statecode,ismanaged&{expand}"
    where = "$filter=sdkmessagefilterid/primaryobjecttypecode eq 'account'"
    [step] = admin.rows(f"{path}&{where}")
    assert (step["stage"], step["mode"], step["statecode"]) == (40, 0, 0)
    assert step["sdkmessageid"]["name"] == "Create"
    assert step["sdkmessagefilterid"]["primaryobjecttypecode"] == "account"


def test_a_published_duplicate_rule_can_be_planted(admin: Client, sandbox: Sandbox) -> None:
    sandbox.plant("duplicate_rule")
    where = "$filter=baseentityname eq 'account' and statecode eq 1"
    [rule] = admin.rows(f"duplicaterules?$select=name,statuscode&{where}")
    assert rule["statuscode"] == 2


def test_any_row_can_be_planted(admin: Client, sandbox: Sandbox) -> None:
    row = {"name": "Rule", "category": 2, "primaryentity": "contact", "statecode": 0}
    [row_id] = sandbox.plant({"set": "workflows", "row": row})
    assert admin.get(f"workflows({row_id})?$select=name").json()["name"] == "Rule"


@pytest.mark.parametrize(
    "wish",
    [
        "nonsense",
        {"secure": "account.nonsense"},
        {"set": "workflows", "row": {"nonsense": 1}},
        {"set": "workflows"},
        7,
    ],
)
def test_a_wish_that_is_not_understood_is_refused(sandbox: Sandbox, wish: object) -> None:
    answer = sandbox.door("POST", "plant", [wish])
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_what_was_planted_goes_with_a_reset(admin: Client, sandbox: Sandbox) -> None:
    sandbox.plant("dual_write", {"secure": "account.creditlimit"})
    sandbox.door("POST", "reset", {})
    assert len(admin.rows("solutions?$select=uniquename")) == 1
    path = f"{ACCOUNT}/Attributes(LogicalName='creditlimit')"
    assert admin.get(path).json()["IsSecured"] is False


def test_a_salesperson_may_not_look_behind_the_scenes(sandbox: Sandbox, api: Client) -> None:
    denied = api.get("workflows?$select=name")
    assert refused(denied) == (403, "0x80040220")
    assert "prvReadWorkflow" in denied.json()["error"]["message"]


def test_change_tracking_is_switched_on_by_putting_the_definition(
    admin: Client, sandbox: Sandbox
) -> None:
    sandbox.plant({"untrack": "account"})
    tracking = "odata.track-changes"
    refusal = admin.get("accounts?$select=name", prefer=tracking)
    assert refused(refusal) == (400, "0x80072491")
    definition = admin.get(ACCOUNT).json()
    assert definition["ChangeTrackingEnabled"] is False
    body = {**definition, "ChangeTrackingEnabled": True}
    headers = {"MSCRM.MergeLabels": "true"}
    assert admin.request("PUT", ACCOUNT, body, headers=headers).status_code == 204
    assert admin.get(f"{ACCOUNT}?$select=ChangeTrackingEnabled").json()["ChangeTrackingEnabled"]
    assert admin.get("accounts?$select=name", prefer=tracking).status_code == 200
    off = admin.request("PUT", ACCOUNT, {**body, "ChangeTrackingEnabled": False})
    assert refused(off) == (400, "0x80040203")


def test_definitions_are_changed_by_customizers_and_in_that_one_way(
    admin: Client, api: Client, sandbox: Sandbox
) -> None:
    sandbox.plant({"untrack": "account"})
    body = {**admin.get(ACCOUNT).json(), "ChangeTrackingEnabled": True}
    assert refused(api.request("PUT", ACCOUNT, body)) == (403, "0x80040220")
    other = admin.request("PUT", ACCOUNT, {**body, "SchemaName": "Other"})
    assert other.status_code == 501
    customizer = sandbox.signed_in(sandbox.user_token(sandbox.ready["flawed"]["customizer"]))
    assert customizer.request("PUT", ACCOUNT, body).status_code == 204


def test_whole_tables_are_counted(api: Client) -> None:
    for name in ("a", "b"):
        api.created("accounts", name=name)
    answer = api.get("RetrieveTotalRecordCount(EntityNames=['account','contact'])").json()
    counts = answer["EntityRecordCountCollection"]
    assert counts["Keys"] == ["account", "contact"]
    assert (counts["Count"], counts["Values"]) == (2, [2, 0])
    by_alias = api.get('RetrieveTotalRecordCount(EntityNames=@p)?@p=["account"]').json()
    assert by_alias["EntityRecordCountCollection"]["Values"] == [2]
    unknown = api.get("RetrieveTotalRecordCount(EntityNames=['nonsense'])")
    assert refused(unknown) == (400, "0x80040203")
