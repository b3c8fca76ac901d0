"""What holds for every page: closed unless its view opens it, and never kept by a cache."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRefresh

from crmsync.frame import sessions
from crmsync.frame.access import SAFE_METHODS, Access, must_choose_password
from crmsync.frame.views.problems import other_method
from crmsync.mapping import in_force

logger = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], HttpResponseBase]
# No page of ours does anything else; most would take another method for a GET.
KNOWN_METHODS = ("GET", "HEAD", "OPTIONS", "POST")


class DefaultDeny:
    """Middleware: a view opens by its declaration alone, see ``access``."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """None goes on to the view. Raises PermissionDenied."""
        if request.method not in KNOWN_METHODS:
            return HttpResponseNotAllowed(KNOWN_METHODS)
        access: Access | None = getattr(view, "access", None)
        if access is None:
            logger.error("The view of %s says nobody may open it.", request.path)
            raise PermissionDenied
        needed = access.needed(request.method)
        if needed is None:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        if must_choose_password(request.user) and not access.with_given_password:
            return _whole_page(request) or redirect("frame:password")
        if needed and not any(request.user.has_perm(permission) for permission in needed):
            raise PermissionDenied
        return None


class PresentMappings:
    """Middleware behind ``DefaultDeny``: pages of people who are let in show today's settings."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        if request.user.is_authenticated:
            in_force.take_up_now_and_then()


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    return _whole_page(request) or redirect_to_login(request.get_full_path())


def _whole_page(request: HttpRequest) -> HttpResponse | None:
    """A fragment of a page that outlived its session takes the whole page along."""
    return HttpResponseClientRefresh() if _is_fragment(request) else None


def _is_fragment(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def ends_in_time(get_response: Handler) -> Handler:
    """A session ends when nobody used it for long, and at the latest after a week.

    A page that looks for news by itself is nobody's use of it.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        now = time.time()
        if sessions.is_over(request.session, now=now):
            request.session.flush()
        elif not (_is_fragment(request) and request.method in SAFE_METHODS):
            sessions.note_use(request.session, now=now)
        return get_response(request)

    return answer


def no_body_for_head(get_response: Handler) -> Handler:
    """A HEAD is answered by its headers alone (RFC 9110, 9.3.2).

    The server sends whatever body it is given, and on a connection that stays open that would be
    read as the beginning of the next answer.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
            response.headers.pop("Content-Length", None)
        elif request.method == "HEAD" and isinstance(response, StreamingHttpResponse):
            response.streaming_content = ()
        return response

    return answer


def refused_on_a_page(get_response: Handler) -> Handler:
    """Whoever opens an address that only takes forms is told so, and where to go on."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not _is_fragment(request):
            return other_method(request, allowed=response.headers["Allow"])
        return response

    return answer


def never_stored(get_response: Handler) -> Handler:
    """Pages show a company's books: no cache keeps them, not even the browser's."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer
