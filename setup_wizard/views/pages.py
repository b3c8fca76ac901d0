"""The pages before and after the steps."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from crmsync.frame.access import SET_UP, only
from setup_wizard import progress, provisioning, queries
from setup_wizard.draft import Draft
from setup_wizard.views import browser_key


@only(SET_UP)
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    page = queries.start(_draft(request))
    return render(request, "setup_wizard/start.html", {"start": page})


@only(SET_UP)
@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    left = provisioning.cancel(user_id=_user_id(request))
    messages.info(request, _("The setup was cancelled. What you typed is forgotten."))
    for entry in left:
        said = _("In Sales this stays: %(done)s To remove it: %(removal)s")
        messages.warning(request, said % {"done": entry.text, "removal": entry.removal})
    response = redirect("setup_wizard:start")
    browser_key.take(response)
    return response


def _draft(request: HttpRequest) -> Draft:
    progress.drop_expired()
    return progress.look(user_id=_user_id(request), key=browser_key.read(request))


def _user_id(request: HttpRequest) -> int:
    # The frame lets nobody in who has not signed in.
    return int(str(request.user.pk))
