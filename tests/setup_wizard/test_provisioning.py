"""Our solution as a declaration, and that its roles are enough, and no more, for the work."""

from typing import Any

import pytest

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.dataverse import roles
from crmsync.dataverse.solution_zip import build, read
from crmsync.mapping.registry import all_mappings
from crmsync.sync.models import Coupling
from crmsync.terms import Scope
from setup_wizard.guide.preflight import IntegrationUser
from setup_wizard.integration_solution import (
    INTEGRATION_USER,
    SOLUTION,
    needed_privileges,
    privileges_of,
)
from tests.sandboxes import Sandbox
from tests.setup_wizard.attempts import APPLICATION, Attempt
from tests.setup_wizard.finishes import administrator, imports_go
from tests.sync import runs


def test_the_solution_survives_its_zip() -> None:
    assert read(build(SOLUTION)) == SOLUTION
    assert build(SOLUTION) == build(SOLUTION)


def test_the_roles_allow_what_the_declarations_write_and_nothing_is_deleted() -> None:
    names = {privilege.name for role in SOLUTION.roles for privilege in role.privileges}

    assert not [name for name in names if name.startswith(("prvDelete", "prvShare"))]
    for mapping in all_mappings():
        assert privileges_of(mapping) <= names
    assert {"prvCreateAccount", "prvWriteAccount", "prvAssignAccount"} <= names
    assert "prvWriteUser" not in names


@pytest.mark.parametrize("mapping", all_mappings(), ids=lambda mapping: str(mapping.name))
def test_a_table_that_is_only_read_is_not_written(mapping: Any) -> None:
    verbs = {name for name in privileges_of(mapping) if name.startswith(("prvCreate", "prvWrite"))}

    assert bool(verbs) == any(mapped.direction.writes_crm for mapped in mapping.fields)


def test_every_role_has_an_id_of_its_own() -> None:
    ids = [role.role_id for role in SOLUTION.roles]

    assert len(set(ids)) == len(ids) == 3
    assert INTEGRATION_USER in ids


@pytest.fixture
def connected_by_our_roles(sandbox: Sandbox, books: object) -> Sandbox:
    """Connected as an application whose user holds our two roles and no other."""
    imports_go(sandbox, seconds=0, hidden=0)
    stray = sandbox.ready["flawed"]["application_without_user"]
    who = IntegrationUser(APPLICATION, stray["client_id"], stray["client_secret"])
    Attempt(sandbox, {"integration_user": who, "scopes": list(Scope)}).connect()
    return sandbox


def test_with_our_roles_alone_everything_synchronizes(connected_by_our_roles: Sandbox) -> None:
    runs.settle()

    assert Coupling.objects.filter(removed_at__isnull=True, mapping="CUSTOMER").exists()
    refused = [
        one["url"] for one in connected_by_our_roles.journal() if one["status"] in (401, 403)
    ]
    assert [url for url in refused if "WhoAmI" not in url] == []


def test_with_our_roles_no_privilege_is_missing(connected_by_our_roles: Sandbox) -> None:
    connection = Connection.objects.get()
    client = connections.open_client(connection=connection)

    missing = roles.missing_privileges(client, connection.integration_user_id, needed_privileges())

    assert missing == ()


def test_what_the_solution_brought_goes_with_it(connected_by_our_roles: Sandbox) -> None:
    """As the receipt says."""
    client = administrator(connected_by_our_roles)
    (row,) = [
        row
        for row in connected_by_our_roles.dump("solutions")
        if row["uniquename"] == SOLUTION.unique_name
    ]

    client.channel.send("DELETE", f"solutions({row['solutionid']})")

    left = {row["name"] for row in connected_by_our_roles.dump("roles")}
    assert not left & {role.name for role in SOLUTION.roles}
