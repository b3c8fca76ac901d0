"""Users, roles, teams and business units: who may be given what, and what stays protected."""

import pytest

from tests.sandbox.harness import Client, Sandbox, code_of, new_id, refused


def root_unit(client: Client) -> str:
    rows = client.rows("businessunits?$filter=_parentbusinessunitid_value eq null")
    unit: str = rows[0]["businessunitid"]
    return unit


def application_user(admin: Client, application_id: str) -> str:
    bind = f"/businessunits({root_unit(admin)})"
    return admin.created(
        "systemusers", applicationid=application_id, **{"businessunitid@odata.bind": bind}
    )


def new_unit(admin: Client) -> str:
    bind = {"parentbusinessunitid@odata.bind": f"/businessunits({root_unit(admin)})"}
    return admin.created("businessunits", name="Branch", **bind)


def tied(client: Client, path: str, navigation: str, target: str) -> int:
    body = {"@odata.id": f"{client.sandbox.api_url}{target}"}
    return client.request("POST", f"{path}/{navigation}/$ref", body).status_code


def role_named(client: Client, name: str, unit: str | None = None) -> str:
    where = f"name eq '{name}' and _businessunitid_value eq {unit or root_unit(client)}"
    role: str = client.rows(f"roles?$select=roleid&$filter={where}")[0]["roleid"]
    return role


def test_an_administrator_makes_an_application_user_who_can_then_work(
    admin: Client, sandbox: Sandbox
) -> None:
    stray = sandbox.ready["flawed"]["application_without_user"]
    assert code_of(sandbox.signed_in(sandbox.app_token(stray)).get("WhoAmI")) == "0x80072560"
    user_id = application_user(admin, stray["client_id"])
    row = admin.get(f"systemusers({user_id})").json()
    assert (row["accessmode"], row["islicensed"], row["firstname"]) == (4, False, "#")
    assert row["domainname"] == row["internalemailaddress"]
    assert code_of(sandbox.signed_in(sandbox.app_token(stray)).get("WhoAmI")) == "0x80042f09"
    role = f"roles({role_named(admin, 'Integration User')})"
    assert tied(admin, f"systemusers({user_id})", "systemuserroles_association", role) == 204
    assert sandbox.signed_in(sandbox.app_token(stray)).get("WhoAmI").json()["UserId"] == user_id


def test_an_application_has_one_user(admin: Client, sandbox: Sandbox) -> None:
    taken = sandbox.ready["application"]["client_id"]
    body = {
        "applicationid": taken,
        "businessunitid@odata.bind": f"/businessunits({root_unit(admin)})",
    }
    assert refused(admin.request("POST", "systemusers", body)) == (412, "0x80040237")
    unknown = admin.request("POST", "systemusers", {**body, "applicationid": new_id()})
    assert refused(unknown) == (400, "0x80040203")
    without_unit = {
        "applicationid": sandbox.ready["flawed"]["application_without_user"]["client_id"]
    }
    assert refused(admin.request("POST", "systemusers", without_unit)) == (400, "0x80040200")


def test_only_who_may_create_users_does(api: Client) -> None:
    body = {
        "applicationid": new_id(),
        "businessunitid@odata.bind": f"/businessunits({root_unit(api)})",
    }
    denied = api.request("POST", "systemusers", body)
    assert refused(denied) == (403, "0x80040220")
    assert "prvCreateUser" in denied.json()["error"]["message"]


def test_access_mode_and_enabling_can_be_changed_but_not_the_licence(
    admin: Client, sandbox: Sandbox
) -> None:
    user = f"systemusers({sandbox.ready['integration_user']['id']})"
    body = {"accessmode": 0, "isdisabled": True, "islicensed": False}
    assert admin.request("PATCH", user, body, headers={"If-Match": "*"}).status_code == 204
    row = admin.get(f"{user}?$select=accessmode,isdisabled,islicensed").json()
    assert (row["accessmode"], row["isdisabled"], row["islicensed"]) == (0, True, True)


def test_a_role_is_tied_from_both_sides_and_only_once(admin: Client, sandbox: Sandbox) -> None:
    user = f"systemusers({sandbox.ready['flawed']['without_roles']['id']})"
    role = f"roles({role_named(admin, 'Salesperson')})"
    navigation = "systemuserroles_association"
    assert tied(admin, role, navigation, user) == 204
    body = {"@odata.id": f"{sandbox.api_url}{role}"}
    again = admin.request("POST", f"{user}/{navigation}/$ref", body)
    assert refused(again) == (412, "0x80040237")
    assert [r["name"] for r in admin.rows(f"{user}/{navigation}?$select=name")] == ["Salesperson"]
    key = role.partition("(")[2].rstrip(")")
    assert admin.request("DELETE", f"{user}/{navigation}({key})/$ref").status_code == 204
    assert tied(admin, user, navigation, role) == 204
    by_option = f"{user}/{navigation}/$ref?$id={sandbox.api_url}{role}"
    assert admin.request("DELETE", by_option).status_code == 204
    assert admin.rows(f"{user}/{navigation}?$select=name") == []


def test_a_business_unit_gets_copies_of_the_roles_and_a_default_team(admin: Client) -> None:
    unit = new_unit(admin)
    copy = admin.rows(f"roles?$filter=name eq 'Salesperson' and _businessunitid_value eq {unit}")[0]
    root = role_named(admin, "Salesperson")
    assert (copy["_parentrootroleid_value"], copy["_parentroleid_value"]) == (root, root)
    where = f"isdefault eq true and _businessunitid_value eq {unit}"
    assert [team["name"] for team in admin.rows(f"teams?$filter={where}")] == ["Branch"]
    new_role = admin.created(
        "roles",
        name="Made later",
        **{"businessunitid@odata.bind": f"/businessunits({root_unit(admin)})"},
    )
    assert role_named(admin, "Made later", unit) != new_role
    assert admin.request("DELETE", f"roles({new_role})").status_code == 204
    assert admin.rows("roles?$filter=name eq 'Made later'") == []


def test_a_role_of_another_business_unit_is_not_given(admin: Client, sandbox: Sandbox) -> None:
    copy = role_named(admin, "Salesperson", new_unit(admin))
    user = f"systemusers({sandbox.ready['flawed']['without_roles']['id']})"
    assert tied(admin, user, "systemuserroles_association", f"roles({copy})") == 403


def test_a_copy_of_a_role_grants_what_its_root_grants(admin: Client, sandbox: Sandbox) -> None:
    unit = new_unit(admin)
    user = sandbox.ready["flawed"]["without_roles"]
    path = f"systemusers({user['id']})"
    bind = {"businessunitid@odata.bind": f"/businessunits({unit})"}
    assert admin.request("PATCH", path, bind, headers={"If-Match": "*"}).status_code == 204
    role = f"roles({role_named(admin, 'Salesperson', unit)})"
    assert tied(admin, path, "systemuserroles_association", role) == 204
    client = sandbox.signed_in(sandbox.user_token(user))
    assert client.created("accounts", name="a")
    assert client.get("WhoAmI").json()["BusinessUnitId"] == unit


def test_roles_have_different_names(admin: Client) -> None:
    body = {
        "name": "Salesperson",
        "businessunitid@odata.bind": f"/businessunits({root_unit(admin)})",
    }
    assert refused(admin.request("POST", "roles", body)) == (400, "0x80041403")


def test_a_team_takes_roles_and_members(admin: Client, sandbox: Sandbox) -> None:
    unit = {"businessunitid@odata.bind": f"/businessunits({root_unit(admin)})"}
    team = f"teams({admin.created('teams', name='Integration', **unit)})"
    role = f"roles({role_named(admin, 'Integration User')})"
    assert tied(admin, team, "teamroles_association", role) == 204
    user = sandbox.ready["flawed"]["without_roles"]
    member = {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "ownerid": user["id"]}
    action = f"{team}/Microsoft.Dynamics.CRM."
    for _ in range(2):
        added = admin.request("POST", f"{action}AddMembersTeam", {"Members": [member]})
        assert added.status_code == 204
    assert sandbox.signed_in(sandbox.user_token(user)).get("accounts?$top=1").status_code == 200
    removed = admin.request("POST", f"{action}RemoveMembersTeam", {"Members": [member]})
    assert removed.status_code == 204
    assert code_of(sandbox.signed_in(sandbox.user_token(user)).get("WhoAmI")) == "0x80042f09"
    wrong = admin.request("POST", f"{action}AddMembersTeam", {"Members": [{"ownerid": "x"}]})
    assert refused(wrong) == (400, "0x80048d19")


def test_the_last_system_administrator_can_neither_lose_the_role_nor_be_disabled(
    admin: Client, sandbox: Sandbox
) -> None:
    navigation = "systemuserroles_association"
    role = role_named(admin, "System Administrator")
    flawed = sandbox.ready["flawed"]
    others = (f"systemusers({flawed['administrator_without_customizer']['id']})",)
    for path in others:
        assert admin.request("DELETE", f"{path}/{navigation}({role})/$ref").status_code == 204
    [team] = admin.rows("teams?$filter=name eq 'Administrators'")
    team_ref = f"teams({team['teamid']})/teamroles_association({role})/$ref"
    assert admin.request("DELETE", team_ref).status_code == 204
    me = f"systemusers({sandbox.ready['administrator']['id']})"
    lost = admin.request("DELETE", f"{me}/{navigation}({role})/$ref")
    assert refused(lost) == (400, "0x80041d30")
    disabled = admin.request("PATCH", me, {"isdisabled": True}, headers={"If-Match": "*"})
    assert refused(disabled) == (400, "0x80041d2f")
    assert admin.get("WhoAmI").status_code == 200


def test_the_back_door_shows_who_holds_which_role(sandbox: Sandbox) -> None:
    held = {(row["systemuserid"], row["roleid"]) for row in sandbox.dump("systemuserroles")}
    roles = {row["roleid"]: row["name"] for row in sandbox.dump("roles")}
    me = sandbox.ready["administrator"]["id"]
    assert {roles[role] for user, role in held if user == me} == {
        "System Administrator",
        "System Customizer",
    }


@pytest.mark.parametrize(
    ("who", "code"), [("not_a_member", "0x80072560"), ("disabled", "0x80040225")]
)
def test_flawed_people_are_turned_away(sandbox: Sandbox, who: str, code: str) -> None:
    client = sandbox.signed_in(sandbox.user_token(sandbox.ready["flawed"][who]))
    assert code_of(client.get("WhoAmI")) == code


def test_flawed_people_are_flawed_in_the_way_their_name_says(
    admin: Client, sandbox: Sandbox
) -> None:
    flawed = sandbox.ready["flawed"]
    select = "$select=islicensed,accessmode"
    row = admin.get(f"systemusers({flawed['unlicensed']['id']})?{select}").json()
    assert (row["islicensed"], row["accessmode"]) == (False, 0)
    path = f"systemusers({flawed['administrator_without_customizer']['id']})"
    roles = admin.rows(f"{path}/systemuserroles_association?$select=name")
    assert [role["name"] for role in roles] == ["System Administrator"]


def test_the_journal_names_who_called(admin: Client, api: Client, sandbox: Sandbox) -> None:
    begun = sandbox.door("GET", "journal").json()["next"]
    admin.get("WhoAmI")
    api.get("WhoAmI")
    assert [entry["caller"] for entry in sandbox.journal(begun)] == [
        sandbox.ready["administrator"]["id"],
        sandbox.ready["application"]["id"],
    ]
