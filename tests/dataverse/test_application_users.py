"""The application's user in Sales: created once, whatever is lost on the way."""

from typing import Any
from uuid import UUID

import pytest

from crmsync.dataverse import administration
from crmsync.dataverse.administration import AccessMode
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import DataverseError, PrivilegeMissing, RowMissing, TransientError
from tests.dataverse.wires import administrator
from tests.sandboxes import Sandbox


@pytest.fixture
def admin(sandbox: Sandbox) -> Client:
    return administrator(sandbox)


def stray(sandbox: Sandbox) -> UUID:
    """An application that has no user in Sales."""
    return UUID(sandbox.ready["flawed"]["application_without_user"]["client_id"])


def create(sandbox: Sandbox, client: Client, application_id: UUID | None = None) -> UUID:
    (root,) = [u for u in sandbox.dump("businessunits") if not u["_parentbusinessunitid_value"]]
    return administration.create_application_user(
        client,
        application_id=application_id or stray(sandbox),
        business_unit_id=UUID(root["businessunitid"]),
        first_name="crmsync",
        last_name="integration",
    )


def users_of(sandbox: Sandbox, application_id: UUID) -> list[dict[str, Any]]:
    rows = sandbox.dump("systemusers")
    return [row for row in rows if row["applicationid"] == str(application_id)]


def test_an_application_gets_a_user(sandbox: Sandbox, admin: Client) -> None:
    user_id = create(sandbox, admin)

    (row,) = users_of(sandbox, stray(sandbox))
    assert row["systemuserid"] == str(user_id)
    assert row["lastname"] == "integration"
    user = administration.user(admin, user_id)
    assert (user.application_id, user.access_mode) == (stray(sandbox), AccessMode.NON_INTERACTIVE)
    assert user.roles == ()


def test_an_application_that_has_a_user_keeps_it(sandbox: Sandbox, admin: Client) -> None:
    application = sandbox.ready["application"]
    mark = sandbox.mark()

    found = create(sandbox, admin, UUID(application["client_id"]))

    assert found == UUID(application["id"])
    assert sandbox.writes(mark) == []


def test_a_lost_answer_makes_no_second_user(sandbox: Sandbox, admin: Client) -> None:
    sandbox.fault({"method": "POST", "path": "/systemusers"}, {"drop": "after"}, times=1)

    user_id = create(sandbox, admin)

    (row,) = users_of(sandbox, stray(sandbox))
    assert row["systemuserid"] == str(user_id)


def test_a_lost_request_is_said_and_asked_again_makes_one(sandbox: Sandbox, admin: Client) -> None:
    sandbox.fault({"method": "POST", "path": "/systemusers"}, {"drop": "before"}, times=1)

    with pytest.raises(TransientError):
        create(sandbox, admin)
    create(sandbox, admin)

    assert len(users_of(sandbox, stray(sandbox))) == 1


def test_who_may_not_create_users_is_told_so(sandbox: Sandbox, client: Client) -> None:
    with pytest.raises(PrivilegeMissing):
        create(sandbox, client)

    assert users_of(sandbox, stray(sandbox)) == []


def test_an_application_of_no_tenant_gets_no_user(sandbox: Sandbox, admin: Client) -> None:
    unheard_of = UUID(sandbox.ready["flawed"]["application_in_no_tenant"]["client_id"])

    with pytest.raises(DataverseError):
        create(sandbox, admin, unheard_of)

    assert users_of(sandbox, unheard_of) == []


def test_the_access_mode_of_a_user_is_set(sandbox: Sandbox, admin: Client) -> None:
    user_id = UUID(sandbox.ready["flawed"]["unlicensed"]["id"])

    administration.set_access_mode(admin, user_id, AccessMode.NON_INTERACTIVE)

    assert administration.user(admin, user_id).access_mode == AccessMode.NON_INTERACTIVE


def test_no_user_is_created_by_setting_an_access_mode(sandbox: Sandbox, admin: Client) -> None:
    before = len(sandbox.dump("systemusers"))

    with pytest.raises(RowMissing):
        administration.set_access_mode(admin, stray(sandbox), AccessMode.READ_WRITE)

    assert len(sandbox.dump("systemusers")) == before
