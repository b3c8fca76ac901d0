"""Synchronization Jobs: all of them, one, and its records."""

import zlib
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crmsync.frame.access import OPERATE, may
from crmsync.mapping.registry import all_mappings
from crmsync.sync import jobs as work
from crmsync.terms import PhaseName
from fullsync import words
from fullsync.queries.jobs import TABS, JobReport, job_page, job_report
from fullsync.queries.records import RESTORED, record_page
from fullsync.views.back import is_fragment, number

WAYS = {"to-crm": PhaseName.TO_CRM, "from-crm": PhaseName.FROM_CRM}


@may(OPERATE)
def jobs(request: HttpRequest) -> HttpResponse:
    tab, table = request.GET.get("tab", ""), request.GET.get("table", "")
    tab = tab if tab in TABS else ""
    tables = {mapping.name: mapping.caption for mapping in all_mappings()}
    table = table if table in tables else ""
    page = job_page(tab=tab, mapping=table, before=number(request, "before"))
    tabs = [(name, word, page.counts[name]) for name, word in words.JOB_TABS.items()]
    context = {"page": page, "tab": tab, "table": table, "tables": tables.items(), "tabs": tabs}
    return render(request, "fullsync/jobs.html", context)


@may(OPERATE)
def job(request: HttpRequest, job_id: int) -> HttpResponse:
    found = _found(job_id)
    announcement = f"{found.summary.table}: {found.summary.said.word}"
    said = f"{zlib.crc32(announcement.encode()):08x}"
    context: dict[str, Any] = {
        "found": found,
        "job": found.job,
        "announcement": announcement,
        "announces": request.GET.get("said") != said,
        "is_fragment": is_fragment(request),
        "live_url": f"{request.path}?said={said}",
    }
    template = "fullsync/_job.html" if is_fragment(request) else "fullsync/job.html"
    return render(request, template, context)


@may(OPERATE)
def records(request: HttpRequest, job_id: int, way: str) -> HttpResponse:
    page = record_page(
        job_id,
        WAYS[way],
        outcome=request.GET.get("outcome", ""),
        after=number(request, "after"),
    )
    if page is None:
        raise Http404
    tabs = [*page.counts.items(), (RESTORED, None)]
    if page.outcome not in dict(tabs):
        tabs.insert(0, (page.outcome, 0))
    context = {"page": page, "job": page.job, "way": way, "tabs": tabs}
    return render(request, "fullsync/records.html", context)


@may(OPERATE)
def cancel_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET asks, POST does it."""
    if request.method != "POST":
        return render(request, "fullsync/cancel_job.html", {"found": _found(job_id)})
    if work.cancel(job_id=job_id):
        messages.success(request, _("The job is cancelled. What was written stays."))
    else:
        messages.info(request, _("The job is over already."))
    return redirect("fullsync:job", job_id=job_id)


def _found(job_id: int) -> JobReport:
    found = job_report(job_id)
    if found is None:
        raise Http404
    return found
