"""Small translations that several pages share."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from fullsync.forms import ID_DIGITS


def number(request: HttpRequest, name: str) -> int | None:
    """A row's number from the address; what is none counts as absent."""
    value = request.GET.get(name, "")
    is_id = value.isascii() and value.isdecimal() and len(value) <= ID_DIGITS
    return int(value) if is_id else None


def is_fragment(request: HttpRequest) -> bool:
    """htmx asks for the part of the page that lives."""
    return request.headers.get("HX-Request") == "true"


def back(request: HttpRequest, view: str) -> HttpResponse:
    """To the page that sent the form, with its filters; never to another site."""
    wanted = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return redirect(wanted if is_ours and wanted.startswith("/") else reverse(view))


def tell(request: HttpRequest, problem: Exception) -> None:
    """What was refused, and what helps."""
    remedy = str(getattr(problem, "remedy", ""))
    messages.error(request, f"{problem} {remedy}".strip())
