"""Importing solutions in tests, and looking at what came of it."""

from typing import Any

from tests.sandbox import zips
from tests.sandbox.harness import Client, Sandbox, new_id

ROLE = f"roles({zips.ROLE_ID})"


def pace(sandbox: Sandbox, **settings: object) -> None:
    assert sandbox.door("POST", "imports", settings).status_code == 200


def advance(sandbox: Sandbox, seconds: float) -> None:
    assert sandbox.edit({"clock": {"advance": seconds}}).status_code == 200


def begun(admin: Client, data: bytes, job_id: str | None = None) -> dict[str, str]:
    answer = admin.request("POST", "ImportSolutionAsync", zips.import_body(data, job_id))
    assert answer.status_code == 200, answer.text
    keys: dict[str, str] = answer.json()
    return keys


def imported(admin: Client, data: bytes) -> None:
    body = zips.import_body(data, new_id())
    answer = admin.request("POST", "ImportSolution", body)
    assert answer.status_code == 204, answer.text


def installed(client: Client) -> list[dict[str, Any]]:
    return client.rows(
        "solutions?$select=solutionid,uniquename,friendlyname,version,ismanaged,installedon"
        "&$filter=uniquename eq 'tester'"
    )


def operation(admin: Client, keys: dict[str, str]) -> dict[str, Any]:
    path = f"asyncoperations({keys['AsyncOperationId']})"
    select = "$select=statecode,statuscode,message,friendlymessage,errorcode"
    row: dict[str, Any] = admin.get(f"{path}?{select}").json()
    return row
