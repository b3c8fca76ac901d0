"""Every record that waits for somebody: grouped by cause, listed, counted."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery

from crmsync.mapping.captions import caption_of
from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.mapping.values import in_words
from crmsync.sync.errors import cause, explain
from crmsync.sync.models import Job, Obstacle
from crmsync.sync.services.settling import SETTLED_BY_A_WINNER, fingerprint
from crmsync.terms import Outcome, Side
from fullsync.queries.names import Key, Names, names_of

PAGE_ROWS = 50
# The order in which outcomes stand on a page: those that wait for a person first.
OUTCOMES = (Outcome.UNDECIDED, Outcome.FAILED, Outcome.SKIPPED, Outcome.DEFERRED)
GONE = ("deleted_in_sales", "deleted_in_ledger", "merged_in_sales")
MENDED_BY_COUPLING = ("likely_twin", "duplicate_row")
SENTENCE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Filter:
    """What a page shows; "" is all."""

    outcome: str = ""
    mapping: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """Records of one table with one cause, and what to do about all of them."""

    mapping: str
    caption: str
    code: str
    outcome: str
    count: int
    title: str
    remedy: str
    who: str
    since: datetime


@dataclass(frozen=True, slots=True)
class TwoValues:
    """A field in which both sides hold different values."""

    caption: str
    ledger: str
    crm: str


@dataclass(frozen=True, slots=True)
class Attention:
    """A record that waits for somebody: who it is, why, what to do and who can."""

    id: int
    names: Names
    mapping: str
    table: str
    side: str
    key: str
    outcome: str
    code: str
    title: str
    sentence: str
    remedy: str
    who: str
    since: datetime
    values: tuple[TwoValues, ...] = ()
    # What an answer to the conflict names, so that it is about these very values.
    answer: str = ""
    # The ledger record for which Set Up Coupling would settle it.
    couple_id: UUID | None = None

    @property
    def is_settled_by_a_winner(self) -> bool:
        return self.code in SETTLED_BY_A_WINNER

    @property
    def is_gone(self) -> bool:
        return self.code in GONE


@dataclass(frozen=True, slots=True)
class Causes:
    """All causes, most frequent first, and how many records stand behind each tab and filter."""

    groups: tuple[CauseGroup, ...]
    by_outcome: Mapping[str, int]
    by_mapping: Mapping[str, int]
    total: int


@dataclass(frozen=True, slots=True)
class AttentionPage:
    records: tuple[Attention, ...]
    next: int | None


def causes(chosen: Filter) -> Causes:
    """Grouped in one question; tabs are counted within the table and cause that are chosen."""
    rows = (
        Obstacle.objects.order_by()
        .values("mapping", "outcome", "code")
        .annotate(n=Count("pk"), first=Min("since"))
    )
    by_outcome: Counter[str] = Counter()
    by_mapping: Counter[str] = Counter()
    groups = []
    for row in rows:
        by_mapping[row["mapping"]] += row["n"]
        if not _is_within(row, chosen):
            continue
        by_outcome[row["outcome"]] += row["n"]
        if chosen.outcome in ("", row["outcome"]):
            groups.append(_group(row))
    groups.sort(key=lambda group: (-group.count, group.mapping, group.code))
    return Causes(tuple(groups), by_outcome, by_mapping, by_outcome.total())


def causes_of_job(job: Job) -> tuple[CauseGroup, ...]:
    """What a job met that still stands in the way, most frequent first."""
    rows = (
        Obstacle.objects.filter(mapping=job.mapping, job_id=job.pk)
        .order_by()
        .values("mapping", "outcome", "code")
        .annotate(n=Count("pk"), first=Min("since"))
    )
    return tuple(sorted((_group(row) for row in rows), key=lambda group: -group.count))


def waiting_of_job() -> Subquery:
    """Of a job, how many records that it met still wait for somebody; null for none."""
    met = Obstacle.objects.filter(mapping=OuterRef("mapping"), job_id=OuterRef("pk"))
    return Subquery(met.order_by().values("job_id").annotate(n=Count("pk")).values("n"))


def _is_within(row: Mapping[str, Any], chosen: Filter) -> bool:
    return chosen.mapping in ("", row["mapping"]) and chosen.code in ("", row["code"])


def _group(row: Mapping[str, Any]) -> CauseGroup:
    known = cause(row["code"])
    return CauseGroup(
        mapping=row["mapping"],
        caption=str(get_mapping(row["mapping"]).caption),
        code=row["code"],
        outcome=row["outcome"],
        count=row["n"],
        title=str(known.title),
        remedy=str(known.remedy),
        who=str(known.who),
        since=row["first"],
    )


def attention_page(chosen: Filter, *, after: int | None = None) -> AttentionPage:
    """Newest first, fifty at a time; ``after`` is where the page before ended. Two questions."""
    found = obstacles_of(chosen).order_by("-pk")
    if after is not None:
        found = found.filter(pk__lt=after)
    rows = list(found[: PAGE_ROWS + 1])
    shown = rows[:PAGE_ROWS]
    return AttentionPage(tuple(told(shown)), shown[-1].pk if len(rows) > PAGE_ROWS else None)


def obstacles_of(chosen: Filter) -> "QuerySet[Obstacle]":
    wanted = {"outcome": chosen.outcome, "mapping": chosen.mapping, "code": chosen.code}
    return Obstacle.objects.filter(**{name: value for name, value in wanted.items() if value})


def attention(*, mappings: Collection[str] | None = None) -> list[Attention]:
    """Every record that needs somebody, by table and side."""
    known = [mapping.name for mapping in all_mappings()] if mappings is None else mappings
    obstacles = Obstacle.objects.filter(mapping__in=known)
    return told(list(obstacles.order_by("mapping", "side", "code", "pk")))


def told(obstacles: Sequence[Obstacle]) -> list[Attention]:
    """Obstacles as people read them. One question."""
    named = names_of(key for one in obstacles for key in (_key(one), *_named_in(one).values()))
    return [_told(one, named) for one in obstacles]


def _key(one: Obstacle) -> Key:
    return one.mapping, one.side, one.record_id


def _named_in(one: Obstacle) -> dict[tuple[str, str], Key]:
    """By field and side: the rows there that the values of a conflict name."""
    if one.code not in SETTLED_BY_A_WINNER:
        return {}
    mapping = get_mapping(one.mapping)
    parents = {
        field.ledger: field.conversion.parent
        for field in mapping.fields
        if isinstance(field.conversion, Lookup)
    }
    return {
        (name, side): (parents[name], Side.CRM, UUID(str(value)))
        for name, values in one.details.get("fields", {}).items()
        for side, value in values.items()
        if name in parents and value
    }


def _told(one: Obstacle, named: Mapping[Key, Names]) -> Attention:
    names = named[_key(one)]
    mapping, known = get_mapping(one.mapping), cause(one.code)
    sentence = explain(
        mapping=one.mapping, code=one.code, details=one.details, sentence=one.sentence
    )
    return Attention(
        id=one.pk,
        names=names,
        mapping=one.mapping,
        table=str(mapping.caption),
        side=one.side,
        key=names.key,
        outcome=one.outcome,
        code=one.code,
        title=str(known.title),
        sentence=sentence[:SENTENCE_LENGTH],
        remedy=str(known.remedy),
        who=str(known.who),
        since=one.since,
        values=_values(one, named),
        answer=f"{one.pk}:{fingerprint(one)}" if one.code in SETTLED_BY_A_WINNER else "",
        couple_id=_couple_id(one, names),
    )


def _couple_id(one: Obstacle, names: Names) -> UUID | None:
    if one.code not in MENDED_BY_COUPLING:
        return None
    if names.is_in_ledger:
        return names.ledger_id
    twin: str | None = one.details.get("ledger_id")
    return UUID(twin) if twin else None


def _values(one: Obstacle, named: Mapping[Key, Names]) -> tuple[TwoValues, ...]:
    """Both values of each field of a conflict; a record is called what people call it."""
    if one.code not in SETTLED_BY_A_WINNER:
        return ()
    mapping, keys = get_mapping(one.mapping), _named_in(one)

    def said(name: str, side: str, value: Any) -> str:
        key = keys.get((name, side))
        return named[key].label if key else in_words(mapping, name, value)

    fields: dict[str, Any] = one.details.get("fields", {})
    return tuple(
        TwoValues(
            caption_of(mapping, name),
            *(said(name, side, values.get(side)) for side in (Side.LEDGER, Side.CRM)),
        )
        for name, values in fields.items()
    )
