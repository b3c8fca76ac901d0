"""The bulk messages: many rows in order, all or none, and never half of them in sight."""

import threading

import requests

from tests.sandbox.harness import Client, Sandbox, new_id, refused

TYPE = {"@odata.type": "Microsoft.Dynamics.CRM.account"}


def bulk(api: Client, message: str, targets: list[dict[str, object]]) -> requests.Response:
    return api.request("POST", f"accounts/Microsoft.Dynamics.CRM.{message}", {"Targets": targets})


def test_many_rows_are_created_in_order_or_not_at_all(api: Client, sandbox: Sandbox) -> None:
    ids = [new_id() for _ in range(3)]
    good: list[dict[str, object]] = [
        {**TYPE, "accountid": row_id, "name": f"n{position}"} for position, row_id in enumerate(ids)
    ]
    assert bulk(api, "CreateMultiple", good).json()["Ids"] == ids
    bad: list[dict[str, object]] = [{**TYPE, "name": "fine"}, {**TYPE, "name": "x" * 200}]
    assert refused(bulk(api, "CreateMultiple", bad)) == (400, "0x80044331")
    twice: list[dict[str, object]] = [{**TYPE, "name": "fine"}, {**TYPE, "accountid": ids[0]}]
    assert refused(bulk(api, "CreateMultiple", twice)) == (412, "0x80040237")
    assert {row["name"] for row in sandbox.dump("accounts")} == {"n0", "n1", "n2"}


def test_every_target_must_state_its_type(api: Client) -> None:
    assert refused(bulk(api, "CreateMultiple", [{"name": "a"}])) == (400, "0x80048d19")


def test_many_rows_are_updated_or_none(api: Client, sandbox: Sandbox) -> None:
    row_id = api.created("accounts", name="a")
    change: dict[str, object] = {**TYPE, "accountid": row_id, "name": "b"}
    missing: dict[str, object] = {**TYPE, "accountid": new_id(), "name": "c"}
    assert refused(bulk(api, "UpdateMultiple", [change, missing])) == (404, "0x80040217")
    assert sandbox.dump("accounts")[0]["name"] == "a"
    assert bulk(api, "UpdateMultiple", [change]).status_code == 204
    assert sandbox.dump("accounts")[0]["name"] == "b"


def test_upsert_creates_and_updates(api: Client, sandbox: Sandbox) -> None:
    row_id = api.created("accounts", name="a")
    fresh = new_id()
    targets: list[dict[str, object]] = [
        {**TYPE, "accountid": row_id, "name": "b"},
        {**TYPE, "accountid": fresh, "name": "new"},
    ]
    assert bulk(api, "UpsertMultiple", targets).status_code == 204
    found = {row["accountid"]: row["name"] for row in sandbox.dump("accounts")}
    assert found == {row_id: "b", fresh: "new"}


def test_bulk_messages_are_refused_where_a_table_has_none(api: Client) -> None:
    path = "transactioncurrencies/Microsoft.Dynamics.CRM.CreateMultiple"
    assert api.request("POST", path, {"Targets": []}).status_code == 400
    assert bulk(api, "DeleteMultiple", []).status_code == 501


def test_readers_never_see_half_of_a_bulk_write(api: Client, sandbox: Sandbox) -> None:
    size, rounds = 50, 10
    done = threading.Event()

    def write() -> None:
        writer = sandbox.application()
        targets: list[dict[str, object]] = [{**TYPE, "name": "a"} for _ in range(size)]
        for _ in range(rounds):
            bulk(writer, "CreateMultiple", targets)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    counts = []
    while not done.is_set():
        counts.append(len(api.get("accounts?$select=name").json()["value"]))
    thread.join()
    assert all(count % size == 0 for count in counts)
    assert len(sandbox.dump("accounts")) == size * rounds
