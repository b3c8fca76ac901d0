"""What Set Up Coupling shows: possible counterparts, a pair side by side, or what is like it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Subquery
from django.utils.translation import gettext as _

from coupling.lookups import Counterpart, FoundRow, find_rows, suggestions_for
from coupling.queries.cards import Card
from coupling.reasons import reason_sentences
from coupling.wording import FATES
from crmsync.connections.errors import Disabled, NotConnected
from crmsync.mapping.captions import caption_of
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.mapping.values import in_words
from crmsync.sync.models import CrmTable, Job
from crmsync.sync.pairs import PairComparison, compare_pair
from crmsync.sync.refusals import UnableToCompare
from crmsync.sync.twins import twins_of
from crmsync.terms import ACTIVE_STATES, Fate, FirstWinner

MOST_FOUND = 10


@dataclass(frozen=True, slots=True)
class ShownCounterpart:
    crm_id: UUID
    title: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownFound:
    """A row that fits what was typed; ``obstacle`` says why it cannot be coupled."""

    crm_id: UUID
    title: str
    number: str
    obstacle: str
    coupled_id: UUID | None


@dataclass(frozen=True, slots=True)
class Typed:
    """The rows that fit what was typed, ten at most; ``has_more``: there are others."""

    rows: tuple[ShownFound, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class ShownField:
    caption: str
    ledger: str
    crm: str
    differs: bool
    fate: tuple[str, str]
    problem: str


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A comparison, or the sentence and remedy that say why there is none."""

    crm_id: UUID
    fields: tuple[ShownField, ...] = ()
    refusals: tuple[str, ...] = ()
    sentence: str = ""
    remedy: str = ""

    @property
    def differences(self) -> int:
        return sum(field.differs for field in self.fields)


@dataclass(frozen=True, slots=True)
class Reading:
    """When the table there was read last, and the job of this mapping that is under way."""

    read_at: datetime | None
    job_id: int | None


def suggested(mapping: TableMapping, record_id: UUID) -> tuple[ShownCounterpart, ...]:
    found = suggestions_for(mapping=mapping.name, ledger_id=record_id)
    return tuple(_counterpart(mapping, one) for one in found)


def found_by_typing(mapping: TableMapping, typed: str) -> Typed:
    rows = find_rows(mapping=mapping.name, typed=typed, limit=MOST_FOUND + 1)
    return Typed(tuple(_found(one) for one in rows[:MOST_FOUND]), len(rows) > MOST_FOUND)


def alike(mapping: TableMapping, record_id: UUID) -> tuple[ShownCounterpart, ...]:
    """Rows there that a new one would be a double of, perhaps."""
    return tuple(
        ShownCounterpart(
            twin.crm_id,
            twin.title,
            tuple(
                _("Same %(field)s") % {"field": caption_of(mapping, name)} for name in twin.fields
            ),
        )
        for twin in twins_of(mapping=mapping.name, ledger_id=record_id)
    )


def pair(card: Card, crm_id: UUID, winner: FirstWinner) -> ShownPair:
    """Both records field by field, and what would become of each."""
    try:
        found = compare_pair(
            mapping=card.mapping.name,
            ledger_id=card.record.pk,
            crm_id=crm_id,
            first_winner=winner,
        )
    except (NotConnected, Disabled, UnableToCompare) as error:
        return ShownPair(crm_id, sentence=str(error), remedy=str(error.remedy))
    return ShownPair(crm_id, tuple(_fields(found)), found.refusals)


def reading(mapping: TableMapping) -> Reading:
    active = Job.objects.filter(mapping=mapping.name, state__in=ACTIVE_STATES)
    tables = CrmTable.objects.filter(logical_name=mapping.crm.logical_name)
    table = tables.annotate(job_id=Subquery(active.values("pk")[:1])).first()
    return Reading(table.refreshed_at, table.job_id) if table else Reading(None, None)


def _counterpart(mapping: TableMapping, one: Counterpart) -> ShownCounterpart:
    reasons = tuple(reason_sentences(mapping.name, one.reasons))
    return ShownCounterpart(one.crm_id, one.title, reasons)


def _found(row: FoundRow) -> ShownFound:
    return ShownFound(row.crm_id, row.title, row.number, _obstacle(row), row.coupled_id)


def _obstacle(row: FoundRow) -> str:
    if row.coupled_id:
        return _("Coupled with %(number)s") % {"number": row.coupled_number or row.coupled_id}
    if row.is_left_out:
        return _("Left out")
    if row.out_of_scope:
        return _("Inactive, or of another type")
    return ""


def _fields(found: PairComparison) -> Iterator[ShownField]:
    mapping = get_mapping(found.mapping)
    for one in found.fields:
        tone, word = FATES[one.fate]
        yield ShownField(
            caption=one.caption,
            ledger=in_words(mapping, one.field, one.ledger),
            crm=in_words(mapping, one.field, one.crm),
            differs=not one.is_equal and one.fate is not Fate.EQUAL,
            fate=(tone, str(word)),
            problem=one.problem,
        )
