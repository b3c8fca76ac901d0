"""Set Up Coupling of one record, from finding its counterpart to what came of it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coupling import actions
from coupling.forms import CoupleForm, WinnerForm
from coupling.liststate import TYPED_LENGTH
from coupling.queries import dialog
from coupling.queries.cards import Card
from coupling.queries.results import read_result
from coupling.scope import out_of_scope
from coupling.views.parts import (
    card_or_404,
    mapping_or_404,
    panel_of,
    read_uuid,
    tell,
    undo_on_offer,
)
from coupling.wording import WINNERS, recommended_winner
from crmsync.connections.errors import ConnectionProblem
from crmsync.frame.access import COUPLE, may
from crmsync.sync.refusals import RecordOutOfScope, UnableToCouple
from crmsync.terms import FirstWinner


@may(COUPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def couple(request: HttpRequest, mapping: str, record_id: UUID) -> HttpResponse:
    card = card_or_404(mapping, record_id)
    if request.method == "POST":
        return _couple(request, card)
    context = _frame(request, card)
    if card.facts.coupling:
        found = dialog.pair(card, card.facts.coupling.crm_id, FirstWinner.FILL_BLANKS)
        return render(request, "coupling/coupled.html", context | {"pair": found})
    if crm_id := read_uuid(request.GET.get("crm")):
        return _compare(request, card, crm_id, context)
    return _choose(request, card, context)


@may(COUPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest, mapping: str, record_id: UUID) -> HttpResponse:
    """A new row in Sales, after a look at those that it might be a double of."""
    card = card_or_404(mapping, record_id)
    if not card.mapping.creates_in_crm:
        raise Http404
    if card.facts.coupling:
        return redirect("coupling:couple", mapping=mapping, record_id=record_id)
    if request.method != "POST":
        twins = dialog.alike(card.mapping, record_id)
        return render(request, "coupling/create.html", _frame(request, card) | {"twins": twins})
    said = [one for text in request.POST.getlist("not_the_same") if (one := read_uuid(text))]
    try:
        asked = actions.create_in_sales(
            mapping=mapping, record_id=record_id, not_the_same=said, by=request.user.get_username()
        )
    except (RecordOutOfScope, ConnectionProblem) as problem:
        tell(request, problem)
        return redirect("coupling:create", mapping=mapping, record_id=record_id)
    return _follow(mapping, record_id, asked)


@may(COUPLE)
@require_safe
def result(request: HttpRequest, mapping: str, record_id: UUID, job_id: int) -> HttpResponse:
    """What a job made of the record; follows the job while it is under way."""
    card = card_or_404(mapping, record_id)
    found = read_result(card, job_id)
    if found is None:
        raise Http404
    context = _frame(request, card) | {"result": found}
    is_fragment = request.htmx  # type: ignore[attr-defined]  # django_htmx's middleware sets it
    return render(request, f"coupling/{'_result' if is_fragment else 'result'}.html", context)


@may(COUPLE)
@require_POST
def read(request: HttpRequest, mapping: str, record_id: UUID) -> HttpResponse:
    """Have Sales read, so that counterparts can be found."""
    card_or_404(mapping, record_id)
    try:
        asked = actions.read_sales(mapping=mapping, by=request.user.get_username())
    except ConnectionProblem as problem:
        tell(request, problem)
        return redirect("coupling:couple", mapping=mapping, record_id=record_id)
    return _follow(mapping, record_id, asked)


def _choose(request: HttpRequest, card: Card, context: dict[str, Any]) -> HttpResponse:
    typed = request.GET.get("q", "").replace("\0", "").strip()[:TYPED_LENGTH]
    context["typed"] = typed
    if typed:
        context["found"] = dialog.found_by_typing(card.mapping, typed)
    if request.htmx:  # type: ignore[attr-defined]  # django_htmx's middleware sets it
        return render(request, "coupling/_found.html", context)
    if not typed:
        context["suggested"] = dialog.suggested(card.mapping, card.record.pk)
        context["reading"] = dialog.reading(card.mapping)
    return render(request, "coupling/couple.html", context)


def _compare(
    request: HttpRequest, card: Card, crm_id: UUID, context: dict[str, Any]
) -> HttpResponse:
    form = WinnerForm(request.GET)
    recommended = recommended_winner(card.mapping, is_compared=True)
    winner = FirstWinner(form.cleaned_data["winner"]) if form.is_valid() else recommended
    shown = WinnerForm(initial={"winner": winner})
    shown.recommend(recommended)
    context |= {
        "pair": dialog.pair(card, crm_id, winner),
        "winner": winner,
        "winner_says": WINNERS[winner],
        "form": shown,
    }
    is_fragment = request.htmx  # type: ignore[attr-defined]  # django_htmx's middleware sets it
    return render(request, f"coupling/{'_pair' if is_fragment else 'compare'}.html", context)


def _couple(request: HttpRequest, card: Card) -> HttpResponse:
    mapping, record_id = card.mapping.name, card.record.pk
    form = CoupleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was coupled: choose the row in Sales again."))
        return redirect("coupling:couple", mapping=mapping, record_id=record_id)
    try:
        actions.couple_record(
            mapping=mapping,
            record_id=record_id,
            crm_id=form.cleaned_data["crm"],
            first_winner=FirstWinner(form.cleaned_data["winner"]),
            by=request.user.get_username(),
        )
    except UnableToCouple as error:
        tell(request, error)
        return redirect("coupling:couple", mapping=mapping, record_id=record_id)
    messages.success(request, _("%(number)s is coupled.") % {"number": card.number})
    if not form.cleaned_data["synchronizes"]:
        return redirect("coupling:couple", mapping=mapping, record_id=record_id)
    return _synchronize(request, mapping, record_id)


def _synchronize(request: HttpRequest, mapping: str, record_id: UUID) -> HttpResponse:
    try:
        by = request.user.get_username()
        asked = actions.synchronize(mapping=mapping, record_ids=[record_id], by=by)
    except ConnectionProblem as problem:
        tell(request, problem)
        return redirect("coupling:couple", mapping=mapping, record_id=record_id)
    return _follow(mapping, record_id, asked)


def _follow(mapping: str, record_id: UUID, asked: actions.Asked) -> HttpResponse:
    return redirect("coupling:result", mapping=mapping, record_id=record_id, job_id=asked.job.pk)


def _frame(request: HttpRequest, card: Card) -> dict[str, Any]:
    return {
        "mapping": mapping_or_404(card.mapping.name),
        "panel": panel_of(card),
        "outside": out_of_scope(card.mapping, card.record),
        "undo": undo_on_offer(request, card.mapping),
        "here": request.path,
    }
