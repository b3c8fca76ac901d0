"""Coupled Data Synchronization Errors: what waits for somebody, and what can be done about it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_POST

from crmsync.connections.errors import ConnectionProblem
from crmsync.frame.access import COUPLE, OPERATE, may
from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.sync.models import Job
from crmsync.sync.refusals import Refused
from crmsync.terms import FirstWinner
from fullsync import retries, words
from fullsync.forms import AnswerForm, CauseForm, ChosenForm, LeaveOutForm, OneForm
from fullsync.queries import attention
from fullsync.queries.search import find
from fullsync.retries import Retried, Settled
from fullsync.views import undo
from fullsync.views.back import back, number, tell

PAGE = "fullsync:errors"


@may(OPERATE, COUPLE)
def errors(request: HttpRequest) -> HttpResponse:
    tables = {mapping.name: mapping.caption for mapping in all_mappings()}
    chosen = _filter(request, set(tables))
    causes = attention.causes(chosen)
    tabs = [("", pgettext("records", "All"), causes.total)]
    tabs += [
        (outcome.value, str(words.OUTCOME_TABS[outcome]), causes.by_outcome.get(outcome, 0))
        for outcome in attention.OUTCOMES
    ]
    context = {
        "chosen": chosen,
        "causes": causes,
        "page": attention.attention_page(chosen, after=number(request, "after")),
        "tabs": tabs,
        "tables": [(name, text, causes.by_mapping.get(name, 0)) for name, text in tables.items()],
        "can_undo": undo.on_offer(request) is not None,
    }
    return render(request, "fullsync/errors.html", context)


def _filter(request: HttpRequest, tables: set[str]) -> attention.Filter:
    """What the address asks for; what means nothing is left out."""
    outcome, table = request.GET.get("outcome", ""), request.GET.get("table", "")
    return attention.Filter(
        outcome=outcome if outcome in set(attention.OUTCOMES) else "",
        mapping=table if table in tables else "",
        code=request.GET.get("code", "")[:60].replace("\0", ""),
    )


@may(OPERATE, COUPLE)
def search(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "")[:100].replace("\0", "").strip()
    found = find(text)
    hits = [(hit, *words.VERDICTS[hit.verdict]) for hit in found.hits]
    context = {"text": text, "hits": hits, "has_more": found.has_more}
    return render(request, "fullsync/search.html", context)


@may(OPERATE, COUPLE)
@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    form = ChosenForm(request.POST)
    try:
        ids = form.ids if form.is_valid() else []
        _say(request, retries.retry(obstacle_ids=ids, by=request.user.get_username()))
    except (Refused, ConnectionProblem) as refused:
        tell(request, refused)
    return back(request, PAGE)


@may(OPERATE, COUPLE)
@require_POST
def retry_cause(request: HttpRequest) -> HttpResponse:
    form = CauseForm(request.POST)
    try:
        if form.is_valid():
            by = request.user.get_username()
            _say(request, retries.retry_cause(**form.cleaned_data, by=by))
        else:
            messages.error(request, _("There is no such cause. Load the page again."))
    except (Refused, ConnectionProblem) as refused:
        tell(request, refused)
    return back(request, PAGE)


@may(COUPLE)
@require_POST
def settle(request: HttpRequest, winner: FirstWinner) -> HttpResponse:
    form = AnswerForm(request.POST)
    try:
        done = retries.settle(
            answers=form.cleaned_data["answers"] if form.is_valid() else {},
            winner=winner,
            by=request.user.get_username(),
        )
        _say_settled(request, done)
    except (Refused, ConnectionProblem) as refused:
        tell(request, refused)
    return back(request, PAGE)


@may(COUPLE)
@require_POST
def leave_out(request: HttpRequest) -> HttpResponse:
    """Without a reason it asks for one, with one it is done."""
    form = LeaveOutForm(request.POST if "reason" in request.POST else None)
    chosen = ChosenForm(request.POST)
    ids = chosen.ids if chosen.is_valid() else []
    try:
        if not form.is_valid():
            records = attention.told(retries.chosen(obstacle_ids=ids))
            context = {"form": form, "records": records, "back": request.POST.get("back", "")}
            return render(request, "fullsync/leave_out.html", context)
        reason, by = form.cleaned_data["reason"], request.user.get_username()
        count = retries.leave_out_many(obstacle_ids=ids, reason=reason, by=by)
        sentence = ngettext(
            "%(n)d record is left out of synchronization.",
            "%(n)d records are left out of synchronization.",
            count,
        )
        messages.success(request, sentence % {"n": count})
    except Refused as refused:
        tell(request, refused)
    return back(request, PAGE)


@may(COUPLE)
@require_POST
def uncouple(request: HttpRequest) -> HttpResponse:
    """Of one record: what cannot be taken back is not done to many by one slip."""
    form = OneForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Delete Coupling takes one record at a time."))
        return back(request, PAGE)
    try:
        done = retries.uncouple(obstacle_id=form.cleaned_data["one"])
    except Refused as refused:
        tell(request, refused)
        return back(request, PAGE)
    if done is None:
        messages.info(request, _("The record is not coupled any more."))
    elif done.can_come_back:
        undo.offer(request, done.coupling_id)
    else:
        messages.success(request, _("The coupling is deleted. No record was changed."))
    return back(request, PAGE)


@may(COUPLE)
@require_POST
def couple_again(request: HttpRequest) -> HttpResponse:
    """Take the last Delete Coupling of this page back."""
    coupling_id = undo.take(request)
    if coupling_id is None:
        messages.warning(request, _("There is nothing to undo any more."))
        return back(request, PAGE)
    try:
        retries.couple_again(coupling_id=coupling_id, by=request.user.get_username())
        messages.success(request, _("The coupling is back."))
    except Refused as refused:
        tell(request, refused)
    return back(request, PAGE)


def _say_settled(request: HttpRequest, done: Settled) -> None:
    if done.answers:
        sentence = ngettext("Your answer is kept.", "Your %(n)d answers are kept.", done.answers)
        messages.success(request, sentence % {"n": done.answers})
    for one in done.refused:
        messages.error(request, f"{one.record}: {one.sentence} {one.remedy}".strip())
    for job in done.retried.jobs:
        sentence = _("Job %(number)d of %(table)s is asked for; it writes what you answered.")
        messages.info(request, sentence % _named(job))
    for busy in done.retried.busy:
        sentence = _(
            "Job %(number)d of %(table)s is under way. If it had passed the record already, the "
            "next synchronization of the table writes your answer."
        )
        messages.warning(request, sentence % _named(busy.job))


def _say(request: HttpRequest, done: Retried) -> None:
    """What was asked for, and what must wait for a job that is under way."""
    for job in done.jobs:
        sentence = _("Job %(number)d of %(table)s is asked for; it tries the records again.")
        messages.info(request, sentence % _named(job))
    for busy in done.busy:
        if busy.tries_them:
            sentence = _(
                "Job %(number)d of %(table)s is under way and walks these records, too. Retry "
                "again if it had passed them already."
            )
        else:
            sentence = _(
                "Job %(number)d of %(table)s is under way, and does not try these records again. "
                "Retry when it is over."
            )
        messages.warning(request, sentence % _named(busy.job))


def _named(job: Job) -> dict[str, object]:
    return {"number": job.pk, "table": get_mapping(job.mapping).caption}
