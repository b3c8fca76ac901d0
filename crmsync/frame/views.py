"""Home, signing in and out, the company, and what is said when a page cannot be shown."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template import loader
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.i18n import set_language

from crmsync.frame import home as home_page
from crmsync.frame.access import SET_UP, anybody, may, signed_in
from crmsync.frame.forms import CompanyForm
from crmsync.ledger.queries import get_company

sign_in = anybody(
    auth.LoginView.as_view(template_name="frame/sign_in.html", redirect_authenticated_user=True)
)
sign_out = anybody(auth.LogoutView.as_view())
language = anybody(set_language)
password = signed_in(
    auth.PasswordChangeView.as_view(
        template_name="frame/password.html", success_url=reverse_lazy("frame:home")
    )
)


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "frame/home.html", {"home": home_page.look()})


@may(SET_UP)
def company(request: HttpRequest) -> HttpResponse:
    form = CompanyForm(request.POST or None, instance=get_company())
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("The company information is saved."))
        return redirect("frame:home")
    return render(request, "frame/company.html", {"form": form})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 400)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem(request, 404)


def went_wrong(request: HttpRequest) -> HttpResponse:
    """Without the frame, which asks the database: it may be what went wrong."""
    return HttpResponse(loader.render_to_string("500.html"), status=500)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _problem(request, 403, template="csrf.html")


def _problem(request: HttpRequest, status: int, template: str = "") -> HttpResponse:
    context: dict[str, Any] = {"status": status}
    return render(request, template or f"{status}.html", context, status=status)
