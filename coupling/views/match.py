"""Match-Based Coupling: find suggestions, review them, couple what a person ticked."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from coupling import services
from coupling.errors import AlreadyMatching, MatchingProblem
from coupling.match_forms import (
    AcceptForm,
    accept_form,
    as_criteria,
    as_decision,
    criterion_forms,
    place_of,
    tab_of,
)
from coupling.queries.match import forget_review, review
from coupling.views.parts import mapping_or_404, tell
from crmsync.connections.errors import ConnectionProblem
from crmsync.frame.access import COUPLE, may
from crmsync.mapping.types import TableMapping
from crmsync.terms import ACTIVE_STATES


@may(COUPLE)
@require_safe
def match(request: HttpRequest, mapping: str) -> HttpResponse:
    found = review(
        mapping=_matched(mapping),
        tab=tab_of(request.GET.get("tab", "")),
        after=place_of(request.GET.get("after", "")),
    )
    return render(request, "coupling/match.html", {"review": found, "form": accept_form(found)})


@may(COUPLE)
@require_safe
def match_state(request: HttpRequest, mapping: str) -> HttpResponse:
    """Polled while a run is under way; the page is loaded anew when it is over."""
    declared = _matched(mapping)
    matching = services.latest_matching(mapping=mapping)
    if matching is None or matching.state not in ACTIVE_STATES:
        return HttpResponseClientRefresh()
    context = {"matching": matching, "mapping": declared}
    return render(request, "coupling/_match_state.html", context)


@may(COUPLE)
@require_POST
def match_find(request: HttpRequest, mapping: str) -> HttpResponse:
    declared = _matched(mapping)
    try:
        services.find_matches(mapping=declared.name, by=request.user.get_username())
    except AlreadyMatching as error:
        messages.info(request, str(error))
    except ConnectionProblem as problem:
        tell(request, problem)
    return redirect("coupling:match", mapping=mapping)


@may(COUPLE)
@require_POST
def match_decide(request: HttpRequest, mapping: str) -> HttpResponse:
    """Keep the ticks of the page, then do what the button says."""
    declared = _matched(mapping)
    accepting = AcceptForm(request.POST) if "accept" in request.POST else None
    try:
        decided = services.decide(
            mapping=declared.name,
            decision=as_decision(request.POST, accepting),
            by=request.user.get_username(),
        )
    except MatchingProblem as error:
        forget_review(mapping)  # what it told was not so any more
        messages.warning(request, f"{error} {error.remedy}")
    else:
        _tell(request, decided, accepting)
    return redirect(_address(request, mapping))


@may(COUPLE)
@require_http_methods(["GET", "HEAD", "POST"])
def match_criteria(request: HttpRequest, mapping: str) -> HttpResponse:
    declared = _matched(mapping)
    if "reset" in request.POST:
        services.reset_criteria(mapping=mapping)
        return redirect("coupling:match-criteria", mapping=mapping)
    data = request.POST if request.method == "POST" else None
    made = criterion_forms(declared, services.criteria_of(mapping=mapping), data)
    context = {"mapping": declared, "criteria": made}
    is_valid = [form.is_valid() for form in made]  # each of them, so that each shows its errors
    if data is None or not all(is_valid):
        return render(request, "coupling/match_criteria.html", context)
    try:
        by = request.user.get_username()
        services.match_by(mapping=mapping, fields=as_criteria(made), by=by)
    except AlreadyMatching as error:
        messages.info(request, str(error))
    except ConnectionProblem as problem:
        tell(request, problem)
    except MatchingProblem as error:
        return render(request, "coupling/match_criteria.html", context | {"problem": error})
    return redirect("coupling:match", mapping=mapping)


def _tell(request: HttpRequest, decided: services.Decided, accepting: AcceptForm | None) -> None:
    if decided.gone:
        said = ngettext(
            "%(n)s pair of the page is not suggested any more; nothing became of it.",
            "%(n)s pairs of the page are not suggested any more; nothing became of them.",
            decided.gone,
        )
        messages.warning(request, said % {"n": decided.gone})
    for sentences in accepting.errors.values() if accepting else ():
        for sentence in sentences:
            messages.error(request, str(sentence))
    if decided.is_dismissed:
        messages.success(request, _("Noted: these two are not the same."))
    if decided.accepted:
        _tell_accepted(request, decided.accepted)
    _tell_synchronized(request, decided)


def _tell_synchronized(request: HttpRequest, decided: services.Decided) -> None:
    if decided.problem:
        tell(request, decided.problem)
    elif decided.is_synchronized:
        messages.info(request, _("They are synchronized in the background now."))
    elif decided.is_synchronized is False:
        messages.info(
            request, _("A synchronization of this table is under way; start another one after it.")
        )


def _tell_accepted(request: HttpRequest, accepted: services.Accepted) -> None:
    if accepted.coupled:
        said = ngettext("%(n)s pair is coupled.", "%(n)s pairs are coupled.", accepted.coupled)
        messages.success(request, said % {"n": accepted.coupled})
    elif not accepted.refused:
        messages.warning(request, _("Nothing was coupled: no pair is ticked."))
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


def _address(request: HttpRequest, mapping: str) -> str:
    """Back to the tab, and to the next page when that was asked for."""
    address = reverse("coupling:match", kwargs={"mapping": mapping})
    tab = tab_of(request.POST.get("tab", ""))
    after = place_of(request.POST.get("next") or request.POST.get("after", ""))
    query = {name: value for name, value in (("tab", tab), ("after", after)) if value}
    return f"{address}?{urlencode(query)}" if query else address


def _matched(name: str) -> TableMapping:
    """Only tables whose pairs people approve have these pages."""
    declared = mapping_or_404(name)
    if not declared.match_on:
        raise Http404
    return declared
