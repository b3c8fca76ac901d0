"""Who may open what. Every view says so itself; one that does not is closed to everybody."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User

SET_UP = "frame.set_up"
COUPLE = "frame.couple"
OPERATE = "frame.operate"
ANY_ROLE = frozenset({SET_UP, COUPLE, OPERATE})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """The permissions of which one is enough, to look and to change; None is anybody.

    ``with_given_password``: also to people who have yet to choose a password of their own.
    """

    look: frozenset[str] | None
    change: frozenset[str] | None
    with_given_password: bool = False

    def needed(self, method: str | None) -> frozenset[str] | None:
        return self.look if method in SAFE_METHODS else self.change


def anybody(view: View) -> View:
    """Open to people who have not signed in."""
    return _declare(view, Access(None, None))


def signed_in(view: View) -> View:
    """Open to everybody with an account, whatever the role."""
    return _declare(view, Access(frozenset(), frozenset()))


def with_given_password(view: View) -> View:
    """Open to everybody with an account, even with the password that somebody else gave them."""
    return _declare(view, Access(frozenset(), frozenset(), with_given_password=True))


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


def takes_get(view: Callable[..., Any]) -> bool:
    """Whether the view shows something, as Django's ``require_http_methods`` was told."""
    layer: Callable[..., Any] | None = view
    while layer is not None:
        methods = getattr(layer, "__closure__", None) and inspect.getclosurevars(layer).nonlocals
        if methods and "request_method_list" in methods:
            return "GET" in methods["request_method_list"]
        layer = getattr(layer, "__wrapped__", None)
    return True


def must_choose_password(user: AbstractBaseUser | AnonymousUser) -> bool:
    return getattr(getattr(user, "account", None), "must_choose_password", False)


class GroupBackend(ModelBackend):
    """Permissions come by group alone: nobody has one of their own, and nobody looks for it."""

    def get_user(self, user_id: int) -> User | None:
        """Somebody who may go on, with what is known of the account, in one question."""
        found = User.objects.select_related("account").filter(pk=user_id).first()
        return found if self.user_can_authenticate(found) else None

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        account = getattr(user, "account", None)
        return super().user_can_authenticate(user) and not (account and account.is_non_interactive)

    def get_user_permissions(
        self, user_obj: AbstractBaseUser | Any, obj: object = None
    ) -> set[str]:
        return set()
