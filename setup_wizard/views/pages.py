"""The pages before and after the steps."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crmsync.audit.actors import on_page
from crmsync.frame.access import SET_UP, only
from setup_wizard import queries
from setup_wizard.finish import cancelling
from setup_wizard.guide import progress
from setup_wizard.guide.draft import Draft
from setup_wizard.views import browser_key


@only(SET_UP)
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    page = queries.start(_draft(request))
    return render(request, "setup_wizard/start.html", {"start": page})


@only(SET_UP)
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest) -> HttpResponse:
    """GET says what is forgotten and what stays, POST does it."""
    if request.method != "POST":
        return _asked(request)
    left = cancelling.cancel(user_id=_user_id(request), by=on_page(request.user))
    messages.info(request, _("The setup was cancelled. What you typed is forgotten."))
    for one in left:
        said = _("In Sales this stays: %(done)s To remove it: %(removal)s")
        if one.is_needed:
            said = _("In Sales this stays: %(done)s The connection needs it.")
        told = {"done": one.entry.said, "removal": one.entry.removal}
        messages.warning(request, said % told)
    response = redirect("setup_wizard:start")
    browser_key.take(response)
    return response


def _asked(request: HttpRequest) -> HttpResponse:
    draft = _draft(request)
    if not draft.is_begun:
        return redirect("setup_wizard:start")
    context = {"draft": draft, "left": cancelling.left(user_id=draft.user_id)}
    return render(request, "setup_wizard/cancel.html", context)


def _draft(request: HttpRequest) -> Draft:
    progress.drop_expired()
    return progress.look(user_id=_user_id(request), key=browser_key.read(request))


def _user_id(request: HttpRequest) -> int:
    # The frame lets nobody in who has not signed in.
    return int(str(request.user.pk))
