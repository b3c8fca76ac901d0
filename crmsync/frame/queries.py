"""What the pages about people show."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet

from crmsync.frame.roles import CAPTIONS, Role

PAGE_PEOPLE = 100


@dataclass(frozen=True, slots=True)
class Person:
    """``role`` is the first of the groups; ``key_changed_at`` is None without a key."""

    user_id: int
    name: str
    email: str
    role: Role | None
    groups: tuple[str, ...]
    last_sign_in: datetime | None
    is_enabled: bool
    is_non_interactive: bool
    must_choose_password: bool
    key_changed_at: datetime | None
    key_changed_by: str


@dataclass(frozen=True, slots=True)
class Page:
    """By name; ``following`` is the name to go on after, blank at the end."""

    people: tuple[Person, ...]
    following: str


def read_people(*, after: str = "") -> Page:
    """Two questions."""
    found = list(_users().filter(username__gt=after).order_by("username")[: PAGE_PEOPLE + 1])
    shown = found[:PAGE_PEOPLE]
    following = shown[-1].username if len(found) > PAGE_PEOPLE else ""
    return Page(tuple(_person(user) for user in shown), following)


def read_person(user_id: int) -> Person | None:
    user = _users().filter(pk=user_id).first()
    return _person(user) if user else None


def _users() -> QuerySet[User]:
    return User.objects.select_related("account", "web_service_key").prefetch_related("groups")


def _person(user: User) -> Person:
    account, key = getattr(user, "account", None), getattr(user, "web_service_key", None)
    names = sorted(group.name for group in user.groups.all())
    roles = [Role(name) for name in names if name in set(Role)]
    return Person(
        user_id=user.pk,
        name=user.username,
        email=user.email,
        role=roles[0] if roles else None,
        groups=tuple(str(CAPTIONS[Role(name)]) if name in roles else name for name in names),
        last_sign_in=user.last_login,
        is_enabled=user.is_active,
        is_non_interactive=bool(account and account.is_non_interactive),
        must_choose_password=bool(account and account.must_choose_password),
        key_changed_at=key.changed_at if key else None,
        key_changed_by=key.changed_by if key else "",
    )
