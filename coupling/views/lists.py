"""The list of a table, with the panel of one row."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from coupling.listing import panel_of_row, show_list
from coupling.liststate import read_state
from coupling.panel import Panel
from coupling.queries.cards import read_card
from coupling.queries.lists import ListPage, count_tabs, read_page
from coupling.views.parts import mapping_or_404, panel_of, undo_on_offer
from crmsync.frame.access import COUPLE, OPERATE, may
from crmsync.mapping.types import TableMapping


@may(COUPLE, OPERATE)
@require_safe
def records(request: HttpRequest, mapping: str) -> HttpResponse:
    declared = mapping_or_404(mapping)
    state = read_state(declared, request.GET)
    page = read_page(declared, state)
    context = {
        "mapping": declared,
        "listing": show_list(declared, state, page, count_tabs(declared)),
        "panel": _selected(declared, state.selected, page),
        "undo": undo_on_offer(request, declared),
        "here": request.get_full_path(),
    }
    htmx = request.htmx  # type: ignore[attr-defined]  # django_htmx's middleware sets it
    is_fragment = htmx and not htmx.history_restore_request
    return render(request, f"coupling/{'_records' if is_fragment else 'list'}.html", context)


def _selected(mapping: TableMapping, record_id: UUID | None, page: ListPage) -> Panel | None:
    """The panel of the row; read on its own when the row is not on this page."""
    if record_id is None:
        return None
    for row in page.rows:
        if row.place.record_id == record_id:
            return panel_of_row(mapping, row)
    card = read_card(mapping, record_id)
    return panel_of(card) if card else None
