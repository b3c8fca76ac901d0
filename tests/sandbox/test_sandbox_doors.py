"""The doors for tests and operators: dump, journal, edit, reset; and what survives a restart."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.harness import Client, Sandbox, code_of, new_id, running


def test_the_journal_tells_what_was_asked_and_what_it_did(api: Client, sandbox: Sandbox) -> None:
    begun = sandbox.door("GET", "journal").json()["next"]
    api.request("POST", "accounts", {"name": "a"})
    api.get("accounts?$select=name")
    api.request("POST", "accounts", {"name": "x" * 200})
    write, read, refused = sandbox.journal(begun)
    assert write["n"] == begun + 1
    assert (write["method"], write["url"]) == ("POST", "/api/data/v9.2/accounts")
    assert json.loads(write["body"]) == {"name": "a"}
    assert (write["status"], write["applied"], write["rows"]) == (204, True, 1)
    assert write["caller"] == sandbox.ready["application"]["id"]
    assert write["time"] <= write["ended"]
    assert (read["status"], read["applied"], read["fault"]) == (200, False, None)
    assert (refused["status"], refused["applied"]) == (400, False)


def test_the_journal_counts_the_rows_of_bulk_messages(api: Client, sandbox: Sandbox) -> None:
    targets = [{"@odata.type": "Microsoft.Dynamics.CRM.account", "name": "a"}] * 7
    path = "accounts/Microsoft.Dynamics.CRM.CreateMultiple"
    api.request("POST", path, {"Targets": targets})
    assert sandbox.journal()[-1]["rows"] == 7


def test_the_journal_keeps_no_secret(sandbox: Sandbox) -> None:
    user, application = sandbox.ready["administrator"], sandbox.ready["application"]
    password_answer = sandbox.user_token(user).json()
    token = sandbox.app_token().json()["access_token"]
    sandbox.token(
        grant_type="refresh_token",
        client_id=application["client_id"],
        refresh_token=password_answer["refresh_token"],
    )
    client = sandbox.application()
    client.request("POST", "accounts", {"name": "a", "password": user["password"]})
    kept = sandbox.door("GET", "journal").text
    for secret in (
        user["password"],
        application["client_secret"],
        token,
        password_answer["access_token"],
        password_answer["refresh_token"],
        client.session.headers["Authorization"],
    ):
        assert str(secret) not in kept
    assert user["username"].replace("@", "%40") in kept


def test_a_huge_body_is_cut_in_the_journal(api: Client, sandbox: Sandbox) -> None:
    api.request("POST", "accounts", {"name": "a", "nonsense": "x" * 300_000})
    body = sandbox.journal()[-1]["body"]
    assert len(body) < 201_000
    assert "[cut: 3000" in body


def test_a_dump_can_be_narrowed_to_some_columns(api: Client, sandbox: Sandbox) -> None:
    api.created("accounts", name="a", telephone1="5")
    answer = sandbox.door("GET", "dump/accounts?select=name,donotphone")
    assert answer.json() == {"count": 1, "value": [{"name": "a", "donotphone": False}]}
    assert sandbox.door("GET", "dump/accounts?select=nam").status_code == 400


def test_the_doors_are_not_journaled(sandbox: Sandbox) -> None:
    sandbox.door("GET", "dump/accounts")
    sandbox.door("GET", "")
    assert sandbox.journal() == []


def test_a_salesperson_edits_rows(api: Client, sandbox: Sandbox) -> None:
    row_id = api.created("accounts", name="a")
    made = new_id()
    answer = sandbox.edit(
        {"set": "accounts", "id": row_id, "values": {"name": "edited"}},
        {"set": "accounts", "create": {"accountid": made, "name": "made"}},
    )
    assert answer.json() == {"ids": [row_id, made]}
    edited, created = sorted(sandbox.dump("accounts"), key=lambda row: str(row["name"]))
    assert edited["_modifiedby_value"] == created["_createdby_value"]
    assert edited["_modifiedby_value"] != sandbox.ready["application"]["id"]
    assert sandbox.edit({"set": "accounts", "delete": row_id}).json() == {"ids": [row_id]}
    assert [row["name"] for row in sandbox.dump("accounts")] == ["made"]


def test_an_edit_can_merge_rows(api: Client, sandbox: Sandbox) -> None:
    master, merged = api.created("accounts", name="a"), api.created("accounts", name="b")
    values = {"merged": True, "_masterid_value": master, "statecode": 1}
    assert sandbox.edit({"set": "accounts", "id": merged, "values": values}).status_code == 200
    row = api.get(f"accounts({merged})?$select=merged,_masterid_value,statuscode").json()
    assert (row["merged"], row["_masterid_value"], row["statuscode"]) == (True, master, 2)


def test_edits_obey_the_rules_and_apply_together(api: Client, sandbox: Sandbox) -> None:
    row_id = api.created("accounts", name="a")
    answer = sandbox.edit(
        {"set": "accounts", "id": row_id, "values": {"name": "b"}},
        {"set": "accounts", "id": row_id, "values": {"name": "x" * 200}},
    )
    assert (answer.status_code, code_of(answer)) == (400, "0x80044331")
    assert sandbox.dump("accounts")[0]["name"] == "a"


@pytest.mark.parametrize(
    "edit", [{"set": "accounts"}, {"clock": {"back": 1}}, ["x"], {"set": "accounts", "id": "x"}]
)
def test_an_edit_that_is_not_understood_is_refused(sandbox: Sandbox, edit: object) -> None:
    answer = sandbox.door("POST", "edit", edit)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_reset_returns_to_the_seed_and_keeps_identities(tmp_path: Path) -> None:
    with running(tmp_path / "demo.sqlite3", seed="demo") as sandbox:
        api = sandbox.application()
        before = {row["accountid"] for row in sandbox.dump("accounts")}
        last = sandbox.door("GET", "journal").json()["next"]
        api.created("accounts", name="extra")
        assert sandbox.door("POST", "reset", {}).status_code == 200
        assert {row["accountid"] for row in sandbox.dump("accounts")} == before
        assert api.get("WhoAmI").status_code == 200
        [entry] = sandbox.journal()
        assert entry["n"] > last


def test_rows_identities_and_tokens_survive_a_restart(data_file: Path) -> None:
    with running(data_file) as first:
        api = first.application()
        api.created("accounts", name="a")
        token = api.session.headers["Authorization"]
        ready = {key: first.ready[key] for key in ("application", "administrator", "tenant")}
        journal = first.journal()
    with running(data_file) as second:
        assert {key: second.ready[key] for key in ready} == ready
        assert [row["name"] for row in second.dump("accounts")] == ["a"]
        assert second.journal() == journal
        # The token names the address it was made for, which is another port now.
        headers = {"Authorization": str(token), "Host": first.base_url.removeprefix("http://")}
        answer = requests.get(f"{second.api_url}WhoAmI", headers=headers, timeout=10)
        assert answer.status_code == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_one_line_and_stops_cleanly(
    data_file: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "crmsync.sandbox", "--data", str(data_file), "--seed", "empty"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready: dict[str, Any] = json.loads(process.stdout.readline())
        challenge = requests.get(f"{ready['base_url']}/api/data/v9.2/WhoAmI", timeout=10)
        assert challenge.status_code == 401
        process.send_signal(number)
        assert process.wait(timeout=1) == 0
        assert process.stdout.read() == ""
