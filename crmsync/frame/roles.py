"""The three groups of people, and what each may do."""

from collections.abc import Mapping
from enum import StrEnum

from django.contrib.auth.models import Group, Permission
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crmsync.frame import access


class Role(StrEnum):
    """The names of the groups."""

    ADMINISTRATORS = "Administrators"
    ACCOUNTANTS = "Accountants"
    OPERATIONS = "Operations"


PERMISSIONS: Mapping[Role, frozenset[str]] = {
    Role.ADMINISTRATORS: access.ANY_ROLE,
    Role.ACCOUNTANTS: frozenset({access.COUPLE}),
    Role.OPERATIONS: frozenset({access.OPERATE}),
}
CAPTIONS: Mapping[Role, str | Promise] = {
    Role.ADMINISTRATORS: _("Administrators"),
    Role.ACCOUNTANTS: _("Accountants"),
    Role.OPERATIONS: _("Operations"),
}
DUTIES: Mapping[Role, str | Promise] = {
    Role.ADMINISTRATORS: _("set up the connection, add people, and do what the others do"),
    Role.ACCOUNTANTS: _("edit records and couple them"),
    Role.OPERATIONS: _("run synchronizations and follow them"),
}


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
