"""Match-Based Coupling: find suggestions, review them, couple what a person ticked."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from coupling import services
from coupling.errors import AlreadyMatching, MatchingProblem, NoSuggestion
from coupling.match_forms import AcceptForm, as_criteria, criterion_forms
from coupling.matching import Certainty
from coupling.queries.lists import forget_counts
from coupling.queries.match import Review, ids_on_page, review
from crmsync.frame.access import COUPLE, may
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import jobs
from crmsync.terms import ACTIVE_STATES, FirstWinner


@require_GET
@may(COUPLE)
def match(request: HttpRequest, mapping: str) -> HttpResponse:
    found = _review(request, mapping)
    context = {"review": found, "form": AcceptForm(initial=_recommended(found.mapping))}
    return render(request, "coupling/match.html", context)


@require_GET
@may(COUPLE)
def match_state(request: HttpRequest, mapping: str) -> HttpResponse:
    """Polled while a run is under way; the page is loaded anew when it is over."""
    matching = services.latest_matching(mapping=_mapping(mapping).name)
    if matching is None or matching.state not in ACTIVE_STATES:
        return HttpResponseClientRefresh()
    context = {"matching": matching, "mapping": _mapping(mapping)}
    return render(request, "coupling/_match_state.html", context)


@require_POST
@may(COUPLE)
def match_find(request: HttpRequest, mapping: str) -> HttpResponse:
    try:
        services.request_matching(mapping=_mapping(mapping).name, by=request.user.get_username())
    except AlreadyMatching as error:
        messages.info(request, str(error))
    return redirect("coupling:match", mapping=mapping)


@require_POST
@may(COUPLE)
def match_decide(request: HttpRequest, mapping: str) -> HttpResponse:
    """Keep the ticks of the page, then do what the button says."""
    declared = _mapping(mapping)
    shown = set(ids_on_page(request.POST.getlist("shown")))
    chosen = shown & set(ids_on_page(request.POST.getlist("chosen")))
    services.choose(
        mapping=mapping, ledger_ids_on=list(chosen), ledger_ids_off=list(shown - chosen)
    )
    for name, act in _ACTS.items():
        if name in request.POST:
            act(request, declared)
            forget_counts(mapping)
    return redirect(_address(request, mapping))


@may(COUPLE)
def match_criteria(request: HttpRequest, mapping: str) -> HttpResponse:
    declared = _mapping(mapping)
    criteria = services.criteria_of(mapping=mapping)
    data = request.POST if request.method == "POST" else None
    made = criterion_forms(declared, criteria, data)
    problem: MatchingProblem | None = None
    if request.method == "POST" and "reset" in request.POST:
        services.reset_criteria(mapping=mapping)
        return redirect("coupling:match-criteria", mapping=mapping)
    is_valid = [form.is_valid() for form in made]  # each of them, so that each shows its errors
    if request.method == "POST" and all(is_valid):
        try:
            services.save_criteria(
                mapping=mapping, fields=as_criteria(made), by=request.user.get_username()
            )
            return match_find(request, mapping)
        except MatchingProblem as error:
            problem = error
    context = {"mapping": declared, "criteria": made, "problem": problem}
    return render(request, "coupling/match_criteria.html", context)


def _accept(request: HttpRequest, mapping: TableMapping) -> None:
    form = AcceptForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say who wins at the first synchronization."))
        return
    accepted = services.accept_chosen(
        mapping=mapping.name,
        first_winner=FirstWinner(form.cleaned_data["first_winner"]),
        by=request.user.get_username(),
    )
    _tell(request, accepted)
    if form.cleaned_data["synchronize"] and accepted.coupled:
        _synchronize(request, mapping)


def _tell(request: HttpRequest, accepted: services.Accepted) -> None:
    said = ngettext("%(n)s pair is coupled.", "%(n)s pairs are coupled.", accepted.coupled)
    messages.success(request, said % {"n": accepted.coupled})
    if accepted.refused:
        said = ngettext(
            "%(n)s pair was refused; its reason stands beside it.",
            "%(n)s pairs were refused; their reasons stand beside them.",
            len(accepted.refused),
        )
        messages.warning(request, said % {"n": len(accepted.refused)})
    if accepted.left:
        said = _("%(n)s chosen pairs are left: couple the next ones.") % {"n": accepted.left}
        messages.info(request, said)


def _synchronize(request: HttpRequest, mapping: TableMapping) -> None:
    try:
        jobs.request(mapping=mapping.name, by=request.user.get_username())
        messages.info(request, _("They are synchronized in the background now."))
    except jobs.AlreadyActive:
        messages.info(
            request, _("A synchronization of this table is under way; start another one after it.")
        )


def _tick(request: HttpRequest, mapping: TableMapping) -> None:
    certainty = request.POST.get("tick_all", "")
    if certainty in set(Certainty):
        services.choose_all(mapping=mapping.name, certainty=Certainty(certainty), is_chosen=True)


def _untick(request: HttpRequest, mapping: TableMapping) -> None:
    certainty = request.POST.get("untick_all", "")
    if certainty in set(Certainty):
        services.choose_all(mapping=mapping.name, certainty=Certainty(certainty), is_chosen=False)


def _dismiss(request: HttpRequest, mapping: TableMapping) -> None:
    for ledger_id in ids_on_page([request.POST.get("dismiss", "")]):
        try:
            services.dismiss(
                mapping=mapping.name, ledger_id=ledger_id, by=request.user.get_username()
            )
            messages.success(request, _("Noted: these two are not the same."))
        except NoSuggestion as error:
            messages.warning(request, f"{error} {error.remedy}")


_ACTS: dict[str, Callable[[HttpRequest, TableMapping], None]] = {
    "accept": _accept,
    "tick_all": _tick,
    "untick_all": _untick,
    "dismiss": _dismiss,
}


def _recommended(mapping: TableMapping) -> dict[str, str]:
    """Where values only come from Sales, Sales wins; otherwise nothing is overwritten."""
    if not mapping.direction.writes_crm:
        return {"first_winner": FirstWinner.CRM}
    return {"first_winner": FirstWinner.FILL_BLANKS}


def _review(request: HttpRequest, mapping: str) -> Review:
    return review(
        mapping=_mapping(mapping),
        tab=request.GET.get("tab", ""),
        after=request.GET.get("after", ""),
    )


def _address(request: HttpRequest, mapping: str) -> str:
    """Back to the tab, and to the next page when that was asked for."""
    address = reverse("coupling:match", kwargs={"mapping": mapping})
    tab = request.POST.get("tab", "")
    after = request.POST.get("next") or request.POST.get("after", "")
    query = {name: value for name, value in (("tab", tab), ("after", after)) if value}
    return f"{address}?{urlencode(query)}" if query else address


def _mapping(name: str) -> TableMapping:
    try:
        declared = get_mapping(name)
    except LookupError as error:
        raise Http404 from error
    if not declared.match_on:
        raise Http404
    return declared
