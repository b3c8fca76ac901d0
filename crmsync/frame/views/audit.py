"""The audit log, to read and to take away: for administrators."""

import csv
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from crmsync.audit import queries
from crmsync.frame.access import SET_UP, only
from crmsync.frame.forms import AuditForm

# Spreadsheets take a text without this mark for one in the character set of the country.
BYTE_ORDER_MARK = "\ufeff"


class _Echo:
    """What the csv module takes for a file: it hands back what it is given."""

    def write(self, line: str) -> str:
        return line


@only(SET_UP)
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    form = AuditForm(request.GET)
    chosen = form.chosen
    before = form.cleaned_data.get("before")
    context = {
        "form": form,
        "page": queries.read_page(chosen, before=before),
        "query": _query(chosen),
        "is_chosen": chosen != queries.Chosen(),
        "is_moved": before is not None,
    }
    return render(request, "frame/audit.html", context)


@only(SET_UP)
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    form = AuditForm(request.GET)
    chosen = form.chosen
    if not form.is_valid():
        return redirect(f"{reverse('frame:audit')}?{request.GET.urlencode()}")
    return StreamingHttpResponse(
        _csv(queries.rows_of_export(chosen)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit-log.csv"'},
    )


def _csv(rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK
    for row in rows:
        yield str(writer.writerow(row))


def _query(chosen: queries.Chosen) -> str:
    """What was chosen, for links to other pages of it."""
    asked = {"who": chosen.who, "act": chosen.act, "day": chosen.day or ""}
    return urlencode({name: value for name, value in asked.items() if value})
