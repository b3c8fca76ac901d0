"""What stands around every page: where one can go from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from crmsync.frame.access import ANY_ROLE, SET_UP
from crmsync.mapping.registry import all_mappings


@dataclass(frozen=True, slots=True)
class Entry:
    caption: str
    url: str
    icon: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Section:
    caption: str
    entries: tuple[Entry, ...]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context of every page. Lazy: a fragment that shows no frame asks the database nothing."""
    return {
        "navigation": SimpleLazyObject(lambda: list(_sections(request))),
        "uses_sandbox": bool(settings.CRMSYNC_SANDBOX_PORT),
    }


def _sections(request: HttpRequest) -> Iterator[Section]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return
    yield Section("", (_entry(request, _("Home"), "frame:home", "home"),))
    if not any(user.has_perm(permission) for permission in ANY_ROLE):
        return
    yield Section(
        _("Records"),
        tuple(
            _entry(request, str(mapping.caption), "coupling:list", "list", mapping=mapping.name)
            for mapping in all_mappings()
        ),
    )
    yield Section(
        _("Synchronization"),
        (
            _entry(request, _("CRM Full Synch. Review"), "fullsync:review", "sync"),
            _entry(request, _("Synchronization Jobs"), "fullsync:jobs", "jobs"),
            _entry(request, _("Coupled Data Synchronization Errors"), "fullsync:errors", "error"),
        ),
    )
    if user.has_perm(SET_UP):
        yield Section(
            _("Setup"),
            (
                _setup_entry(request),
                _entry(request, _("Company Information"), "frame:company", "company"),
                _entry(request, _("People"), "frame:people", "user"),
                _entry(request, _("Audit Log"), "frame:audit", "log"),
            ),
        )


def _setup_entry(request: HttpRequest) -> Entry:
    """To the page of the connection, which leads to the guide where there is none yet."""
    caption, url = _("Dynamics 365 Connection Setup"), reverse("setup_wizard:connection")
    is_here = request.path.startswith(reverse("setup_wizard:start"))
    return Entry(caption, url, "connection", is_here=is_here)


def _entry(request: HttpRequest, caption: str, view: str, icon: str, **kwargs: str) -> Entry:
    url = reverse(view, kwargs=kwargs)
    here = request.path == url or (url != "/" and request.path.startswith(url))
    return Entry(caption, url, icon, is_here=here)
