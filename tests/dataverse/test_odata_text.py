"""Whatever a value holds, in a filter it is one literal equal to itself."""

from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crmsync.dataverse import administration, odata
from crmsync.dataverse.client import Client, Update
from tests.dataverse.wires import ACCOUNT
from tests.sandboxes import Sandbox

HOSTILE = (
    "O'Brien",
    "''",
    "' or 1 eq 1 or name eq '",
    "') or (name ne '",
    "%27 or name ne %27",
    "&$top=1",
    "&$filter=name ne null",
    "#fragment",
    "a+b c",
    "?$select=name",
    "/accounts",
    "\\' or name ne '",
    "\U0001f980 crab",
    "S\u00f8ren & Co. A/S",
    "=cmd|'/C calc'!A0",
)
TEXTS = st.text(
    st.one_of(
        st.sampled_from("'\"%&#+?/\\()$=,;: @"),
        st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn", "Z")),
    ),
    min_size=1,
    max_size=60,
).filter(lambda text: text.strip() == text)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8")))
def test_a_literal_and_its_encoding_give_the_text_back(text: str) -> None:
    url = odata.query("accounts", {"$filter": f"name eq {odata.literal(text)}", "$top": "1"})

    ((_, condition), top) = parse_qsl(urlsplit(url).query, strict_parsing=True)
    assert top == ("$top", "1")
    value = condition.removeprefix("name eq ")
    assert value[0] == value[-1] == "'"
    assert value[1:-1].replace("''", "").count("'") == 0
    assert value[1:-1].replace("''", "'") == text


@pytest.fixture
def row_id(sandbox: Sandbox) -> UUID:
    (made,) = sandbox.edit({"set": "accounts", "create": {"name": "Adatum"}})
    return UUID(made)


def found_by_name(client: Client, text: str) -> list[UUID]:
    where = f"name eq {odata.literal(text)}"
    return [
        UUID(row["accountid"])
        for rows in client.rows(ACCOUNT, columns=["accountid"], where=where)
        for row in rows
    ]


@settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=TEXTS)
@example(text=HOSTILE[2])
def test_the_service_finds_the_row_with_this_text_and_no_other(
    client: Client, row_id: UUID, text: str
) -> None:
    errors = client.update_each(ACCOUNT, [Update(row_id, {"name": text}, "*")])

    assert errors == [None]
    assert found_by_name(client, text) == [row_id]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_found_where_it_stands_and_nothing_where_it_does_not(
    client: Client, row_id: UUID, text: str
) -> None:
    assert found_by_name(client, text) == []

    client.update_each(ACCOUNT, [Update(row_id, {"name": text}, "*")])

    assert found_by_name(client, text) == [row_id]


@pytest.mark.parametrize("name", ["' or domainname ne '", "%27 or domainname ne %27"])
def test_a_user_name_cannot_widen_the_question(client: Client, name: str) -> None:
    assert administration.user_by_name(client, name) is None
