"""New people: who is added, and with which first password."""

import secrets
import unicodedata
from dataclasses import dataclass, field

from django.contrib.auth.models import Group, User
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from crmsync.audit import services as audit
from crmsync.audit.actors import INSTALLATION, Actor
from crmsync.audit.acts import Act
from crmsync.frame.errors import NameTaken, NameUnusable
from crmsync.frame.models import Account
from crmsync.frame.roles import Role

__all__ = [
    "NewPerson",
    "Role",
    "add_first_administrator",
    "add_non_interactive",
    "add_one_of_each",
    "add_person",
    "add_with_new_password",
    "new_password",
    "subject",
]

PASSWORD_BYTES = 15
LONGEST_NAME = 150
# Of other alphabets some letters look like these, and one person would be taken for another.
may_be_called = ASCIIUsernameValidator()


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody who was just added, with the password that is shown this once."""

    user_id: int
    name: str
    role: Role | None
    password: str = field(repr=False)


def add_person(
    *,
    name: str,
    role: Role | None,
    password: str,
    email: str = "",
    must_choose_password: bool = False,
    by: Actor = INSTALLATION,
) -> User:
    """A new account in one group or none. Raises NameTaken and NameUnusable."""
    account = Account(must_choose_password=must_choose_password)
    return _add(account, name=name, role=role, password=password, email=email, by=by)


def add_with_new_password(
    *,
    name: str,
    role: Role | None,
    email: str = "",
    must_choose_password: bool = True,
    by: Actor = INSTALLATION,
) -> NewPerson:
    """An account with a random password, for one sign-in. Raises NameTaken and NameUnusable."""
    password = new_password()
    user = add_person(
        name=name,
        role=role,
        password=password,
        email=email,
        must_choose_password=must_choose_password,
        by=by,
    )
    return NewPerson(user.pk, user.username, role, password)


def add_non_interactive(*, name: str, email: str = "", by: Actor) -> int:
    """The id of an account that signs in to no page and only uses a web service key.

    Asked again for the same name it answers the same account. Raises NameUnusable, and NameTaken
    where somebody who signs in has the name.
    """
    with transaction.atomic():
        known = Account.objects.filter(user__username=_readable(name), is_non_interactive=True)
        if found := known.values_list("user_id", flat=True).first():
            return found
        account = Account(is_non_interactive=True)
        return _add(account, name=name, role=None, password=None, email=email, by=by).pk


def add_first_administrator() -> NewPerson | None:
    """Somebody has to begin; None when there are people already."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        return add_with_new_password(name="admin", role=Role.ADMINISTRATORS)


def add_one_of_each() -> list[NewPerson]:
    """An administrator, an accountant and somebody from operations, for a demonstration.

    Whoever watches it may sign in as each of them: they keep the passwords that were printed.
    """
    names = {
        Role.ADMINISTRATORS: "administrator",
        Role.ACCOUNTANTS: "accountant",
        Role.OPERATIONS: "operations",
    }
    return [
        add_with_new_password(name=name, role=role, must_choose_password=False)
        for role, name in names.items()
    ]


def new_password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


def subject(user: User) -> audit.Subject:
    """An account as the audit log names it."""
    return audit.Subject("person", str(user.pk), user.username)


def _add(
    account: Account, *, name: str, role: Role | None, password: str | None, email: str, by: Actor
) -> User:
    name = _new_name(name)
    with transaction.atomic():
        # Two names that differ in their capitals alone would be taken for each other.
        if User.objects.filter(username__iexact=name).exists():
            raise NameTaken(_("There is a person named %(name)s already.") % {"name": name})
        user = User.objects.create_user(username=name, email=email, password=password)
        account.user = user
        account.save(force_insert=True)
        if role:
            user.groups.add(Group.objects.get(name=role))
        audit.record(
            act=Act.PERSON_ADDED,
            by=by,
            subject=subject(user),
            after={
                "email": email,
                "group": role or "",
                "non_interactive": account.is_non_interactive or None,
            },
        )
    return user


def _new_name(name: str) -> str:
    """The name as it is kept; those that there are may be others. Raises NameUnusable."""
    clean = _readable(name)
    unusable = NameUnusable(_("This is no name that an account can have."))
    if len(clean) > LONGEST_NAME:
        raise unusable
    try:
        # Those that the setup adds are of several words.
        for word in clean.split(" "):
            may_be_called(word)
    except ValidationError as error:
        raise unusable from error
    return clean


def _readable(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip()
