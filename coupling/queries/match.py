"""The review of Match-Based Coupling: what was found, in pages that a person can tick."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import (
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Cast

from coupling.candidates import records_to_match
from coupling.matching import Certainty
from coupling.models import Matching, Suggestion
from coupling.reasons import reason_sentences
from coupling.suggestions import open_suggestions
from crmsync.connections.wording import Wording, of_kept
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import CrmRecord
from crmsync.terms import ACTIVE_STATES, JobState

ROWS_A_PAGE = 100
COUNTS_SECONDS = 10
NONE = "none"
TABS = (*(certainty.value for certainty in Certainty), NONE)


@dataclass(frozen=True, slots=True)
class Tab:
    """``count`` open suggestions of a kind, ``chosen`` of them ticked."""

    name: str
    count: int
    chosen: int


@dataclass(frozen=True, slots=True)
class Row:
    """One ledger record with its suggested counterpart; without one, ``crm_id`` is None."""

    ledger_id: UUID
    number: str
    title: str
    crm_id: UUID | None = None
    crm_title: str = ""
    reasons: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    is_chosen: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """A table to couple first, and how many of its records wait for that."""

    mapping: TableMapping
    waiting: int


@dataclass(frozen=True, slots=True)
class Review:
    """``matching`` is the latest run, ``found_by`` the one that found what is shown, 0 for none."""

    mapping: TableMapping
    matching: Matching | None
    found_by: int
    tabs: tuple[Tab, ...]
    tab: Tab
    rows: tuple[Row, ...]
    after: str
    next_after: str
    parents: tuple[Parent, ...]

    @property
    def chosen(self) -> int:
        return sum(tab.chosen for tab in self.tabs)

    @property
    def ticked(self) -> tuple[Tab, ...]:
        """The kinds of which any are ticked."""
        return tuple(tab for tab in self.tabs if tab.chosen)

    @property
    def elsewhere(self) -> dict[str, int]:
        """Of each kind, how many are ticked on other pages than this one."""
        here = sum(row.is_chosen for row in self.rows)
        kinds = [tab for tab in self.tabs if tab.name != NONE]
        return {tab.name: tab.chosen - (here if tab is self.tab else 0) for tab in kinds}

    @property
    def stopped(self) -> Wording | None:
        """Why the latest run stopped."""
        if self.matching is None or self.matching.state != JobState.STOPPED:
            return None
        return of_kept(
            code=self.matching.error_code,
            service_code=self.matching.error_service_code,
            sentence=self.matching.error_sentence,
            remedy=self.matching.error_remedy,
        )

    @property
    def is_active(self) -> bool:
        return self.matching is not None and self.matching.state in ACTIVE_STATES


def review(*, mapping: TableMapping, tab: str, after: str) -> Review:
    """One page in four questions to the database; ``after`` is the number it begins behind."""
    matching, found_by = _latest(mapping)
    counts = _recent_counts(mapping, found_by)
    found = sum(counts.get(certainty.value, (0, 0))[0] for certainty in Certainty)
    uncoupled = counts.get("uncoupled", (0, 0))[0]
    counts[NONE] = (max(0, uncoupled - found), 0)
    tabs = tuple(Tab(name, *counts.get(name, (0, 0))) for name in TABS)
    here = next((one for one in tabs if one.name == tab), None)
    here = here or next((one for one in tabs if one.count), tabs[0])
    rows = list(_none(mapping, after) if here.name == NONE else _found(mapping, here.name, after))
    more = len(rows) > ROWS_A_PAGE
    rows = rows[:ROWS_A_PAGE]
    return Review(
        mapping=mapping,
        matching=matching,
        found_by=found_by,
        tabs=tabs,
        tab=here,
        rows=tuple(rows),
        after=after,
        next_after=rows[-1].number if more else "",
        parents=tuple(_parents(mapping, counts)),
    )


def _latest(mapping: TableMapping) -> tuple[Matching | None, int]:
    """The latest run, and the latest that found something to show; 0 for none."""
    runs = Matching.objects.filter(mapping=mapping.name).order_by("-pk")
    finished = runs.filter(state=JobState.FINISHED).values("pk")[:1]
    latest = runs.annotate(found_by=Subquery(finished)).first()
    return latest, (latest.found_by or 0) if latest else 0


def _recent_counts(mapping: TableMapping, found_by: int) -> dict[str, tuple[int, int]]:
    """The counts, some ten seconds old at most, and never older than a run or a tick.

    With 100,000 records counting is the dearest part of the page; whether a suggestion came, went
    or was ticked is cheap to ask of an index. What a person is told is proved before it is done.
    """
    names = [mapping.name, *(parent.name for parent in _matched_parents(mapping))]
    stored = (
        Suggestion.objects.filter(mapping__in=names)
        .order_by("mapping")
        .values("mapping")
        .annotate(
            n=Count("pk"),
            chosen=Count("pk", filter=Q(is_chosen=True)),
            which=Sum("pk", filter=Q(is_chosen=True)),
        )
    )
    state = (found_by, tuple(stored.values_list("mapping", "n", "chosen", "which")))
    kept = cache.get(_cached(mapping.name))
    if kept and kept[0] == state:
        counts: dict[str, tuple[int, int]] = kept[1]
        return counts
    counts = _counts(mapping)
    cache.set(_cached(mapping.name), (state, counts), COUNTS_SECONDS)
    return counts


def forget_review(mapping: str) -> None:
    """Count anew at the next look."""
    cache.delete(_cached(mapping))


def _cached(mapping: str) -> str:
    return f"coupling.counts.{mapping}.match"


def _counts(mapping: TableMapping) -> dict[str, tuple[int, int]]:
    """By kind: how many, and how many of them are ticked."""
    questions = [
        open_suggestions(mapping.name)
        .order_by()
        .values(kind=F("certainty"))
        .annotate(n=Count("pk"), chosen=Count("pk", filter=Q(is_chosen=True)))
        .values_list("kind", "n", "chosen"),
        _counted("uncoupled", records_to_match(mapping)),
    ]
    for parent in _matched_parents(mapping):
        questions.append(_counted(f"open {parent.name}", open_suggestions(parent.name)))
        questions.append(_counted(f"uncoupled {parent.name}", records_to_match(parent)))
        questions.append(
            _counted(f"matched {parent.name}", Matching.objects.filter(mapping=parent.name))
        )
    found = questions[0].union(*questions[1:], all=True)
    return {kind: (n, chosen) for kind, n, chosen in found}


def _counted(kind: str, rows: QuerySet[Any]) -> Any:
    return (
        rows.order_by()
        .values(kind=Cast(Value(kind), CharField()))
        .annotate(n=Count("pk"), chosen=Value(0))
        .values_list("kind", "n", "chosen")
    )


def _matched_parents(mapping: TableMapping) -> Iterator[TableMapping]:
    """Needed tables whose pairs people approve; the others couple by themselves."""
    for name in mapping.needs:
        if get_mapping(name).match_on:
            yield get_mapping(name)


def _parents(mapping: TableMapping, counts: dict[str, tuple[int, int]]) -> Iterator[Parent]:
    """Those with open suggestions, and those never matched that hold uncoupled records."""
    for parent in _matched_parents(mapping):
        was_matched = counts.get(f"matched {parent.name}", (0, 0))[0] > 0
        kind = "open" if was_matched else "uncoupled"
        waiting = counts.get(f"{kind} {parent.name}", (0, 0))[0]
        if waiting:
            yield Parent(parent, waiting)


def _found(mapping: TableMapping, certainty: str, after: str) -> Iterator[Row]:
    records = mapping.ledger._default_manager.filter(pk=OuterRef("ledger_id"))
    there = CrmRecord.objects.filter(
        table=mapping.crm.logical_name, crm_id=OuterRef("crm_id")
    ).values("title")
    rows = (
        open_suggestions(mapping.name)
        .filter(certainty=certainty, number__gt=after)
        .annotate(
            ledger_title=Subquery(records.values(mapping.title)[:1]),
            crm_title=Subquery(there[:1]),
        )
        .order_by("number", "pk")[: ROWS_A_PAGE + 1]
    )
    for row in rows:
        yield _row(mapping, row, str(row.ledger_title or ""), str(row.crm_title or ""))


def _row(mapping: TableMapping, row: Suggestion, title: str, crm_title: str) -> Row:
    return Row(
        ledger_id=row.ledger_id,
        number=row.number,
        title=title,
        crm_id=row.crm_id,
        crm_title=crm_title,
        reasons=tuple(reason_sentences(mapping.name, row.reasons)),
        rivals=tuple(str(rival["label"]) for rival in row.rivals),
        is_chosen=row.is_chosen,
        refusal=row.refusal,
    )


def _none(mapping: TableMapping, after: str) -> Iterator[Row]:
    suggested = open_suggestions(mapping.name).filter(ledger_id=OuterRef("pk"))
    rows = (
        records_to_match(mapping)
        .filter(~Exists(suggested), **{f"{mapping.number}__gt": after})
        .order_by(mapping.number)
        .values_list("pk", mapping.number, mapping.title)[: ROWS_A_PAGE + 1]
    )
    for ledger_id, number, title in rows:
        yield Row(ledger_id, str(number), str(title))
