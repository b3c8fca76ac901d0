"""Who acts, and through which door they came."""

import getpass
from dataclasses import dataclass
from enum import StrEnum

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser


class Door(StrEnum):
    PAGE = "page"
    COMMAND = "command"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Actor:
    """A name as people know it; ``user_id`` where it is somebody's who signed in."""

    name: str
    door: Door
    user_id: int | None = None


# What an installation does by itself, such as adding its first administrator.
INSTALLATION = Actor("crmsync", Door.COMMAND)
# Somebody at the sign-in page whose name is known to nobody.
STRANGER = Actor("", Door.PAGE)


def on_page(user: AbstractBaseUser | AnonymousUser) -> Actor:
    return Actor(user.get_username(), Door.PAGE, user.pk)


def at_terminal() -> Actor:
    """Whoever is signed in to the machine: they need no account here."""
    return Actor(getpass.getuser(), Door.COMMAND)


def of_worker(name: str) -> Actor:
    """Work in the background, by what started it: a run, a schedule."""
    return Actor(name, Door.WORKER)
