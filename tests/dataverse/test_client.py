"""Rows: read, follow changes, create, update; judged by what stands in the store afterwards."""

import uuid
from typing import Any
from uuid import UUID

import pytest

from crmsync.dataverse.client import Client, Update
from crmsync.dataverse.errors import (
    DeltaExpired,
    DuplicateRow,
    NotTracked,
    RecordError,
    RowMissing,
    VersionConflict,
)
from tests.dataverse.wires import ACCOUNT, CONTACT
from tests.sandboxes import Sandbox

EIGHT_DAYS = 8 * 86_400


def accounts(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    return {row["accountid"]: row for row in sandbox.dump("accounts")}


def new_row(name: str, row_id: str | None = None) -> dict[str, Any]:
    return {"accountid": row_id or str(uuid.uuid4()), "name": name}


def etag_of(client: Client, row_id: str) -> str:
    return client.existing(ACCOUNT, [UUID(row_id)])[UUID(row_id)]


def test_a_table_is_read_whole_page_by_page(sandbox: Sandbox, client: Client) -> None:
    page = client.first_page(ACCOUNT, columns=["accountid", "name"], page_size=7)
    rows = list(page.rows)
    while page.next_link:
        page = client.page(page.next_link, track_changes=False, page_size=7)
        assert len(page.rows) <= 7
        rows += page.rows

    found = {row["accountid"]: row["name"] for row in rows}
    assert len(rows) == len(found)
    assert found == {key: row["name"] for key, row in accounts(sandbox).items()}
    assert all(row["@odata.etag"].startswith('W/"') for row in rows)


def test_the_changes_since_a_link_are_rows_and_deletions(sandbox: Sandbox, client: Client) -> None:
    page = client.first_page(ACCOUNT, columns=["name"], track_changes=True, page_size=20)
    while page.next_link:
        page = client.page(page.next_link, track_changes=True, page_size=20)
    changed, gone, *_ = accounts(sandbox)
    (made,) = sandbox.edit({"set": "accounts", "create": {"name": "Fabrikam"}})
    sandbox.edit(
        {"set": "accounts", "id": changed, "values": {"name": "Adatum"}},
        {"set": "accounts", "delete": gone},
    )
    assert page.delta_link

    changes = client.page(page.delta_link, track_changes=True)

    names = {row["accountid"]: row["name"] for row in changes.rows}
    assert names == {changed: "Adatum", made: "Fabrikam"}
    assert changes.deleted == (UUID(gone),)
    assert changes.next_link is None
    assert changes.delta_link
    later = client.page(changes.delta_link, track_changes=True)
    assert (later.rows, later.deleted) == ((), ())


def test_an_edit_between_two_pages_is_not_lost(sandbox: Sandbox, client: Client) -> None:
    seen: dict[str, str] = {}
    page = client.first_page(ACCOUNT, columns=["name"], track_changes=True, page_size=10)
    while page.next_link:
        seen |= {row["accountid"]: row["name"] for row in page.rows}
        one = next(iter(seen))
        sandbox.edit({"set": "accounts", "id": one, "values": {"name": f"Edit {len(seen)}"}})
        page = client.page(page.next_link, track_changes=True, page_size=10)
    seen |= {row["accountid"]: row["name"] for row in page.rows}
    assert page.delta_link
    for row in client.page(page.delta_link, track_changes=True).rows:
        seen[row["accountid"]] = row["name"]

    assert seen == {key: row["name"] for key, row in accounts(sandbox).items()}


def test_a_delta_link_older_than_a_week_has_expired(sandbox: Sandbox, client: Client) -> None:
    page = client.first_page(ACCOUNT, columns=["name"], track_changes=True)
    assert page.delta_link
    sandbox.edit({"clock": {"advance": EIGHT_DAYS}})

    with pytest.raises(DeltaExpired):
        client.page(page.delta_link, track_changes=True)


def test_whether_a_table_is_tracked_can_be_asked(sandbox: Sandbox, client: Client) -> None:
    for table in (ACCOUNT, CONTACT):
        if client.is_tracked(table):
            page = client.first_page(table, columns=["createdon"], track_changes=True)
            assert page.delta_link
        else:
            with pytest.raises(NotTracked):
                client.first_page(table, columns=["createdon"], track_changes=True)
    assert client.is_tracked(ACCOUNT)


def test_whether_a_table_takes_a_bulk_message_can_be_asked(client: Client) -> None:
    assert client.supports(ACCOUNT, "CreateMultiple")
    assert not client.supports(ACCOUNT, "NoSuchMessage")


def test_rows_are_created_together_under_the_ids_we_chose(sandbox: Sandbox, client: Client) -> None:
    rows = [new_row(f"Adatum {number}") for number in range(5)]

    client.create_multiple(ACCOUNT, rows)

    found = accounts(sandbox)
    assert {row["accountid"]: row["name"] for row in rows} == {
        row["accountid"]: found[row["accountid"]]["name"] for row in rows
    }


def test_when_one_row_is_refused_none_is_created_together(sandbox: Sandbox, client: Client) -> None:
    before = accounts(sandbox)
    rows = [new_row("Adatum"), new_row("Fabrikam") | {"fax": "1" * 51}, new_row("Contoso")]

    with pytest.raises(RecordError):
        client.create_multiple(ACCOUNT, rows)

    assert accounts(sandbox) == before


def test_an_id_that_stands_there_already_is_a_duplicate_and_nothing_is_created(
    sandbox: Sandbox, client: Client
) -> None:
    before = accounts(sandbox)

    with pytest.raises(DuplicateRow):
        client.create_multiple(ACCOUNT, [new_row("Adatum"), new_row("Again", next(iter(before)))])

    assert accounts(sandbox) == before


def test_created_one_by_one_a_refused_row_does_not_stop_the_others(
    sandbox: Sandbox, client: Client
) -> None:
    standing = next(iter(accounts(sandbox)))
    rows = [
        new_row("Adatum"),
        new_row("Fabrikam") | {"fax": "1" * 51},
        new_row("Again", standing),
        new_row("Contoso"),
    ]

    errors = client.create_each(ACCOUNT, rows)

    found = accounts(sandbox)
    assert [type(error).__name__ for error in errors] == [
        "NoneType",
        "Rejected",
        "DuplicateRow",
        "NoneType",
    ]
    assert [row["accountid"] in found for row in rows] == [True, False, True, True]
    assert found[standing]["name"] != "Again"


def test_an_update_writes_the_named_columns_and_no_others(sandbox: Sandbox, client: Client) -> None:
    before = accounts(sandbox)
    row_id = next(iter(before))

    errors = client.update_each(
        ACCOUNT, [Update(UUID(row_id), {"fax": "+45 1"}, etag_of(client, row_id))]
    )

    after = accounts(sandbox)
    assert errors == [None]
    assert after[row_id]["fax"] == "+45 1"
    changed = {name for name in after[row_id] if after[row_id][name] != before[row_id][name]}
    assert changed <= {"fax", "versionnumber", "modifiedon", "_modifiedby_value"}
    assert {key: row for key, row in after.items() if key != row_id} == {
        key: row for key, row in before.items() if key != row_id
    }


def test_an_update_of_a_row_that_changed_meanwhile_writes_nothing(
    sandbox: Sandbox, client: Client
) -> None:
    row_id, other = list(accounts(sandbox))[:2]
    stale, fresh = etag_of(client, row_id), etag_of(client, other)
    sandbox.edit({"set": "accounts", "id": row_id, "values": {"fax": "theirs"}})

    errors = client.update_each(
        ACCOUNT,
        [Update(UUID(row_id), {"fax": "ours"}, stale), Update(UUID(other), {"fax": "ours"}, fresh)],
    )

    assert isinstance(errors[0], VersionConflict)
    assert errors[1] is None
    assert [accounts(sandbox)[key]["fax"] for key in (row_id, other)] == ["theirs", "ours"]


def test_an_update_of_a_missing_row_never_creates_it(sandbox: Sandbox, client: Client) -> None:
    row_id = next(iter(accounts(sandbox)))
    etag = etag_of(client, row_id)
    sandbox.edit({"set": "accounts", "delete": row_id})
    never = str(uuid.uuid4())

    errors = client.update_each(
        ACCOUNT,
        [Update(UUID(key), {"name": "Ghost"}, etag) for key in (row_id, never)],
    )

    assert [type(error) for error in errors] == [RowMissing, RowMissing]
    assert not {row_id, never} & accounts(sandbox).keys()


def test_ids_are_looked_up_in_chunks_that_fit_an_address(sandbox: Sandbox, client: Client) -> None:
    standing = [UUID(key) for key in accounts(sandbox)]
    unknown = [uuid.uuid4() for _ in range(700 - len(standing))]
    wanted = [one for pair in zip(unknown, standing, strict=False) for one in pair]
    wanted += [one for one in unknown if one not in set(wanted)]
    mark = sandbox.mark()

    found = client.existing(ACCOUNT, wanted)

    asked = [entry["url"] for entry in sandbox.journal(mark) if "/accounts" in entry["url"]]
    assert set(found) == set(standing)
    assert len(wanted) == 700
    assert len(asked) == 3
    assert max(map(len, asked)) < 32_000


def test_no_ids_ask_nothing(sandbox: Sandbox, client: Client) -> None:
    mark = sandbox.mark()

    assert client.existing(ACCOUNT, []) == {}

    assert sandbox.journal(mark) == []
