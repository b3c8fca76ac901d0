"""An answer of another shape than was asked for is named, whatever asks: nothing breaks on it."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from crmsync.dataverse import administration, owners
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import UnreadableAnswer
from tests.sandboxes import Sandbox

SOMEBODY = UUID("8b3ae0fd-5dc4-4d12-8a8c-7b1d1c0f3b11")
ETAG = {"@odata.etag": 'W/"1"'}

QUESTIONS: dict[str, Callable[[Client], Any]] = {
    "WhoAmI": administration.who_am_i,
    "organizations": administration.organization,
    r"systemusers\(": lambda client: administration.user(client, SOMEBODY),
    "domainname": lambda client: administration.user_by_name(client, "somebody"),
    "applicationid": lambda client: administration.user_by_application(client, SOMEBODY),
    "businessunits": administration.root_business_unit,
    r"teams\(": lambda client: owners.team(client, SOMEBODY),
    "teams": lambda client: owners.owning_teams(client, most=10),
    "systemusers": lambda client: owners.users_named(client, "Somebody"),
}


@pytest.mark.parametrize("answer", [{}, {"value": [ETAG]}, {"value": [{**ETAG, "name": 7}]}])
@pytest.mark.parametrize("path", QUESTIONS)
def test_an_answer_without_what_was_asked_for_is_unreadable(
    sandbox: Sandbox, client: Client, path: str, answer: dict[str, Any]
) -> None:
    sandbox.fault({"path": path}, {"status": 200, "body": json.dumps(answer)})

    with pytest.raises(UnreadableAnswer):
        QUESTIONS[path](client)
