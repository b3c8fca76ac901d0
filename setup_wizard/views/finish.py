"""The finish: a page that drives it act by act, and the page behind it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from crmsync.audit.actors import on_page
from crmsync.connections.models import Connection
from crmsync.frame.access import SET_UP, only
from setup_wizard import queries
from setup_wizard.finish import provisioning, receipt
from setup_wizard.finish.acts import ACTS
from setup_wizard.finish.standing import Standing, standing
from setup_wizard.guide import progress
from setup_wizard.views import browser_key
from setup_wizard.views.reports import ShowsNoValues


@only(SET_UP)
@require_http_methods(["GET", "HEAD", "POST"])
def finish(request: HttpRequest) -> HttpResponse:
    """GET shows how far it has come; POST does the next act, without scripts as many as it can."""
    request.exception_reporter_filter = ShowsNoValues()
    progress.drop_expired()
    user_id, key = int(str(request.user.pk)), browser_key.read(request)
    if request.method != "POST":
        return _shown(request, standing(user_id=user_id, key=key))
    by_itself = bool(request.headers.get("HX-Request"))
    reached = provisioning.advance(
        user_id=user_id,
        key=key,
        by=on_page(request.user),
        most=1 if by_itself else len(ACTS),
    )
    if by_itself and reached.is_begun:
        return render(request, "setup_wizard/_finish.html", {"standing": reached})
    address = reverse("setup_wizard:finish" if reached.is_begun else "setup_wizard:done")
    response = HttpResponseClientRedirect(address) if by_itself else redirect(address)
    if reached.is_over:
        browser_key.take(response)
    return response


def _shown(request: HttpRequest, reached: Standing) -> HttpResponse:
    if not reached.is_begun:
        return redirect("setup_wizard:done" if reached.is_over else "setup_wizard:start")
    return render(request, "setup_wizard/finish.html", {"standing": reached})


@only(SET_UP)
@require_safe
def done(request: HttpRequest) -> HttpResponse:
    """What comes next, and the receipt; while a finish is under way, how far it is."""
    reached = standing(user_id=int(str(request.user.pk)), key=None)
    connection = Connection.objects.filter(is_being_set_up=False).first()
    if reached.is_begun:
        return redirect("setup_wizard:finish")
    if connection is None:
        return redirect("setup_wizard:start")
    context = {
        "connection": connection,
        "tasks": queries.next_tasks(connection),
        "entries": receipt.entries(connection.receipt),
        "accesses": receipt.accesses(connection.receipt),
        "nobody_signed_in": receipt.nobody_signed_in(connection.receipt),
        "told_address": receipt.told_address(connection.receipt),
    }
    return render(request, "setup_wizard/done.html", context)
