"""Writing rows: keys, etags, lookups, validation, states, associations."""

import pytest

from tests.sandbox.harness import Client, Sandbox, new_id, refused


def test_a_client_chooses_the_key_of_a_new_row(api: Client) -> None:
    row_id = new_id()
    assert api.created("accounts", accountid=row_id, name="a") == row_id
    again = api.request("POST", "accounts", {"accountid": row_id, "name": "b"})
    assert refused(again) == (412, "0x80040237")
    assert api.get(f"accounts({row_id})?$select=name").json()["name"] == "a"


def test_a_representation_comes_when_asked_for(api: Client) -> None:
    answer = api.request(
        "POST", "accounts?$select=name", {"name": "a"}, prefer="return=representation"
    )
    assert answer.status_code == 201
    assert answer.json()["name"] == "a"
    assert "OData-EntityId" not in answer.headers
    assert answer.headers["ETag"] == answer.json()["@odata.etag"]
    assert answer.headers["Preference-Applied"] == "return=representation"


def test_odd_names_survive(api: Client, sandbox: Sandbox) -> None:
    name = 'O\'Neill "&" Søn / 100% <b> 🎉 \\ \u2028'
    api.created("accounts", name=name)
    assert sandbox.dump("accounts")[0]["name"] == name


def test_a_stale_etag_is_refused_and_a_fresh_one_accepted(api: Client) -> None:
    row_id = api.created("accounts", name="a")
    path = f"accounts({row_id})"
    first = api.get(f"{path}?$select=name").headers["ETag"]
    assert api.request("PATCH", path, {"name": "b"}, headers={"If-Match": first}).status_code == 204
    stale = api.request("PATCH", path, {"name": "c"}, headers={"If-Match": first})
    assert refused(stale) == (412, "0x80060882")
    assert refused(api.request("DELETE", path, headers={"If-Match": first})) == (412, "0x80060882")
    fresh = api.get(f"{path}?$select=name").headers["ETag"]
    assert fresh != first
    assert api.request("DELETE", path, headers={"If-Match": fresh}).status_code == 204


def test_an_update_without_if_match_makes_the_row_again(api: Client, sandbox: Sandbox) -> None:
    row_id = new_id()
    assert api.request("PATCH", f"accounts({row_id})", {"name": "a"}).status_code == 204
    assert [row["accountid"] for row in sandbox.dump("accounts")] == [row_id]
    missing = api.request(
        "PATCH", f"accounts({new_id()})", {"name": "a"}, headers={"If-Match": "*"}
    )
    assert refused(missing) == (404, "0x80040217")
    only_new = api.request(
        "PATCH", f"accounts({row_id})", {"name": "b"}, headers={"If-None-Match": "*"}
    )
    assert refused(only_new) == (412, "0x80040237")


def test_every_write_moves_version_and_modification(api: Client, sandbox: Sandbox) -> None:
    row_id = api.created("accounts", name="a")
    [before] = sandbox.dump("accounts")
    sandbox.edit({"clock": {"advance": 60}})
    api.request("PATCH", f"accounts({row_id})", {"name": "a"}, headers={"If-Match": "*"})
    [after] = sandbox.dump("accounts")
    assert after["versionnumber"] > before["versionnumber"]
    assert after["modifiedon"] > before["modifiedon"]
    assert after["createdon"] == before["createdon"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"nam": "x"}, 400, "0x80048d19"),
        ({"Name": "x"}, 400, "0x80048d19"),
        ({"name": 1}, 400, "0x80048d19"),
        ({"name": "x" * 161}, 400, "0x80044331"),
        ({"paymenttermscode": 5}, 400, "0x8004431a"),
        ({"paymenttermscode": "1"}, 400, "0x80048d19"),
        ({"numberofemployees": -1}, 400, "0x8004432f"),
        ({"creditlimit": -1}, 400, "0x80044330"),
        ({"creditlimit": "12"}, 400, "0x80048d19"),
        ({"donotphone": "yes"}, 400, "0x80048d19"),
        ({"lastusedincampaign": "tomorrow"}, 400, "0x80048d19"),
        ({"accountid": "1"}, 400, "0x80048d19"),
        ({"_primarycontactid_value": None}, 400, "0x80048d19"),
        ({"PrimaryContactId@odata.bind": None}, 400, "0x80048d19"),
        ({"primarycontactid@odata.bind": f"/contacts({new_id()})"}, 404, "0x80040217"),
        ({"primarycontactid@odata.bind": f"/accounts({new_id()})"}, 400, "0x80048d19"),
        ({"primarycontactid": {"lastname": "x"}}, 501, "0x80040203"),
        ({"statuscode": 2}, 400, "0x80048408"),
        ({"creditlimit": 1, "transactioncurrencyid@odata.bind": None}, 400, "0x80048cfb"),
        ({"@odata.type": "Microsoft.Dynamics.CRM.contact"}, 400, "0x80048d19"),
    ],
)
def test_bad_values_are_refused_with_the_codes_of_the_service(
    api: Client, sandbox: Sandbox, body: dict[str, object], status: int, code: str
) -> None:
    assert refused(api.request("POST", "accounts", body)) == (status, code)
    assert sandbox.dump("accounts") == []


def test_what_is_not_json_is_refused(api: Client) -> None:
    answer = api.session.post(f"{api.sandbox.api_url}accounts", data=b"{name", timeout=10)
    assert refused(answer) == (400, "0x80048d19")


def test_computed_and_read_only_columns_are_ignored(api: Client, sandbox: Sandbox) -> None:
    api.created("contacts", firstname="Ann", lastname="Beck", fullname="Somebody Else")
    api.created("accounts", name="a", creditlimit=10, creditlimit_base=99, merged=True)
    assert sandbox.dump("contacts")[0]["fullname"] == "Ann Beck"
    [account] = sandbox.dump("accounts")
    assert (account["creditlimit_base"], account["merged"]) == (10.0, False)


def test_an_empty_text_is_null(api: Client, sandbox: Sandbox) -> None:
    api.created("accounts", name="a", telephone1="")
    assert sandbox.dump("accounts")[0]["telephone1"] is None


def test_states_and_statuses_move_together(api: Client, sandbox: Sandbox) -> None:
    path = f"accounts({api.created('accounts', name='a')})"
    assert api.request("PATCH", path, {"statecode": 1}).status_code == 204
    [row] = sandbox.dump("accounts")
    assert (row["statecode"], row["statuscode"]) == (1, 2)
    wrong = api.request("PATCH", path, {"statecode": 0, "statuscode": 2})
    assert refused(wrong) == (400, "0x80048408")
    assert api.request("PATCH", path, {"statecode": 0, "statuscode": 1}).status_code == 204


def test_lookups_are_bound_read_and_cleared(api: Client, sandbox: Sandbox) -> None:
    account = api.created("accounts", name="a")
    bind = {"parentcustomerid_account@odata.bind": f"/accounts({account})"}
    contact = api.created("contacts", lastname="Beck", **bind)
    absolute = {"primarycontactid@odata.bind": f"{sandbox.api_url}contacts({contact})"}
    api.request("PATCH", f"accounts({account})", absolute)
    assert sandbox.dump("accounts")[0]["_primarycontactid_value"] == contact
    [row] = api.rows(
        "contacts?$select=_parentcustomerid_value", prefer='odata.include-annotations="*"'
    )
    assert row["_parentcustomerid_value"] == account
    kind = "_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"
    assert row[kind] == "account"
    for body in ({"primarycontactid@odata.bind": None}, {"primarycontactid": None}):
        api.request("PATCH", f"accounts({account})", absolute)
        assert api.request("PATCH", f"accounts({account})", body).status_code == 204
        assert sandbox.dump("accounts")[0]["_primarycontactid_value"] is None
    reference = f"accounts({account})/primarycontactid/$ref"
    contact_url = {"@odata.id": f"{sandbox.api_url}contacts({contact})"}
    assert api.request("PUT", reference, contact_url).status_code == 204
    assert sandbox.dump("accounts")[0]["_primarycontactid_value"] == contact
    assert api.request("DELETE", reference).status_code == 204
    assert sandbox.dump("accounts")[0]["_primarycontactid_value"] is None


def test_a_row_belongs_to_its_maker_unless_it_says_otherwise(api: Client, sandbox: Sandbox) -> None:
    mine = api.created("accounts", name="mine")
    other = sandbox.ready["administrator"]["id"]
    given = api.created(
        "accounts", name="given", **{"ownerid@odata.bind": f"/systemusers({other})"}
    )
    owners = {row["accountid"]: row["_ownerid_value"] for row in sandbox.dump("accounts")}
    assert owners == {mine: sandbox.ready["application"]["id"], given: other}


def test_deleting_lets_go_of_what_named_the_row(api: Client, sandbox: Sandbox) -> None:
    parent = api.created("accounts", name="parent")
    bind = {"parentaccountid@odata.bind": f"/accounts({parent})"}
    child = api.created("accounts", name="child", **bind)
    api.created(
        "contacts",
        lastname="Beck",
        **{"parentcustomerid_account@odata.bind": f"/accounts({parent})"},
    )
    assert api.request("DELETE", f"accounts({parent})").status_code == 204
    [left] = sandbox.dump("accounts")
    assert (left["accountid"], left["_parentaccountid_value"]) == (child, None)
    assert sandbox.dump("contacts") == []
    assert refused(api.request("DELETE", f"accounts({parent})")) == (404, "0x80040217")


def test_an_administrator_gives_and_takes_roles(admin: Client, sandbox: Sandbox) -> None:
    user = sandbox.ready["flawed"]["without_roles"]["id"]
    [role] = admin.rows("roles?$select=name&$filter=name eq 'Salesperson'")
    body = {"@odata.id": f"{sandbox.api_url}roles({role['roleid']})"}
    path = f"systemusers({user})/systemuserroles_association"
    assert admin.request("POST", f"{path}/$ref", body).status_code == 204
    assert refused(admin.request("POST", f"{path}/$ref", body)) == (412, "0x80040237")
    assert [r["name"] for r in admin.get(f"{path}?$select=name").json()["value"]] == ["Salesperson"]
    assert admin.request("DELETE", f"{path}({role['roleid']})/$ref").status_code == 204
    assert admin.get(path).json()["value"] == []


def test_the_integration_user_cannot_give_itself_roles(api: Client, sandbox: Sandbox) -> None:
    user = sandbox.ready["application"]["id"]
    [role] = api.rows("roles?$select=name&$filter=name eq 'System Administrator'")
    body = {"@odata.id": f"{sandbox.api_url}roles({role['roleid']})"}
    path = f"systemusers({user})/systemuserroles_association/$ref"
    assert refused(api.request("POST", path, body)) == (403, "0x80040220")
