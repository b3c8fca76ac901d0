"""Home, and the company."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crmsync.audit.actors import on_page
from crmsync.frame import home as home_page
from crmsync.frame.access import SET_UP, may, signed_in
from crmsync.frame.company import save_company
from crmsync.frame.forms import CompanyForm
from crmsync.ledger.queries import get_company


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "frame/home.html", {"home": home_page.look()})


@may(SET_UP)
def company(request: HttpRequest) -> HttpResponse:
    form = CompanyForm(request.POST or None, instance=get_company())
    if request.method == "POST" and form.is_valid():
        save_company(**form.cleaned_data, by=on_page(request.user))
        messages.success(request, _("The company information is saved."))
        return redirect("frame:home")
    return render(request, "frame/company.html", {"form": form})
