"""Change tracking: delta links, deletions, expiry, and what it refuses."""

import pytest

from tests.sandbox.harness import Client, Sandbox, code_of, new_id

TRACKED = "odata.track-changes"
PATH = "accounts?$select=name"


def last_page(api: Client, path: str, *, size: int = 2) -> tuple[list[str], list[str], str]:
    """Follow the pages of a tracked read; return names, deleted ids and the delta link."""
    names: list[str] = []
    deleted: list[str] = []
    link = ""
    for page in api.pages(path, prefer=f"{TRACKED},odata.maxpagesize={size}"):
        assert ("@odata.deltaLink" in page) is not ("@odata.nextLink" in page)
        link = page.get("@odata.deltaLink", "")
        names += [row["name"] for row in page["value"] if "name" in row]
        deleted += [row["id"] for row in page["value"] if row.get("reason") == "deleted"]
    return names, deleted, link


def test_the_first_read_brings_all_and_the_next_only_what_changed(api: Client) -> None:
    ids = [api.created("accounts", name=f"n{n}") for n in range(5)]
    names, _, link = last_page(api, PATH)
    assert sorted(names) == ["n0", "n1", "n2", "n3", "n4"]
    assert last_page(api, link)[:2] == ([], [])
    api.request("PATCH", f"accounts({ids[3]})", {"name": "changed"})
    api.request("DELETE", f"accounts({ids[0]})")
    api.created("accounts", name="new")
    names, deleted, link = last_page(api, link)
    assert (names, deleted) == (["changed", "new"], [ids[0]])
    assert last_page(api, link)[:2] == ([], [])


def test_changes_come_in_pages_with_the_deletions_last(api: Client) -> None:
    ids = [api.created("accounts", name=f"n{n}") for n in range(6)]
    link = last_page(api, PATH)[2]
    for row_id in ids[:3]:
        api.request("DELETE", f"accounts({row_id})")
    for row_id in ids[3:]:
        api.request("PATCH", f"accounts({row_id})", {"name": "changed"})
    for size in (1, 2, 4, 100):
        names, deleted, _ = last_page(api, link, size=size)
        assert (names, deleted) == (["changed"] * 3, ids[:3])
    count = api.get(link.replace("accounts?", "accounts/$count?"))
    assert count.content.decode("utf-8-sig") == "6"


def test_what_is_written_while_pages_are_read_comes_with_the_next_delta(api: Client) -> None:
    for n in range(5):
        api.created("accounts", name=f"n{n}")
    late: list[str] = []
    link = ""
    for page in api.pages(PATH, prefer=f"{TRACKED},odata.maxpagesize=2"):
        late.append(api.created("accounts", name=f"late {len(late)}"))
        link = page.get("@odata.deltaLink", "")
    names, _, _ = last_page(api, link)
    assert {f"late {n}" for n in range(len(late))} <= set(names)


def test_a_row_created_and_deleted_between_two_reads_is_reported_deleted(api: Client) -> None:
    link = last_page(api, PATH)[2]
    row_id = api.created("accounts", name="brief")
    api.request("DELETE", f"accounts({row_id})")
    assert last_page(api, link)[:2] == ([], [row_id])


def test_a_row_deleted_and_made_again_is_not_reported_deleted(api: Client) -> None:
    row_id = api.created("accounts", name="a")
    link = last_page(api, PATH)[2]
    api.request("DELETE", f"accounts({row_id})")
    api.request("PATCH", f"accounts({row_id})", {"name": "again"})
    assert last_page(api, link)[:2] == (["again"], [])


def test_a_delta_names_its_context(api: Client) -> None:
    row_id = api.created("accounts", name="a")
    link = last_page(api, PATH)[2]
    api.request("DELETE", f"accounts({row_id})")
    page = api.get(link).json()
    assert page["@odata.context"].endswith("$metadata#accounts(name,accountid)/$delta")
    assert page["value"][0]["@odata.context"].endswith("#accounts/$deletedEntity")


def test_delta_links_expire_by_the_environments_clock(api: Client, sandbox: Sandbox) -> None:
    link = last_page(api, PATH)[2]
    sandbox.edit({"clock": {"advance": 6 * 86_400}})
    assert sandbox.application().get(link).status_code == 200
    sandbox.edit({"clock": {"advance": 2 * 86_400}})
    later = sandbox.application()
    answer = later.get(link)
    assert (answer.status_code, code_of(answer)) == (400, "0x80044352")
    assert last_page(later, PATH)[0] == []


def test_delta_links_from_before_a_reset_expire(api: Client, sandbox: Sandbox) -> None:
    link = last_page(api, PATH)[2]
    sandbox.door("POST", "reset", {})
    assert code_of(api.get(link)) == "0x80044352"


@pytest.mark.parametrize(
    "option", ["$filter=name eq 'a'", "$orderby=name", "$top=1", "$expand=primarycontactid"]
)
def test_options_that_tracking_forbids_are_refused(api: Client, option: str) -> None:
    answer = api.get(f"{PATH}&{option}", prefer=TRACKED)
    assert answer.status_code == 400
    assert option.partition("=")[0] in answer.json()["error"]["message"]


@pytest.mark.parametrize("entity_set", ["systemusers", "teams", "roles", "businessunits"])
def test_tables_without_tracking_refuse_it(admin: Client, entity_set: str) -> None:
    answer = admin.get(entity_set, prefer=TRACKED)
    assert (answer.status_code, code_of(answer)) == (400, "0x80072491")


def test_a_made_up_delta_token_is_refused(api: Client) -> None:
    assert api.get(f"{PATH}&$deltatoken={new_id()}").status_code == 400
