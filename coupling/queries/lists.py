"""The rows of a list page by page, and how many stand under each tab."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.core.cache import cache
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Value

from coupling.liststate import ListState, Place, Tab
from coupling.models import Suggestion
from coupling.queries.facts import Facts, facts_of, live, parents_of, with_facts
from coupling.suggestions import open_suggestions
from crmsync.ledger.models import LedgerRecord
from crmsync.mapping.conversions import Text
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Coupling, LeftOut, Obstacle
from crmsync.terms import Side

PAGE_ROWS = 50
# Counts hold for so many times the seconds that counting took, and no longer than the latter.
COUNTS_TIMES = 20
COUNTS_SECONDS = 10

Records = QuerySet[LedgerRecord]


@dataclass(frozen=True, slots=True)
class ListRow:
    """A record with its facts and its values by column; a lookup's value is the number there."""

    values: Mapping[str, Any]
    facts: Facts
    place: Place


@dataclass(frozen=True, slots=True)
class ListPage:
    """At most fifty rows; ``previous`` and ``following`` are where the neighbours begin."""

    rows: tuple[ListRow, ...]
    previous: Place | None
    following: Place | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Records by tab; ``waiting_there`` are rows in Sales alone that need attention."""

    by_tab: Mapping[Tab, int]
    waiting_there: int


NOT_COUNTED_YET = Counts({}, 0)


def read_page(mapping: TableMapping, state: ListState) -> ListPage:
    """One query: the inner one picks the page's ids, the outer one asks about those alone."""
    records = _found(mapping, _of_tab(mapping, state.tab), state.typed)
    place, is_backward = (state.before, True) if state.before else (state.after, False)
    is_descending = state.is_descending != is_backward
    order = [f"-{state.sort}", "-pk"] if is_descending else [state.sort, "pk"]
    if place:
        records = records.filter(_beyond(state.sort, place, is_descending=is_descending))
    ids = records.order_by(*order).values("pk")[: PAGE_ROWS + 1]
    chosen = with_facts(mapping, mapping.ledger._default_manager.filter(pk__in=ids))
    computed = {name: mapping.computed[name] for name in mapping.listed if name in mapping.computed}
    rows = [
        _row(mapping, state, one) for one in chosen.annotate(**computed).order_by(*order).values()
    ]
    has_more, rows = len(rows) > PAGE_ROWS, rows[:PAGE_ROWS]
    if is_backward:
        rows.reverse()
    return ListPage(
        tuple(rows),
        previous=rows[0].place if rows and (has_more if is_backward else place) else None,
        following=rows[-1].place if rows and (is_backward or has_more) else None,
    )


def count_tabs(mapping: TableMapping) -> Counts:
    """How many records each tab holds, some ten seconds old at most; of few records, as it is now.

    With 100,000 records counting is the dearest part of the page, and every sort, search and page
    of a list would repeat it. The numbers lead people to a tab, they decide nothing; what somebody
    changes by these pages is counted anew by the next request, see ``forget_counts``. While one
    counts, the others go on with the older numbers, or with none: twenty who came at once would
    all count for seconds.
    """
    counts: Counts | None = cache.get(_cached(mapping.name))
    if cache.add(_fresh(mapping.name), 1, COUNTS_SECONDS):
        began = monotonic()
        counts = _count_tabs(mapping)
        cache.set(_cached(mapping.name), counts, None)
        lifetime = COUNTS_TIMES * (monotonic() - began)
        # Touched, not set: what was forgotten while it was counted stays forgotten.
        cache.touch(_fresh(mapping.name), min(lifetime, COUNTS_SECONDS))
    return counts or NOT_COUNTED_YET


def forget_counts(mapping: str) -> None:
    cache.delete(_fresh(mapping))


def _fresh(mapping: str) -> str:
    return f"{_cached(mapping)}.fresh"


def _cached(mapping: str) -> str:
    return f"coupling.counts.{mapping}"


def _count_tabs(mapping: TableMapping) -> Counts:
    """In one question. Not coupled are all but the coupled and the left out: that need not be
    looked at record by record. Nor are the coupled asked whether they are being created: the few
    that are, are counted and taken off.
    """
    left_out = _left_out(mapping, Side.LEDGER).values("record_id")
    records = mapping.ledger._default_manager
    questions: dict[str, QuerySet[Any]] = {
        tab.value: _of_tab(mapping, tab) for tab in Tab if tab is not Tab.UNCOUPLED
    }
    questions[Tab.COUPLED.value] = records.filter(Exists(live(mapping)))
    questions["creating"] = records.filter(pk__in=_intents(mapping).values("ledger_id"))
    questions["aside"] = records.filter(~Exists(_coupled(mapping)), pk__in=left_out)
    questions["there"] = _waiting_there(mapping)
    counted = [
        rows.order_by()
        .annotate(tab=Value(name, CharField()))
        .values("tab")
        .annotate(n=Count("pk"))
        .values_list("tab", "n")
        for name, rows in questions.items()
    ]
    counts = dict.fromkeys(questions, 0) | dict(counted[0].union(*counted[1:], all=True))
    counts[Tab.COUPLED] -= counts.pop("creating")
    uncoupled = counts[Tab.ALL] - counts[Tab.COUPLED] - counts.pop("aside")
    there = counts.pop("there")
    return Counts({Tab(name): n for name, n in counts.items()} | {Tab.UNCOUPLED: uncoupled}, there)


def _waiting_there(mapping: TableMapping) -> QuerySet[Obstacle]:
    """Rows in Sales that need attention and are no record's here: no tab lists them."""
    coupled = Coupling.objects.filter(
        crm_table=mapping.crm.logical_name, crm_id=OuterRef("record_id"), removed_at__isnull=True
    )
    return Obstacle.objects.filter(~Exists(coupled), mapping=mapping.name, side=Side.CRM)


def _intents(mapping: TableMapping) -> QuerySet[Coupling]:
    return Coupling.objects.filter(mapping=mapping.name, removed_at__isnull=True, is_intent=True)


def _coupled(mapping: TableMapping) -> QuerySet[Coupling]:
    """As on Home: a coupling whose row is still being created is none yet."""
    return live(mapping).filter(is_intent=False)


def _of_tab(mapping: TableMapping, tab: Tab) -> Records:
    records: Records = mapping.ledger._default_manager.all()
    if tab is Tab.UNCOUPLED:
        # A difference of sets: where nearly all are coupled, asking record by record in the order
        # of the page would walk the whole table for the few that are not.
        coupled = Coupling.objects.filter(
            mapping=mapping.name, removed_at__isnull=True, is_intent=False
        )
        left_out = _left_out(mapping, Side.LEDGER)
        uncoupled = records.values("pk").difference(
            coupled.values("ledger_id"), left_out.values("record_id")
        )
        return records.filter(pk__in=uncoupled)
    if tab is Tab.COUPLED:
        return records.filter(Exists(_coupled(mapping)))
    if tab is Tab.SUGGESTED:
        # The first condition is cheap and names few or many; the second asks about those alone,
        # in the order of the page, and stops when the page is full.
        suggested = Suggestion.objects.filter(mapping=mapping.name).values("ledger_id")
        open_one = open_suggestions(mapping.name).filter(ledger_id=OuterRef("pk"))
        return records.filter(Exists(open_one), pk__in=suggested)
    if tab is Tab.ATTENTION:
        obstacles = Obstacle.objects.filter(mapping=mapping.name)
        here, there = obstacles.filter(side=Side.LEDGER), obstacles.filter(side=Side.CRM)
        return _either(mapping, records, here, there)
    if tab is Tab.LEFT_OUT:
        return _either(
            mapping, records, _left_out(mapping, Side.LEDGER), _left_out(mapping, Side.CRM)
        )
    return records


def _either(
    mapping: TableMapping, records: Records, here: QuerySet[Any], there: QuerySet[Any]
) -> Records:
    """Records that ``here`` names, or that are coupled with a row that ``there`` names."""
    coupled = Coupling.objects.filter(
        # By row alone: with the mapping, too, SQLite would walk all couplings of the mapping.
        # A row coupled by another mapping leads to an id that is none of these records'.
        crm_table=mapping.crm.logical_name,
        crm_id__in=there.values("record_id"),
        removed_at__isnull=True,
    )
    # One set of ids, not two conditions: those would make SQLite walk the whole table.
    named = here.values("record_id").union(coupled.values("ledger_id"))
    return records.filter(pk__in=named)


def _left_out(mapping: TableMapping, side: Side) -> QuerySet[LeftOut]:
    return LeftOut.objects.filter(mapping=mapping.name, side=side)


def searched(mapping: TableMapping) -> tuple[str, ...]:
    """The columns that hold text: number, title and those listed."""
    texts = [
        one.ledger
        for one in mapping.fields
        if one.ledger in mapping.listed and isinstance(one.conversion, Text)
    ]
    return tuple(dict.fromkeys((mapping.number, mapping.title, *texts)))


def _found(mapping: TableMapping, records: Records, typed: str) -> Records:
    if not typed:
        return records
    found = Q()
    for column in searched(mapping):
        found |= _holds(column, typed)
    return records.filter(found)


def _holds(column: str, typed: str) -> Q:
    """SQLite's LIKE knows the letter case of A to Z only, its regular expressions (Python's) all.

    The longest piece of plain letters goes first: it spares most rows the slow comparison.
    """
    if typed.isascii():
        return Q(**{f"{column}__icontains": typed})
    holds = Q(**{f"{column}__iregex": re.escape(typed)})
    plain = max(re.split(r"[^\x00-\x7f]+", typed), key=len)
    return Q(**{f"{column}__icontains": plain}) & holds if plain else holds


def _beyond(column: str, place: Place, *, is_descending: bool) -> Q:
    """Rows behind a place. Said twice, so that the index of the column can begin there."""
    beyond = "lt" if is_descending else "gt"
    return Q(**{f"{column}__{beyond}e": place.value}) & (
        Q(**{f"{column}__{beyond}": place.value}) | Q(**{f"pk__{beyond}": place.record_id})
    )


def _row(mapping: TableMapping, state: ListState, record: Mapping[str, Any]) -> ListRow:
    numbers = {field: record[f"fact_{field}_number"] for field in parents_of(mapping)}
    place = Place(str(record[state.sort]), record["id"])
    return ListRow({**record, **numbers}, facts_of(mapping, record), place)
