"""Who may open what. Every view says so itself; one that does not is closed to everybody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser

SET_UP = "frame.set_up"
COUPLE = "frame.couple"
OPERATE = "frame.operate"
ANY_ROLE = frozenset({SET_UP, COUPLE, OPERATE})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """The permissions of which one is enough, to look and to change; None is anybody."""

    look: frozenset[str] | None
    change: frozenset[str] | None

    def needed(self, method: str | None) -> frozenset[str] | None:
        return self.look if method in SAFE_METHODS else self.change


def anybody(view: View) -> View:
    """Open to people who have not signed in."""
    return _declare(view, Access(None, None))


def signed_in(view: View) -> View:
    """Open to everybody with an account, whatever the role."""
    return _declare(view, Access(frozenset(), frozenset()))


def may(*change: str, look: frozenset[str] = ANY_ROLE) -> Callable[[View], View]:
    """Only these may change something; everybody with a role may look, unless ``look`` is less."""

    def declare(view: View) -> View:
        return _declare(view, Access(look, frozenset(change)))

    return declare


def only(*permissions: str) -> Callable[[View], View]:
    """Look and change: only for these."""
    return may(*permissions, look=frozenset(permissions))


def _declare(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]  # a mark on the function, read by default_deny
    return view


class GroupBackend(ModelBackend):
    """Permissions come by group alone: nobody has one of their own, and nobody looks for it."""

    def get_user_permissions(
        self, user_obj: AbstractBaseUser | Any, obj: object = None
    ) -> set[str]:
        return set()
