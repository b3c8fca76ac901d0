"""What is done to the records that a form names: one, or those ticked in a list."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from coupling import acceptance, actions
from coupling.errors import MatchingProblem
from coupling.forms import ReasonForm
from coupling.queries.lists import forget_counts
from coupling.queries.named import named_records
from coupling.views.parts import (
    back,
    card_or_404,
    chosen_ids,
    keep_on_offer,
    mapping_or_404,
    next_page,
    offer_undo,
    read_uuid,
    say_job,
    tell,
    undo_on_offer,
)
from coupling.wording import recommended_winner
from crmsync.connections.errors import ConnectionProblem
from crmsync.frame.access import COUPLE, OPERATE, may
from crmsync.mapping.types import TableMapping
from crmsync.sync.refusals import UnableToCouple


@may(COUPLE, OPERATE)
@require_POST
def synchronize(request: HttpRequest, mapping: str) -> HttpResponse:
    """Synchronize Now: records that are coupled; the others would be created there unasked."""
    declared = mapping_or_404(mapping)
    chosen = chosen_ids(request, declared)
    coupled = actions.coupled_among(mapping=mapping, record_ids=chosen)
    walked = actions.included_among(mapping=mapping, record_ids=coupled)
    uncoupled = _("Not coupled, and passed over: %(count)d. Use Set Up Coupling first.")
    _say_passed_over(request, uncoupled, len(chosen) - len(coupled))
    left_out = _("Left out, and passed over: %(count)d. Take them back in first.")
    _say_passed_over(request, left_out, len(coupled) - len(walked))
    if not walked:
        return back(request, declared)
    try:
        by = request.user.get_username()
        asked = actions.synchronize(mapping=mapping, record_ids=walked, by=by)
    except ConnectionProblem as problem:
        tell(request, problem)
        return back(request, declared)
    say_job(request, asked)
    return redirect("fullsync:job", job_id=asked.job.pk)


@may(COUPLE)
@require_POST
def uncouple(request: HttpRequest, mapping: str) -> HttpResponse:
    """Delete Coupling: of one record at once, of many after a page that names how many."""
    declared = mapping_or_404(mapping)
    chosen = chosen_ids(request, declared)
    coupled = actions.coupled_among(mapping=mapping, record_ids=chosen)
    if coupled:
        sentence = _("Not coupled, and passed over: %(count)d.")
        _say_passed_over(request, sentence, len(chosen) - len(coupled))
    if len(coupled) > 1 and "confirmed" not in request.POST:
        return _ask(request, declared, coupled, "coupling/confirm_uncouple.html")
    if chosen and not coupled:
        messages.warning(request, _("Nothing was done: none of them is coupled."))
    elif coupled:
        _uncouple(request, declared, coupled)
    return back(request, declared)


@may(COUPLE)
@require_POST
def uncouple_one(request: HttpRequest, mapping: str, record_id: UUID) -> HttpResponse:
    card = card_or_404(mapping, record_id)
    _uncouple(request, card.mapping, [record_id])
    return back(request, card.mapping)


@may(COUPLE)
@require_POST
def undo(request: HttpRequest, mapping: str) -> HttpResponse:
    """Take the last Delete Coupling back; what cannot come back now stays on offer."""
    declared = mapping_or_404(mapping)
    ids = undo_on_offer(request, declared)
    done = actions.restore(mapping=mapping, coupling_ids=ids, by=request.user.get_username())
    keep_on_offer(request, declared, done.left)
    if done.coupling_ids:
        count = len(done.coupling_ids)
        messages.success(
            request,
            ngettext("%(count)d coupling is back.", "%(count)d couplings are back.", count)
            % {"count": count},
        )
    for sentence in dict.fromkeys(done.refused):
        messages.error(request, sentence)
    if not done.coupling_ids and not done.refused:
        messages.warning(request, _("There is nothing to undo any more."))
    return back(request, declared)


@may(COUPLE)
@require_POST
def leave_out(request: HttpRequest, mapping: str) -> HttpResponse:
    """First asks for the reason, then leaves out."""
    declared = mapping_or_404(mapping)
    chosen = chosen_ids(request, declared)
    if not chosen:
        return back(request, declared)
    form = ReasonForm(request.POST if "reason" in request.POST else None)
    if not form.is_valid():
        return _ask(request, declared, chosen, "coupling/leave_out.html", form)
    count = actions.leave_out(
        mapping=mapping,
        record_ids=chosen,
        reason=form.cleaned_data["reason"],
        by=request.user.get_username(),
    )
    messages.success(request, _("Left out: %(count)d.") % {"count": count})
    return back(request, declared)


@may(COUPLE)
@require_POST
def take_back_in(request: HttpRequest, mapping: str) -> HttpResponse:
    declared = mapping_or_404(mapping)
    chosen = chosen_ids(request, declared)
    if chosen:
        count = actions.take_back_in(mapping=mapping, record_ids=chosen)
        messages.success(
            request,
            _("Taken back in: %(count)d. The next synchronization compares them.")
            % {"count": count},
        )
    return back(request, declared)


@may(COUPLE)
@require_POST
def accept(request: HttpRequest, mapping: str, record_id: UUID) -> HttpResponse:
    """Couple a suggested pair, as the page showed it."""
    card = card_or_404(mapping, record_id)
    crm_id = read_uuid(request.POST.get("crm"))
    if crm_id is None:
        messages.error(request, _("Nothing was coupled: choose the row in Sales again."))
        return back(request, card.mapping)
    try:
        acceptance.accept_one(
            mapping=mapping,
            ledger_id=record_id,
            crm_id=crm_id,
            first_winner=recommended_winner(card.mapping),
            by=request.user.get_username(),
        )
    except (UnableToCouple, MatchingProblem) as error:
        tell(request, error)
        return back(request, card.mapping)
    forget_counts(mapping)
    messages.success(request, _("%(number)s is coupled.") % {"number": card.number})
    return back(request, card.mapping)


def _say_passed_over(request: HttpRequest, sentence: str, count: int) -> None:
    if count:
        messages.warning(request, sentence % {"count": count})


def _uncouple(request: HttpRequest, mapping: TableMapping, record_ids: list[UUID]) -> None:
    done = actions.uncouple(mapping=mapping.name, record_ids=record_ids)
    if done.coupling_ids:
        offer_undo(request, mapping, done.coupling_ids)
    elif not done.refused:
        messages.warning(request, _("Nothing was done: the record is not coupled."))
    for sentence in dict.fromkeys(done.refused):
        messages.error(request, sentence)


def _ask(
    request: HttpRequest,
    mapping: TableMapping,
    record_ids: list[UUID],
    template: str,
    form: ReasonForm | None = None,
) -> HttpResponse:
    """A page that names the records and how many they are; nothing is done yet."""
    context = {
        "mapping": mapping,
        "named": named_records(mapping, record_ids),
        "form": form,
        "next": next_page(request, mapping),
    }
    return render(request, template, context)
