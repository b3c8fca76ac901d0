"""The card of one record: everything mapped, editable also while a synchronization runs."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from coupling.cards import CardProblem, ChangedMeanwhile, save_card
from coupling.forms import Clash, RecordForm, card_form
from coupling.log import show_log
from coupling.queries.cards import Card
from coupling.queries.logs import read_log
from coupling.views.parts import card_or_404, panel_of, undo_on_offer
from crmsync.frame.access import COUPLE, may


@may(COUPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def card(request: HttpRequest, mapping: str, record_id: UUID) -> HttpResponse:
    found = card_or_404(mapping, record_id)
    if request.method == "POST":
        return _save(request, found)
    return _show(request, found, card_form(found, is_editable=request.user.has_perm(COUPLE)))


@may(COUPLE)
@require_safe
def log(request: HttpRequest, mapping: str, record_id: UUID) -> HttpResponse:
    found = card_or_404(mapping, record_id)
    coupling = found.facts.coupling
    entries = read_log(
        found.mapping,
        record_id,
        coupling.crm_id if coupling else None,
        request.GET.get("before", ""),
    )
    context = {
        "mapping": found.mapping,
        "panel": panel_of(found),
        "log": show_log(found.mapping, entries),
        "undo": undo_on_offer(request, found.mapping),
        "here": request.path,
        "is_moved": "before" in request.GET,
    }
    return render(request, "coupling/log.html", context)


def _save(request: HttpRequest, found: Card) -> HttpResponse:
    stamp = found.record.stamp
    form = card_form(found, request.POST, is_editable=True)
    if not form.is_valid():
        return _show(request, found, form)
    if not form.changed_data:
        messages.info(request, _("Nothing was changed."))
        return redirect(request.path)
    if clashes := form.clashes():
        return _show_clash(request, found, form, clashes)
    try:
        save_card(
            mapping=found.mapping.name,
            record_id=found.record.pk,
            stamp=stamp,
            values=form.changed_values,
        )
    except ChangedMeanwhile:
        return _show_clash(request, found, form, [])
    except CardProblem as error:
        form.add_error(None, f"{error} {error.remedy}")
        return _show(request, found, form)
    messages.success(request, _("The record is saved."))
    if found.facts.coupling and not found.facts.left_out and found.mapping.direction.writes_crm:
        messages.info(
            request, _("Sales gets the change with the next synchronization, or at once.")
        )
    return redirect(request.path)


def _show_clash(
    request: HttpRequest, found: Card, form: RecordForm, clashes: list[Clash]
) -> HttpResponse:
    """Nothing was written: what the person entered, over what stands in the record now."""
    present = card_or_404(found.mapping.name, found.record.pk)
    data = form.as_seen_now(card_form(present, is_editable=True))
    problem = ChangedMeanwhile()
    return _show(
        request,
        present,
        card_form(present, data, is_editable=True),
        problem=problem,
        clashes=clashes,
    )


def _show(
    request: HttpRequest,
    found: Card,
    form: RecordForm,
    *,
    problem: ChangedMeanwhile | None = None,
    clashes: list[Clash] | None = None,
) -> HttpResponse:
    panel = panel_of(found)
    context = {
        "mapping": found.mapping,
        "form": form,
        "panel": panel,
        "problem": problem,
        "clashes": clashes,
        "undo": undo_on_offer(request, found.mapping),
        "here": request.path,
    }
    return render(request, "coupling/card.html", context, status=409 if problem else 200)
