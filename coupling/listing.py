"""A list as its page shows it: tabs, columns, rows and where every link leads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from coupling.liststate import ListState, Tab, sortable
from coupling.panel import Panel, show_panel, status_of
from coupling.queries.lists import Counts, ListPage, ListRow
from coupling.wording import shown_value
from crmsync.mapping.captions import caption_of
from crmsync.mapping.conversions import Phone
from crmsync.mapping.types import TableMapping
from crmsync.mapping.values import is_number
from crmsync.sync.errors import cause

TAB_CAPTIONS: dict[Tab, Promise] = {
    # Each names many records, which Danish says with another word than of one.
    Tab.ALL: pgettext_lazy("records", "All"),
    Tab.UNCOUPLED: pgettext_lazy("records", "Not coupled"),
    Tab.SUGGESTED: pgettext_lazy("records", "Suggested"),
    Tab.COUPLED: pgettext_lazy("records", "Coupled"),
    Tab.ATTENTION: pgettext_lazy("records", "Needs attention"),
    Tab.LEFT_OUT: pgettext_lazy("records", "Left out"),
}


@dataclass(frozen=True, slots=True)
class ShownTab:
    caption: str
    query: str
    count: int | None
    is_here: bool


@dataclass(frozen=True, slots=True)
class Column:
    """``query`` sorts by it, blank where it cannot be; ``order`` is what aria-sort says."""

    caption: str
    query: str
    order: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """``is_whole``: read at one glance, so never broken over lines."""

    caption: str
    value: str
    is_number: bool
    is_whole: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """``query`` selects the row; ``causes`` are titles of what stands in its way."""

    record_id: UUID
    number: str
    title: str
    cells: tuple[Cell, ...]
    status: tuple[str, str]
    counterpart: str
    causes: tuple[str, ...]
    query: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class Listing:
    mapping: TableMapping
    state: ListState
    tabs: tuple[ShownTab, ...]
    columns: tuple[Column, ...]
    rows: tuple[ShownRow, ...]
    previous: str
    following: str
    total: int | None
    waiting_there: int

    @property
    def is_without_records(self) -> bool:
        return self.total == 0 and not self.rows

    @property
    def is_moved(self) -> bool:
        """Whether rows come from further on than the first page."""
        return bool(self.state.after or self.state.before)


def show_list(mapping: TableMapping, state: ListState, page: ListPage, counts: Counts) -> Listing:
    # Said once: fifty rows would look each of them up again.
    listed = {
        name: (caption_of(mapping, name), is_number(mapping, name), _is_phone(mapping, name))
        for name in mapping.listed
    }
    return Listing(
        mapping=mapping,
        state=state,
        tabs=tuple(
            ShownTab(
                str(TAB_CAPTIONS[tab]),
                state.of_tab(tab).query,
                counts.by_tab.get(tab),
                tab is state.tab,
            )
            for tab in Tab
        ),
        columns=tuple(_columns(mapping, state)),
        rows=tuple(_row(mapping, state, row, listed) for row in page.rows),
        previous=state.moved(before=page.previous).query if page.previous else "",
        following=state.moved(after=page.following).query if page.following else "",
        total=counts.by_tab.get(Tab.ALL),
        waiting_there=counts.waiting_there,
    )


def panel_of_row(mapping: TableMapping, row: ListRow) -> Panel:
    return show_panel(
        mapping,
        record_id=row.values["id"],
        number=str(row.values[mapping.number]),
        title=str(row.values[mapping.title]),
        facts=row.facts,
    )


def _is_phone(mapping: TableMapping, field: str) -> bool:
    return any(one.ledger == field and isinstance(one.conversion, Phone) for one in mapping.fields)


def _columns(mapping: TableMapping, state: ListState) -> Iterator[Column]:
    can_be_sorted = sortable(mapping)
    for name in (mapping.number, mapping.title, *mapping.listed):
        order = "descending" if state.is_descending else "ascending"
        yield Column(
            caption_of(mapping, name),
            state.sorted_by(name).query if name in can_be_sorted else "",
            order if name == state.sort else "",
            is_number(mapping, name),
        )


def _row(
    mapping: TableMapping,
    state: ListState,
    row: ListRow,
    listed: Mapping[str, tuple[str, bool, bool]],
) -> ShownRow:
    coupling = row.facts.coupling
    suggestion = row.facts.suggestion
    named = coupling or suggestion
    return ShownRow(
        record_id=row.values["id"],
        number=str(row.values[mapping.number]),
        title=str(row.values[mapping.title]),
        cells=tuple(
            Cell(caption, shown_value(mapping, name, row.values[name]), is_number, is_whole)
            for name, (caption, is_number, is_whole) in listed.items()
        ),
        status=status_of(row.facts),
        counterpart=named.crm_title if named else "",
        causes=tuple(cause(one.code).title for one in row.facts.obstacles),
        query=state.with_row(row.values["id"]).query,
        is_selected=row.values["id"] == state.selected,
    )
