"""The people who sign in, in three groups."""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from crmsync.frame import access


class Role(StrEnum):
    """The names of the groups."""

    ADMINISTRATORS = "Administrators"
    ACCOUNTANTS = "Accountants"
    OPERATIONS = "Operations"


PERMISSIONS: dict[Role, frozenset[str]] = {
    Role.ADMINISTRATORS: access.ANY_ROLE,
    Role.ACCOUNTANTS: frozenset({access.COUPLE}),
    Role.OPERATIONS: frozenset({access.OPERATE}),
}
PASSWORD_BYTES = 15


class NameTaken(Exception):
    code = "name_taken"
    remedy = "Choose another name."


def install_groups(**_: object) -> None:
    """The three groups with exactly their permissions; safe to call any time."""
    known = {
        f"{found.content_type.app_label}.{found.codename}": found
        for found in Permission.objects.filter(content_type__app_label="frame").select_related(
            "content_type"
        )
    }
    if access.ANY_ROLE - known.keys():
        return  # migrate has not got that far
    for role, permissions in PERMISSIONS.items():
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.set([known[permission] for permission in permissions])


def add_person(*, name: str, role: Role, password: str) -> User:
    """A new account in one group. Raises NameTaken."""
    with transaction.atomic():
        if User.objects.filter(username=name).exists():
            raise NameTaken(f"There is a person named {name} already.")
        person = User.objects.create_user(username=name, password=password)
        person.groups.add(Group.objects.get(name=role))
    return person


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody who was just added, with the password that is shown this once."""

    name: str
    role: Role
    password: str = field(repr=False)


def add_first_administrator() -> NewPerson | None:
    """Somebody has to begin; None when there are people already."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        return add_with_new_password(name="admin", role=Role.ADMINISTRATORS)


def add_one_of_each() -> list[NewPerson]:
    """An administrator, an accountant and somebody from operations, for a demonstration."""
    names = {
        Role.ADMINISTRATORS: "administrator",
        Role.ACCOUNTANTS: "accountant",
        Role.OPERATIONS: "operations",
    }
    return [add_with_new_password(name=name, role=role) for role, name in names.items()]


def add_with_new_password(*, name: str, role: Role) -> NewPerson:
    """An account with a random password. Raises NameTaken."""
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    add_person(name=name, role=role, password=password)
    return NewPerson(name, role, password)
