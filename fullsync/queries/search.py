"""Was this record synchronized, and if not, why? Asked with its number or name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.sync.errors import cause, explain
from crmsync.sync.models import Coupling, LeftOut, Obstacle
from crmsync.terms import Outcome
from fullsync.queries.attention import SENTENCE_LENGTH
from fullsync.queries.names import Names, find_names

# Who finds more should type more.
MOST_HITS = 20


@dataclass(frozen=True, slots=True)
class LastTime:
    """What became of a record the last time something was to be done with it, one way."""

    outcome: str
    at: datetime | None
    job_id: int | None


@dataclass(frozen=True, slots=True)
class InTheWay:
    """``id`` is the obstacle's."""

    id: int
    outcome: str
    title: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One record, or a coupled pair: where it stands. ``verdict`` is the short answer."""

    names: Names
    table: str
    is_coupled: bool
    to_crm: LastTime | None
    from_crm: LastTime | None
    obstacles: tuple[InTheWay, ...]
    left_out_because: str

    @property
    def verdict(self) -> str:
        """One of left-out, attention, synchronized, coupled, alone."""
        if self.left_out_because:
            return "left-out"
        if self.obstacles:
            return "attention"
        if self.to_crm or self.from_crm:
            return "synchronized"
        return "coupled" if self.is_coupled else "alone"


@dataclass(frozen=True, slots=True)
class Found:
    """At most twenty; ``has_more``: there are others."""

    hits: tuple[Hit, ...] = ()
    has_more: bool = False


def find(text: str) -> Found:
    """Records of all tables by number, name, or title over there, that very one first.

    Four questions.
    """
    text = text.strip()
    if not text:
        return Found()
    # One more of each table and side than is shown: where all of them fit in, there are no others.
    found = _once(find_names(text, all_mappings(), most=MOST_HITS + 1))
    found.sort(key=lambda one: (not _is_exact(one, text), one.label.casefold(), one.mapping))
    return Found(tuple(_hits(found[:MOST_HITS])), len(found) > MOST_HITS)


def _hits(found: Sequence[Names]) -> list[Hit]:
    ids = [one for names in found for one in (names.ledger_id, names.crm_id) if one]
    ledger_ids = [one.ledger_id for one in found if one.ledger_id]
    couplings = Coupling.objects.filter(ledger_id__in=ledger_ids, removed_at__isnull=True)
    pairs = {(one.mapping, one.ledger_id): one for one in couplings if not one.is_intent}
    obstacles = list(Obstacle.objects.filter(record_id__in=ids))
    left_out = list(LeftOut.objects.filter(record_id__in=ids))
    return [
        _hit(one, pairs.get((one.mapping, one.ledger_id or one.record_id)), obstacles, left_out)
        for one in found
    ]


def _once(found: Sequence[Names]) -> list[Names]:
    """A pair that was found on both sides is one hit."""
    hits: dict[tuple[str, UUID], Names] = {}
    for one in found:
        hits.setdefault((one.mapping, one.ledger_id or one.record_id), one)
    return list(hits.values())


def _is_exact(one: Names, text: str) -> bool:
    wanted = text.casefold()
    return wanted in (one.number.casefold(), one.title.casefold(), one.crm_title.casefold())


def _hit(
    names: Names,
    coupling: Coupling | None,
    obstacles: Sequence[Obstacle],
    left_out: Sequence[LeftOut],
) -> Hit:
    own = (names.ledger_id, names.crm_id)
    reasons = [
        one.reason for one in left_out if one.mapping == names.mapping and one.record_id in own
    ]
    return Hit(
        names=names,
        table=str(get_mapping(names.mapping).caption),
        is_coupled=coupling is not None,
        to_crm=_last(coupling, "to_crm"),
        from_crm=_last(coupling, "from_crm"),
        obstacles=tuple(
            _in_the_way(one)
            for one in obstacles
            if one.mapping == names.mapping and one.record_id in own
        ),
        left_out_because=" ".join(reasons),
    )


def _last(coupling: Coupling | None, way: str) -> LastTime | None:
    values: dict[str, Any] = {
        name: getattr(coupling, f"{way}_{name}", None) for name in ("outcome", "at", "job")
    }
    if not values["at"]:
        return None
    return LastTime(values["outcome"] or Outcome.UNCHANGED, values["at"], values["job"])


def _in_the_way(one: Obstacle) -> InTheWay:
    sentence = explain(
        mapping=one.mapping, code=one.code, details=one.details, sentence=one.sentence
    )
    known = cause(one.code)
    return InTheWay(
        one.pk, one.outcome, str(known.title), sentence[:SENTENCE_LENGTH], str(known.remedy)
    )
