"""Solutions: what an import brings, and what their removal takes away."""

from typing import Any

import pytest

from tests.sandbox import zips
from tests.sandbox.harness import Client, Sandbox, code_of, new_id, refused
from tests.sandbox.importing import ROLE, imported, installed


def test_a_solution_that_is_not_there_is_an_empty_page(admin: Client) -> None:
    assert installed(admin) == []


def test_a_solution_brings_its_publisher_role_table_and_column(
    admin: Client, sandbox: Sandbox
) -> None:
    imported(admin, zips.solution())
    [publisher] = admin.rows("publishers?$filter=uniquename eq 'tester'")
    assert publisher["customizationprefix"] == "tst"
    expanded = "$expand=roleprivileges_association($select=name)"
    role = admin.get(f"{ROLE}?$select=name,ismanaged&{expanded}").json()
    assert (role["name"], role["ismanaged"]) == ("Tester Role", True)
    granted = {privilege["name"] for privilege in role["roleprivileges_association"]}
    assert granted == {*zips.PRIVILEGES, *zips.TABLE_PRIVILEGES}
    row_id = admin.created("tst_places", tst_name="Here", tst_address="https://a.example/")
    row = admin.get(f"tst_places({row_id})?$select=tst_name,tst_address,statecode").json()
    assert (row["tst_name"], row["tst_address"]) == ("Here", "https://a.example/")
    assert (
        sandbox.dump("tst_places")[0]["_organizationid_value"] == sandbox.ready["organization_id"]
    )
    [definition] = admin.rows("EntityDefinitions?$filter=LogicalName eq 'tst_place'")
    assert (definition["EntitySetName"], definition["IsCustomEntity"]) == ("tst_places", True)
    account_id = admin.created("accounts", name="a", tst_code="C1")
    assert admin.rows("accounts?$filter=tst_code eq 'C1'")[0]["accountid"] == account_id
    path = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='tst_code')"
    assert admin.get(path).json()["MaxLength"] == 400
    assert [row["tst_name"] for row in sandbox.dump("tst_places")] == ["Here"]


def test_whoever_holds_the_imported_role_may_do_what_it_says_and_no_more(
    admin: Client, sandbox: Sandbox
) -> None:
    imported(admin, zips.solution())
    user = sandbox.ready["flawed"]["without_roles"]
    body = {"@odata.id": f"{sandbox.api_url}{ROLE}"}
    path = f"systemusers({user['id']})/systemuserroles_association/$ref"
    assert admin.request("POST", path, body).status_code == 204
    client = sandbox.signed_in(sandbox.user_token(user))
    row_id = client.created("tst_places", tst_name="Here")
    denied = client.request("DELETE", f"tst_places({row_id})")
    assert refused(denied) == (403, "0x80040220")
    assert "prvDeletetst_Place" in denied.json()["error"]["message"]
    assert client.get("accounts?$select=name").status_code == 200
    assert refused(client.request("POST", "accounts", {"name": "a"})) == (403, "0x80040220")


def test_a_newer_version_updates_and_keeps_rows_and_holders(
    admin: Client, sandbox: Sandbox
) -> None:
    imported(admin, zips.solution())
    admin.created("tst_places", tst_name="Here")
    user = sandbox.ready["flawed"]["without_roles"]["id"]
    ref = f"{ROLE}/systemuserroles_association/$ref"
    body = {"@odata.id": f"{sandbox.api_url}systemusers({user})"}
    assert admin.request("POST", ref, body).status_code == 204
    newer = zips.solution(
        version="1.1.0.0", privileges=zips.PRIVILEGES, columns=("tst_address", "tst_phone")
    )
    imported(admin, newer)
    [solution] = installed(admin)
    assert solution["version"] == "1.1.0.0"
    assert admin.rows("tst_places?$select=tst_name,tst_phone")[0]["tst_phone"] is None
    expanded = "$expand=roleprivileges_association($select=name)"
    role = admin.get(f"{ROLE}?$select=name&{expanded}").json()
    assert {p["name"] for p in role["roleprivileges_association"]} == {*zips.PRIVILEGES}
    held = {row["roleid"] for row in sandbox.dump("systemuserroles") if row["systemuserid"] == user}
    assert held == {zips.ROLE_ID}


def test_the_same_version_again_changes_nothing_that_is_seen(admin: Client) -> None:
    imported(admin, zips.solution())
    [before] = installed(admin)
    imported(admin, zips.solution())
    [after] = installed(admin)
    assert after["solutionid"] == before["solutionid"]
    assert len(admin.rows("roles?$select=name&$filter=name eq 'Tester Role'")) == 1


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"version": "0.9.0.0"}, "0x80048033"),
        ({"version": "1.1.0.0", "managed": 0}, "0x80048041"),
        ({"version": "1.1.0.0", "privileges": {"prvReadNothing": "Global"}}, "0x80048033"),
    ],
)
def test_an_import_that_cannot_be_is_refused_whole(
    admin: Client, second: dict[str, Any], code: str
) -> None:
    imported(admin, zips.solution())
    body = zips.import_body(zips.solution(**second), new_id())
    assert refused(admin.request("POST", "ImportSolution", body)) == (400, code)
    assert installed(admin)[0]["version"] == "1.0.0.0"


@pytest.mark.parametrize("action", ["ImportSolution", "ImportSolutionAsync", "StageSolution"])
def test_importing_needs_an_administrator_or_customizer(
    api: Client, sandbox: Sandbox, action: str
) -> None:
    body = zips.import_body(zips.solution(), new_id())
    if action == "StageSolution":
        body = {"CustomizationFile": body["CustomizationFile"]}
    denied = api.request("POST", action, body)
    assert refused(denied) == (403, "0x80040220")
    assert "prvImportCustomization" in denied.json()["error"]["message"]
    customizer = sandbox.signed_in(sandbox.user_token(sandbox.ready["flawed"]["customizer"]))
    assert customizer.request("POST", action, body).status_code in {200, 204}


def test_a_parameter_that_is_missing_or_unknown_is_refused(admin: Client) -> None:
    whole = zips.import_body(zips.solution(), new_id())
    for body in (
        {name: value for name, value in whole.items() if name != "PublishWorkflows"},
        {name: value for name, value in whole.items() if name != "ImportJobId"},
        {**whole, "Overwrite": True},
        {**whole, "CustomizationFile": "not base64!"},
    ):
        assert refused(admin.request("POST", "ImportSolution", body)) == (400, "0x80048d19")
    assert admin.get("ImportSolution").status_code == 404


def test_removal_takes_away_all_that_a_solution_brought(admin: Client, sandbox: Sandbox) -> None:
    imported(admin, zips.solution())
    admin.created("tst_places", tst_name="Here")
    user = sandbox.ready["flawed"]["without_roles"]["id"]
    body = {"@odata.id": f"{sandbox.api_url}{ROLE}"}
    admin.request("POST", f"systemusers({user})/systemuserroles_association/$ref", body)
    [solution] = installed(admin)
    assert admin.request("DELETE", f"solutions({solution['solutionid']})").status_code == 204
    assert installed(admin) == []
    assert refused(admin.get("tst_places")) == (404, "0x8006088a")
    assert refused(admin.get(ROLE)) == (404, "0x80040217")
    assert admin.get("accounts?$select=tst_code").status_code == 400
    assert admin.rows("privileges?$filter=name eq 'prvReadtst_Place'") == []
    assert user not in {row["systemuserid"] for row in sandbox.dump("systemuserroles")}
    imported(admin, zips.solution())
    assert admin.rows("tst_places") == []


def test_removal_needs_the_right_to_it(admin: Client, api: Client) -> None:
    imported(admin, zips.solution())
    [solution] = installed(admin)
    denied = api.request("DELETE", f"solutions({solution['solutionid']})")
    assert refused(denied) == (403, "0x80040220")


def test_a_reset_forgets_imported_tables(admin: Client, sandbox: Sandbox) -> None:
    imported(admin, zips.solution())
    assert sandbox.door("POST", "reset", {}).status_code == 200
    assert refused(admin.get("tst_places")) == (404, "0x8006088a")
    assert installed(admin) == []


def test_publishing_has_nothing_left_to_do(admin: Client, api: Client) -> None:
    assert admin.request("POST", "PublishAllXml", {}).status_code == 204
    some = {"ParameterXml": "<importexportxml><entities /></importexportxml>"}
    assert admin.request("POST", "PublishXml", some).status_code == 204
    assert refused(admin.request("POST", "PublishXml", {})) == (400, "0x80048d19")
    assert code_of(api.request("POST", "PublishAllXml", {})) == "0x80040220"
