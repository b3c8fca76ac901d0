"""What roles allow, what callers may ask about it, and columns that only some may see."""

from tests.sandbox import zips
from tests.sandbox.harness import Client, Sandbox, new_id, refused
from tests.sandbox.test_sandbox_members import role_named, tied
from tests.sandbox.test_sandbox_owners import new_team

USER = "Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"


def privilege_named(client: Client, name: str) -> str:
    found = client.rows(f"privileges?$select=name,privilegeid&$filter=name eq '{name}'")
    privilege: str = found[0]["privilegeid"]
    return privilege


def test_a_users_privileges_are_those_of_all_roles_with_their_depth(
    admin: Client, sandbox: Sandbox
) -> None:
    path = f"systemusers({sandbox.ready['application']['id']})"
    held = admin.get(f"{path}/{USER}").json()["RolePrivileges"]
    by_id = {privilege["PrivilegeId"]: privilege["Depth"] for privilege in held}
    assert by_id[privilege_named(admin, "prvReadAccount")] == "Global"
    assert privilege_named(admin, "prvCreateTeam") not in by_id
    everything = admin.get(f"systemusers({sandbox.ready['administrator']['id']})/{USER}").json()
    assert len(everything["RolePrivileges"]) == len(admin.rows("privileges?$select=name"))


def test_one_privilege_can_be_asked_for_by_name(api: Client, sandbox: Sandbox) -> None:
    path = f"systemusers({sandbox.ready['application']['id']})"
    ask = f"{path}/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName"
    found = api.get(f"{ask}(PrivilegeName='prvReadAccount')").json()["RolePrivileges"]
    assert [privilege["Depth"] for privilege in found] == ["Global"]
    assert api.get(f"{ask}(PrivilegeName='prvCreateTeam')").json()["RolePrivileges"] == []


def test_roles_of_teams_count_for_one_privilege_and_not_for_the_list(
    admin: Client, sandbox: Sandbox
) -> None:
    path = f"systemusers({sandbox.ready['flawed']['team_administrator']['id']})"
    wanted = privilege_named(admin, "prvCreateTeam")
    held = admin.get(f"{path}/{USER}").json()["RolePrivileges"]
    assert wanted not in {privilege["PrivilegeId"] for privilege in held}
    ask = f"{path}/Microsoft.Dynamics.CRM.RetrieveUserPrivilegeByPrivilegeName"
    found = admin.get(f"{ask}(PrivilegeName='prvCreateTeam')").json()["RolePrivileges"]
    assert [privilege["PrivilegeId"] for privilege in found] == [wanted]


def test_a_teams_privileges_are_those_of_its_own_roles(admin: Client, sandbox: Sandbox) -> None:
    [team] = [row for row in sandbox.dump("teams") if row["name"] == "Administrators"]
    ask = f"teams({team['teamid']})/Microsoft.Dynamics.CRM.RetrieveTeamPrivileges()"
    everything = admin.get(ask).json()["RolePrivileges"]
    assert len(everything) == len(admin.rows("privileges?$select=name"))
    tied(
        admin,
        f"teams({new_team(admin)})",
        "teamroles_association",
        f"roles({role_named(admin, 'Salesperson')})",
    )
    [team] = [row for row in sandbox.dump("teams") if row["name"] == "Field sales"]
    ask = f"teams({team['teamid']})/Microsoft.Dynamics.CRM.RetrieveTeamPrivileges()"
    held = {one["PrivilegeId"]: one["Depth"] for one in admin.get(ask).json()["RolePrivileges"]}
    assert held[privilege_named(admin, "prvReadAccount")] == "Global"
    assert privilege_named(admin, "prvCreateTeam") not in held
    missing = admin.get(f"teams({new_id()})/Microsoft.Dynamics.CRM.RetrieveTeamPrivileges()")
    assert refused(missing) == (404, "0x80040217")


def test_who_has_no_roles_has_no_privileges(admin: Client, sandbox: Sandbox) -> None:
    user = sandbox.ready["flawed"]["without_roles"]["id"]
    assert admin.get(f"systemusers({user})/{USER}").json()["RolePrivileges"] == []
    assert refused(admin.get(f"systemusers({new_id()})/{USER}")) == (404, "0x80040217")


def test_a_role_below_the_organization_is_said_to_be_beyond_this_sandbox(
    admin: Client, sandbox: Sandbox
) -> None:
    narrow = zips.solution(privileges={"prvReadAccount": "Basic", "prvReadUser": "Global"})
    body = zips.import_body(narrow, new_id())
    assert admin.request("POST", "ImportSolution", body).status_code == 204
    user = sandbox.ready["flawed"]["without_roles"]
    ref = {"@odata.id": f"{sandbox.api_url}roles({zips.ROLE_ID})"}
    path = f"systemusers({user['id']})/systemuserroles_association/$ref"
    assert admin.request("POST", path, ref).status_code == 204
    client = sandbox.signed_in(sandbox.user_token(user))
    assert client.get("accounts?$select=name").status_code == 501
    held = admin.get(f"systemusers({user['id']})/{USER}").json()["RolePrivileges"]
    assert sorted(privilege["Depth"] for privilege in held) == ["Basic", "Global"]


def secured_account(admin: Client, sandbox: Sandbox) -> str:
    account = admin.created("accounts", name="a", creditlimit=500.0)
    sandbox.plant({"secure": "account.creditlimit"})
    return f"accounts({account})"


def test_a_secured_column_shows_no_value_to_who_may_not_read_it(
    admin: Client, api: Client, sandbox: Sandbox
) -> None:
    path = secured_account(admin, sandbox)
    for client, seen in ((api, None), (admin, 500.0)):
        row = client.get(f"{path}?$select=name,creditlimit,creditlimit_base").json()
        assert (row["name"], row["creditlimit"], row["creditlimit_base"]) == ("a", seen, seen)
        assert client.rows("accounts?$select=creditlimit")[0]["creditlimit"] == seen


def test_a_secured_column_takes_no_value_from_who_may_not_write_it(
    admin: Client, api: Client, sandbox: Sandbox
) -> None:
    path = secured_account(admin, sandbox)
    update = api.request("PATCH", path, {"creditlimit": 1}, headers={"If-Match": "*"})
    assert refused(update) == (403, "0x8004f507")
    create = api.request("POST", "accounts", {"name": "b", "creditlimit": 1})
    assert refused(create) == (403, "0x8004f502")
    other = api.request("PATCH", path, {"name": "b"}, headers={"If-Match": "*"})
    assert other.status_code == 204
    assert sandbox.dump("accounts")[0]["creditlimit"] == 500


def test_a_profile_opens_a_secured_column(admin: Client, api: Client, sandbox: Sandbox) -> None:
    path = secured_account(admin, sandbox)
    profile = admin.created("fieldsecurityprofiles", name="Credit")
    admin.created(
        "fieldpermissions",
        entityname="account",
        attributelogicalname="creditlimit",
        canread=4,
        canupdate=4,
        **{"fieldsecurityprofileid@odata.bind": f"/fieldsecurityprofiles({profile})"},
    )
    user = f"systemusers({sandbox.ready['application']['id']})"
    ref = {"@odata.id": f"{sandbox.api_url}{user}"}
    association = f"fieldsecurityprofiles({profile})/systemuserprofiles_association/$ref"
    assert admin.request("POST", association, ref).status_code == 204
    assert api.get(f"{path}?$select=creditlimit").json()["creditlimit"] == 500
    update = api.request("PATCH", path, {"creditlimit": 1}, headers={"If-Match": "*"})
    assert update.status_code == 204
    create = api.request("POST", "accounts", {"name": "b", "creditlimit": 1})
    assert refused(create) == (403, "0x8004f502")
    held = admin.rows(f"{user}/systemuserprofiles_association?$select=name")
    assert [row["name"] for row in held] == ["Credit"]


def test_everybody_may_ask_which_columns_are_secured(
    admin: Client, api: Client, sandbox: Sandbox
) -> None:
    secured_account(admin, sandbox)
    select = "$select=LogicalName,IsSecured,IsValidForRead"
    path = f"EntityDefinitions(LogicalName='account')/Attributes?{select}"
    found = api.rows(f"{path}&$filter=IsSecured eq true")
    assert {row["LogicalName"] for row in found} == {"creditlimit", "creditlimit_base"}
    sandbox.plant({"unsecure": "account.creditlimit"})
    assert api.rows(f"{path}&$filter=IsSecured eq true") == []
