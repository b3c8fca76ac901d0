"""Who may own a row: users and owner teams that may read rows of its table."""

from tests.sandbox.harness import Client, Sandbox, refused
from tests.sandbox.test_sandbox_members import role_named, root_unit, tied


def owned_by(kind: str, owner: str) -> dict[str, str]:
    return {"name": "Fabrikam", "ownerid@odata.bind": f"/{kind}({owner})"}


def new_team(admin: Client, **values: object) -> str:
    unit = {"businessunitid@odata.bind": f"/businessunits({root_unit(admin)})"}
    return admin.created("teams", name="Field sales", **unit, **values)


def test_a_team_with_a_role_owns_rows(admin: Client, api: Client, sandbox: Sandbox) -> None:
    team = new_team(admin)
    tied(
        admin,
        f"teams({team})",
        "teamroles_association",
        f"roles({role_named(admin, 'Salesperson')})",
    )

    api.created("accounts", **owned_by("teams", team))

    [row] = sandbox.dump("accounts")
    assert (row["_ownerid_value"], row["_owningteam_value"]) == (team, team)
    assert row["_owninguser_value"] is None


def test_who_may_not_read_the_table_cannot_own_its_rows(
    admin: Client, api: Client, sandbox: Sandbox
) -> None:
    user = sandbox.ready["flawed"]["without_roles"]["id"]

    for kind, owner in (("teams", new_team(admin)), ("systemusers", user)):
        answer = api.request("POST", "accounts", owned_by(kind, owner))
        assert refused(answer) == (403, "0x80040220")
        assert owner in answer.json()["error"]["message"]
        assert "roleCount=0) is missing prvReadAccount" in answer.json()["error"]["message"]
    assert sandbox.dump("accounts") == []


def test_a_disabled_user_and_an_access_team_cannot_own_rows(
    admin: Client, api: Client, sandbox: Sandbox
) -> None:
    disabled = sandbox.ready["flawed"]["disabled"]["id"]
    account = api.created("accounts", name="Fabrikam")

    answer = api.request("PATCH", f"accounts({account})", owned_by("systemusers", disabled))

    assert refused(answer) == (403, "0x80040225")
    access_team = new_team(admin, teamtype=1)
    answer = api.request("PATCH", f"accounts({account})", owned_by("teams", access_team))
    assert refused(answer) == (400, "0x80040203")
