"""Roles: who holds them and how, their copies in business units, and what they allow."""

from uuid import UUID, uuid4

import pytest

from crmsync.dataverse import administration, odata, roles
from crmsync.dataverse.client import Client, Table
from crmsync.dataverse.errors import RowMissing
from crmsync.dataverse.solution import Depth, RolePrivilege
from tests.dataverse.wires import administrator
from tests.sandboxes import Sandbox

UNIT = Table("businessunit", "businessunits", "businessunitid")


@pytest.fixture
def admin(sandbox: Sandbox) -> Client:
    return administrator(sandbox)


def role_named(sandbox: Sandbox, name: str) -> UUID:
    """The role of the root business unit."""
    (found,) = [
        role
        for role in sandbox.dump("roles")
        if role["name"] == name and role["roleid"] == role["_parentrootroleid_value"]
    ]
    return UUID(found["roleid"])


def roles_of(sandbox: Sandbox, user_id: UUID) -> set[str]:
    rows = sandbox.dump("systemuserrolescollection")
    return {row["roleid"] for row in rows if row["systemuserid"] == str(user_id)}


def unit_below(sandbox: Sandbox, admin: Client) -> UUID:
    """A new business unit below the root."""
    (root,) = [u for u in sandbox.dump("businessunits") if not u["_parentbusinessunitid_value"]]
    unit_id = uuid4()
    row = {
        "businessunitid": str(unit_id),
        "name": "Branch",
        "parentbusinessunitid@odata.bind": f"/businessunits({root['businessunitid']})",
    }
    assert admin.create_each(UNIT, [row]) == [None]
    return unit_id


def test_a_role_held_through_a_team_says_through_which(sandbox: Sandbox, admin: Client) -> None:
    user_id = UUID(sandbox.ready["flawed"]["team_administrator"]["id"])

    held = {role.name: role for role in administration.user(admin, user_id).roles}

    assert held["System Administrator"].team == "Administrators"
    assert not held["System Administrator"].is_direct
    assert held["Integration User"].is_direct


@pytest.mark.parametrize(
    ("identity", "is_administrator", "is_customizer"),
    [
        ("administrator_without_customizer", True, False),
        ("customizer", False, True),
        ("without_roles", False, False),
    ],
)
def test_administrators_and_customizers_are_told_by_their_templates(
    sandbox: Sandbox, admin: Client, identity: str, is_administrator: bool, is_customizer: bool
) -> None:
    user = administration.user(admin, UUID(sandbox.ready["flawed"][identity]["id"]))

    assert user.is_system_administrator == is_administrator
    assert user.is_system_customizer == is_customizer


def test_a_role_is_assigned_once_however_often_it_is_asked(sandbox: Sandbox, admin: Client) -> None:
    user_id = UUID(sandbox.ready["flawed"]["without_roles"]["id"])
    role_id = role_named(sandbox, "Salesperson")

    for _ in range(2):
        roles.assign_role(admin, user_id, role_id)

    assert roles_of(sandbox, user_id) == {str(role_id)}
    assert administration.user(admin, user_id).holds(role_id)


def test_a_role_is_taken_away_once_however_often_it_is_asked(
    sandbox: Sandbox, admin: Client
) -> None:
    user_id = UUID(sandbox.ready["integration_user"]["id"])
    (role_id,) = roles_of(sandbox, user_id)

    for _ in range(2):
        roles.remove_role(admin, user_id, UUID(role_id))

    assert roles_of(sandbox, user_id) == set()


def test_a_role_that_does_not_exist_cannot_be_assigned(sandbox: Sandbox, admin: Client) -> None:
    with pytest.raises(RowMissing):
        roles.assign_role(admin, UUID(sandbox.ready["administrator"]["id"]), uuid4())


def test_in_the_root_business_unit_roles_stand_for_themselves(
    sandbox: Sandbox, admin: Client
) -> None:
    me = administration.who_am_i(admin)
    role_id = role_named(sandbox, "Salesperson")

    assert roles.roles_in(admin, me.business_unit_id, [role_id, uuid4()]) == {role_id: role_id}


def test_in_another_business_unit_copies_stand_for_the_roles(
    sandbox: Sandbox, admin: Client
) -> None:
    unit_id = unit_below(sandbox, admin)
    wanted = [role_named(sandbox, "Salesperson"), role_named(sandbox, "Integration User")]

    found = roles.roles_in(admin, unit_id, wanted)

    assert set(found) == set(wanted)
    units = {role["roleid"]: role["_businessunitid_value"] for role in sandbox.dump("roles")}
    assert {units[str(role_id)] for role_id in found.values()} == {str(unit_id)}


def test_a_user_below_the_root_holds_the_copy_and_so_the_role(
    sandbox: Sandbox, admin: Client
) -> None:
    unit_id = unit_below(sandbox, admin)
    stray = UUID(sandbox.ready["flawed"]["application_without_user"]["client_id"])
    user_id = administration.create_application_user(
        admin,
        application_id=stray,
        business_unit_id=unit_id,
        first_name="crmsync",
        last_name="integration",
    )
    root_role = role_named(sandbox, "Salesperson")
    copy = roles.roles_in(admin, unit_id, [root_role])[root_role]

    roles.assign_role(admin, user_id, copy)

    user = administration.user(admin, user_id)
    assert user.business_unit_id == unit_id
    assert user.holds(root_role)


def test_missing_privileges_are_those_not_held_as_far_as_wanted(
    sandbox: Sandbox, admin: Client
) -> None:
    user_id = UUID(sandbox.ready["integration_user"]["id"])
    held = [RolePrivilege("prvReadAccount"), RolePrivilege("prvReadContact", Depth.USER)]
    missing = [RolePrivilege("prvDeleteRole", Depth.USER), RolePrivilege("prvReadUnheardOf")]

    assert roles.missing_privileges(admin, user_id, held) == ()
    assert roles.missing_privileges(admin, user_id, [*missing, *held]) == tuple(missing)


def test_many_privileges_are_looked_up_in_short_requests(sandbox: Sandbox, admin: Client) -> None:
    user_id = UUID(sandbox.ready["integration_user"]["id"])
    names = [row["name"] for row in sandbox.dump("privileges")]
    mark = sandbox.mark()

    roles.missing_privileges(admin, user_id, [RolePrivilege(name) for name in names])

    asked = [entry["url"] for entry in sandbox.journal(mark)]
    assert max(map(len, asked)) < 4000


def test_no_role_is_found_for_none(admin: Client) -> None:
    assert roles.roles_in(admin, uuid4(), []) == {}


def test_a_handful_of_values_is_one_filter() -> None:
    assert odata.either("name", ["'a'", "'b'"]) == "(name eq 'a' or name eq 'b')"
