"""Microsoft's own client works against the sandbox with nothing but its transport redirected."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.core.errors import HttpError

from tests.sandbox.harness import Redirect, Sandbox

ORIGIN = "https://cronus.crm.sandbox.test"


class AccessToken(NamedTuple):
    """The token shape of azure-core, in which the client asks for tokens."""

    token: str
    expires_on: int


class SandboxCredential:
    """Gives out tokens of the sandbox's application user."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        application = self._sandbox.ready["application"]
        answer = self._sandbox.token(
            grant_type="client_credentials",
            client_id=application["client_id"],
            client_secret=application["client_secret"],
            scope=scopes[0],
        ).json()
        return AccessToken(answer["access_token"], 9_999_999_999)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[DataverseClient]:
    # azure-core's own token type is not worth a dependency; its shape is all the client reads.
    credential: Any = SandboxCredential(sandbox)
    with DataverseClient(ORIGIN, credential) as opened:
        assert opened._session is not None
        opened._session.mount(f"{ORIGIN}/", Redirect(sandbox.base_url))
        yield opened


def test_one_account_is_created_read_updated_and_deleted(
    client: DataverseClient, sandbox: Sandbox
) -> None:
    row_id = client.records.create("account", {"name": "Fabrikam", "telephone1": "1"})
    client.records.update("account", row_id, {"telephone1": "555-0100"})
    row = client.records.retrieve("account", row_id, select=["name", "telephone1"])
    assert row is not None
    assert (row["name"], row["telephone1"]) == ("Fabrikam", "555-0100")
    client.records.delete("account", row_id)
    assert sandbox.dump("accounts") == []


def test_many_accounts_are_created_in_one_request_and_read_in_pages_with_a_filter(
    client: DataverseClient, sandbox: Sandbox
) -> None:
    ids = client.records.create("account", [{"name": f"Customer {n:02}"} for n in range(25)])
    pages = list(
        client.records.list_pages(
            "account",
            select=["name"],
            filter="startswith(name,'Customer 1')",
            orderby=["name desc"],
            page_size=4,
        )
    )
    names = [row["name"] for page in pages for row in page]
    assert [len(page) for page in pages] == [4, 4, 2]
    assert names == [f"Customer {n}" for n in range(19, 9, -1)]
    assert sorted(ids) == [row["accountid"] for row in sandbox.dump("accounts")]


def test_many_accounts_are_updated_in_one_request(
    client: DataverseClient, sandbox: Sandbox
) -> None:
    ids = client.records.create("account", [{"name": "a"}, {"name": "b"}])
    client.records.update("account", ids, [{"fax": "1"}, {"fax": "2"}])
    assert {row["accountid"]: row["fax"] for row in sandbox.dump("accounts")} == {
        ids[0]: "1",
        ids[1]: "2",
    }


def test_labels_of_options_are_turned_into_numbers(
    client: DataverseClient, sandbox: Sandbox
) -> None:
    client.records.create("account", {"name": "a", "customertypecode": "Customer"})
    assert sandbox.dump("accounts")[0]["customertypecode"] == 3


def test_a_batch_with_a_change_set_is_carried_out(
    client: DataverseClient, sandbox: Sandbox
) -> None:
    batch = client.batch.new()
    with batch.changeset() as changes:
        changes.records.create("account", {"name": "one"})
        changes.records.create("account", {"name": "two"})
    result = batch.execute()
    assert not result.has_errors
    assert sorted(row["name"] for row in sandbox.dump("accounts")) == ["one", "two"]


def test_a_refusal_arrives_with_the_code_of_the_service(client: DataverseClient) -> None:
    with pytest.raises(HttpError) as refusal:
        client.records.create("account", {"name": "x" * 161})
    assert refusal.value.status_code == 400
    assert "0x80044331" in str(refusal.value.to_dict())
