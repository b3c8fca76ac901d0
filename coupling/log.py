"""A record's synchronization log in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext as _

from coupling.queries.logs import Entry, FieldChange, Kind, Log
from coupling.wording import ORIGINS
from crmsync.mapping.captions import caption_of
from crmsync.mapping.types import TableMapping
from crmsync.mapping.values import in_words
from crmsync.terms import CouplingOrigin, Outcome, Side

VALUE_LENGTH = 500


@dataclass(frozen=True, slots=True)
class ShownChange:
    caption: str
    stood: str
    becomes: str


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """``detail`` is one more sentence, blank where the headline says all."""

    at: datetime
    tone: str
    word: str
    headline: str
    detail: str
    fields: tuple[ShownChange, ...]
    job_id: int | None
    crm_id: UUID | None


@dataclass(frozen=True, slots=True)
class ShownLog:
    entries: tuple[ShownEntry, ...]
    following: str


def show_log(mapping: TableMapping, log: Log) -> ShownLog:
    return ShownLog(tuple(_entry(mapping, one) for one in log.entries), log.following)


def _entry(mapping: TableMapping, entry: Entry) -> ShownEntry:
    tone, word, headline = _SAYS[entry.kind](mapping, entry)
    return ShownEntry(
        at=entry.at,
        tone=tone,
        word=word,
        headline=headline,
        detail=_detail(entry),
        fields=tuple(_changes(mapping, entry.fields)),
        job_id=entry.job_id,
        crm_id=entry.crm_id,
    )


def _says_change(mapping: TableMapping, entry: Entry) -> tuple[str, str, str]:
    named = {"crm": mapping.crm_caption, "ledger": mapping.ledger._meta.verbose_name}
    is_there = entry.side is Side.CRM
    if entry.outcome is Outcome.INSERTED:
        said = _("Created the %(crm)s in Sales") if is_there else _("Created the %(ledger)s here")
        return "good", _("Inserted"), said % named
    if entry.outcome is Outcome.MODIFIED:
        said = _("Changed the %(crm)s in Sales") if is_there else _("Changed the %(ledger)s here")
        return "good", _("Modified"), said % named
    said = _("Wrote to the %(crm)s in Sales") if is_there else _("Wrote to the %(ledger)s here")
    return "info", str(entry.outcome), said % named


def _says_coupled(mapping: TableMapping, entry: Entry) -> tuple[str, str, str]:
    return "info", _("Coupled"), _("Coupled with a row in Sales")


def _says_removed(mapping: TableMapping, entry: Entry) -> tuple[str, str, str]:
    return "none", _("Uncoupled"), _("The coupling was deleted; both records stayed")


def _says_restored(mapping: TableMapping, entry: Entry) -> tuple[str, str, str]:
    side = _("Sales") if entry.side is Side.CRM else _("Financials")
    headline = _("An edit in %(side)s was written back: the field moves one way only")
    return "warn", _("Written back"), headline % {"side": side}


_SAYS = {
    Kind.CHANGE: _says_change,
    Kind.COUPLED: _says_coupled,
    Kind.REMOVED: _says_removed,
    Kind.RESTORED: _says_restored,
}


def _detail(entry: Entry) -> str:
    if entry.kind is not Kind.COUPLED:
        return ""
    origin = ORIGINS.get(CouplingOrigin(entry.origin), entry.origin)
    if not entry.by:
        return str(origin)
    return _("%(origin)s, by %(by)s") % {"origin": origin, "by": entry.by}


def _changes(mapping: TableMapping, fields: tuple[FieldChange, ...]) -> Iterator[ShownChange]:
    for one in fields:
        stood, becomes = (_worded(mapping, one.field, it) for it in (one.stood, one.becomes))
        yield ShownChange(_caption(mapping, one.field), stood, becomes)


def _caption(mapping: TableMapping, field: str) -> str:
    """A field that a newer declaration dropped keeps its name in old entries."""
    try:
        return caption_of(mapping, field)
    except FieldDoesNotExist:
        return field


def _worded(mapping: TableMapping, field: str, value: Any) -> str:
    return in_words(mapping, field, value)[:VALUE_LENGTH]
