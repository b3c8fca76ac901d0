"""What is said when a page cannot be shown."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 400)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 404)


def went_wrong(request: HttpRequest) -> HttpResponse:
    """Without the frame, which asks the database: it may be what went wrong."""
    return HttpResponse(loader.render_to_string("500.html"), status=500)


def other_method(request: HttpRequest, *, allowed: str) -> HttpResponse:
    """``allowed``: the methods that the address takes, as the header says it."""
    answer = _problem(request, 405)
    answer.headers["Allow"] = allowed
    return answer


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _problem(request, 403, template="csrf.html")


def _problem(request: HttpRequest, status: int, template: str = "") -> HttpResponse:
    context: dict[str, Any] = {"status": status}
    return render(request, template or f"{status}.html", context, status=status)
