"""CRM Full Synch. Review, past runs, and what a run wrote."""

import zlib
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crmsync.connections.errors import ConnectionProblem
from crmsync.frame.access import OPERATE, may
from crmsync.mapping.registry import all_mappings
from fullsync import services
from fullsync.errors import FullSyncProblem
from fullsync.forms import RestartForm, StartForm
from fullsync.queries.overview import Overview, overview
from fullsync.queries.runs import run_page
from fullsync.queries.side_by_side import side_by_side as compare
from fullsync.views.back import is_fragment, number, tell


@may(OPERATE)
def review(request: HttpRequest) -> HttpResponse:
    return _show(request, overview(), reverse("fullsync:review"))


@may(OPERATE)
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    found = overview(run_id)
    if found.report is None:
        raise Http404
    url = reverse("fullsync:run", kwargs={"run_id": run_id})
    return _show(request, found, url, is_past=True)


def _show(
    request: HttpRequest, found: Overview, url: str, *, is_past: bool = False
) -> HttpResponse:
    """The page, or its living part; a sentence is announced only when it is another."""
    said = f"{zlib.crc32(found.announcement.encode()):08x}"
    context: dict[str, Any] = {
        "overview": found,
        "report": found.report,
        "is_past": is_past,
        "is_fragment": is_fragment(request),
        "announces": request.GET.get("said") != said,
        "live_url": f"{url}?said={said}",
    }
    template = "fullsync/_review.html" if is_fragment(request) else "fullsync/review.html"
    return render(request, template, context)


@may(OPERATE)
def runs(request: HttpRequest) -> HttpResponse:
    page = run_page(before=number(request, "before"))
    return render(request, "fullsync/runs.html", {"page": page})


@may(OPERATE)
def side_by_side(request: HttpRequest, run_id: int) -> HttpResponse:
    found = compare(run_id, table=request.GET.get("table", ""))
    if found is None:
        raise Http404
    return render(request, "fullsync/side_by_side.html", {"found": found})


@may(OPERATE)
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    form = StartForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for error in form.errors.get("limit", [])))
        return redirect("fullsync:review")
    try:
        by = request.user.get_username()
        begun = services.start(
            by=by,
            limit=form.cleaned_data["limit"],
            modified_only=form.cleaned_data["modified_only"],
        )
        named = {"number": begun.pk}
        messages.info(request, _("Full synchronization %(number)d is asked for.") % named)
    except (FullSyncProblem, ConnectionProblem) as problem:
        tell(request, problem)
    return redirect("fullsync:review")


@may(OPERATE)
@require_POST
def restart(request: HttpRequest) -> HttpResponse:
    form = RestartForm(request.POST)
    known = {mapping.name for mapping in all_mappings()}
    mapping = form.cleaned_data["mapping"] if form.is_valid() else ""
    if mapping and mapping not in known:
        raise Http404
    try:
        again = services.restart(mapping=mapping)
        named = {"number": again.pk}
        messages.info(request, _("Full synchronization %(number)d goes on.") % named)
    except (FullSyncProblem, ConnectionProblem) as problem:
        tell(request, problem)
    return redirect("fullsync:review")


@may(OPERATE)
@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    try:
        services.reset()
        messages.info(request, _("The lines are reset. All couplings are kept."))
    except FullSyncProblem as problem:
        tell(request, problem)
    return redirect("fullsync:review")


@may(OPERATE)
def cancel(request: HttpRequest) -> HttpResponse:
    """GET asks, POST does it."""
    if request.method != "POST":
        return render(request, "fullsync/cancel.html", {"report": overview().report})
    cancelled = services.cancel(by=request.user.get_username())
    if cancelled is None:
        messages.info(request, _("No full synchronization is under way."))
    else:
        named = {"number": cancelled.pk}
        messages.success(
            request,
            _("Full synchronization %(number)d is cancelled. What was written stays.") % named,
        )
    return redirect("fullsync:review")
