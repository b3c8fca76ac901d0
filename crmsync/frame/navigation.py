"""What stands around every page: where one can go from here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crmsync.frame.access import ANY_ROLE, SET_UP, takes_get
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
        "language_next": SimpleLazyObject(lambda: shown_at(request)),
        "uses_sandbox": bool(settings.CRMSYNC_SANDBOX_PORT),
    }


def shown_at(request: HttpRequest) -> str:
    """Where a reader of this answer can come back to by a GET: here, or the nearest page above.

    A view whose answer belongs to another page gives its own ``language_next``.
    """
    if request.method in ("GET", "HEAD") or _shows_something(request.path):
        return request.get_full_path()
    above = request.path.rstrip("/")
    while above := above.rpartition("/")[0]:
        if _shows_something(f"{above}/"):
            return f"{above}/"
    return reverse("frame:home")


def _shows_something(path: str) -> bool:
    try:
        return takes_get(resolve(path).func)
    except Resolver404:
        return False


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
    # Words for the narrow column: a translation may say where they are broken.
    review = pgettext("navigation", "CRM Full Synch. Review")
    company = pgettext("navigation", "Company Information")
    yield Section(
        _("Synchronization"),
        (
            _entry(request, review, "fullsync:review", "sync"),
            _entry(request, _("Synchronization Jobs"), "fullsync:jobs", "jobs"),
            _entry(request, _("Coupled Data Synchronization Errors"), "fullsync:errors", "error"),
        ),
    )
    if user.has_perm(SET_UP):
        yield Section(
            _("Setup"),
            (
                _setup_entry(request),
                _entry(request, company, "frame:company", "company"),
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
