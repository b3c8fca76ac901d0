"""Dynamics 365 Connection Setup without the guide: one page, and what can be done on it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crmsync.audit.actors import on_page
from crmsync.connections import rotation
from crmsync.connections.errors import ConnectionProblem
from crmsync.connections.models import Connection
from crmsync.frame.access import SET_UP, only
from setup_wizard.connection_setup import credentials as changing
from setup_wizard.connection_setup import redeploying, switching, trying
from setup_wizard.connection_setup import status as showing
from setup_wizard.connection_setup.forms import CredentialsForm, DisableForm, RotateForm
from setup_wizard.connection_setup.trying import Trial
from setup_wizard.errors import SetupProblem
from setup_wizard.views.reports import ShowsNoValues


@only(SET_UP)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    connection = switching.present()
    return _shown(request, connection) if connection else redirect("setup_wizard:start")


@only(SET_UP)
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """The part of the page that lives."""
    connection = switching.present()
    if connection is None:
        return redirect("setup_wizard:start")
    context = {"status": showing.status(connection)}
    return render(request, "setup_wizard/connection_setup/_status.html", context)


def _shown(
    request: HttpRequest, connection: Connection, trial: Trial | None = None, refused: str = ""
) -> HttpResponse:
    context = {
        "connection": connection,
        "shown": switching.disabling_of(connection),
        "settings": showing.settings(connection),
        "status": showing.status(connection),
        "trial": trial,
        "refused": refused,
    }
    return render(request, "setup_wizard/connection_setup/page.html", context)


@only(SET_UP)
@require_POST
def test(request: HttpRequest) -> HttpResponse:
    connection = switching.present()
    if connection is None:
        return redirect("setup_wizard:start")
    trial = trying.try_connection(connection=connection)
    connection.refresh_from_db()
    return _shown(request, connection, trial)


@only(SET_UP)
@require_POST
def enable(request: HttpRequest) -> HttpResponse:
    try:
        shown = request.POST.get("shown", "")
        trial = switching.enable(by=on_page(request.user), shown=shown)
    except SetupProblem as problem:
        return _told(request, problem)
    connection = switching.present()
    if trial is None or connection is None or trial.has_passed:
        messages.success(request, _("The connection is enabled."))
        return redirect("setup_wizard:connection")
    refused = _("The connection stays disabled: something stands in the way.")
    return _shown(request, connection, trial, refused)


@only(SET_UP)
@require_http_methods(["GET", "HEAD", "POST"])
def disable(request: HttpRequest) -> HttpResponse:
    """GET asks why, POST does it."""
    connection = switching.present()
    if connection is None:
        return redirect("setup_wizard:start")
    form = DisableForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        context = {"connection": connection, "form": form, "status": showing.status(connection)}
        return render(request, "setup_wizard/connection_setup/disable.html", context)
    if switching.disable(by=on_page(request.user), because=form.cleaned_data["reason"]):
        said = _("The connection is disabled. Jobs that were under way are stopped.")
        messages.success(request, said)
    else:
        messages.info(request, _("The connection was disabled already."))
    return redirect("setup_wizard:connection")


@only(SET_UP)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
def credentials(request: HttpRequest) -> HttpResponse:
    """A new secret of the same identity, proved before it is stored."""
    request.exception_reporter_filter = ShowsNoValues()
    connection = switching.present()
    if connection is None:
        return redirect("setup_wizard:start")
    form = CredentialsForm(request.POST or None, connection=connection)
    trial = None
    if request.method == "POST" and form.is_valid():
        trial = _changed(request, form, connection)
        if trial is not None and trial.has_passed:
            messages.success(request, _("The new credentials work, and are stored."))
            return redirect("setup_wizard:connection")
    context = {
        "connection": connection,
        "form": form,
        "trial": trial,
        "settings": showing.settings(connection),
    }
    return render(request, "setup_wizard/connection_setup/credentials.html", context)


def _changed(request: HttpRequest, form: CredentialsForm, connection: Connection) -> Trial | None:
    try:
        return changing.change(connection=connection, given=form.given, by=on_page(request.user))
    except SetupProblem as problem:
        form.add_error(problem.field if problem.field in form.fields else None, problem.in_full)
        return None


@only(SET_UP)
@require_POST
def rotate_keys(request: HttpRequest) -> HttpResponse:
    form = RotateForm(request.POST)
    with_new_key = form.is_valid() and form.cleaned_data["new_key"]
    try:
        rotated = rotation.rotate(by=on_page(request.user), with_new_key=with_new_key)
    except ConnectionProblem as problem:
        messages.error(request, f"{_(str(problem))} {problem.remedy}")
        return redirect("setup_wizard:connection")
    said = _("%(resealed)d sealed anew, %(already)d under the newest key already.")
    messages.success(request, said % {"resealed": rotated.resealed, "already": rotated.already})
    return redirect("setup_wizard:connection")


@only(SET_UP)
@require_POST
def redeploy(request: HttpRequest) -> HttpResponse:
    """Into the guide, which imports the solution again."""
    try:
        step = redeploying.begin(by=on_page(request.user))
    except SetupProblem as problem:
        return _told(request, problem)
    messages.info(request, _("Confirm the answers step by step; the solution is imported again."))
    return redirect("setup_wizard:step", step=step.value)


@only(SET_UP)
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest) -> HttpResponse:
    """GET names what is forgotten and what stays, POST does it."""
    connection = switching.present()
    if connection is None:
        return redirect("setup_wizard:start")
    if request.method != "POST":
        context = {
            "connection": connection,
            "shown": switching.which(connection),
            "removals": showing.removals(connection),
        }
        return render(request, "setup_wizard/connection_setup/reset.html", context)
    try:
        if switching.reset(by=on_page(request.user), shown=request.POST.get("shown", "")):
            said = _(
                "The connection is forgotten. Couplings stay, and so does everything in Sales."
            )
            messages.success(request, said)
    except SetupProblem as problem:
        return _told(request, problem)
    return redirect("setup_wizard:start")


def _told(request: HttpRequest, problem: SetupProblem) -> HttpResponse:
    messages.error(request, problem.in_full)
    return redirect("setup_wizard:connection")
