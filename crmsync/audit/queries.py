"""Reading the audit log: a page of it, or all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.audit.acts import FIELDS, WORDS, caption_of, sentence_of
from crmsync.audit.models import Entry
from crmsync.audit.redaction import CHANGED, SET

PAGE_ENTRIES = 50
# Read at a time for an export: never an open cursor beside writes.
BLOCK_ENTRIES = 1000
MARK_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is asked for; blank is everything. ``day`` is one of the installation's time zone."""

    who: str = ""
    act: str = ""
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an entry, as people read it; blank where it was not there."""

    caption: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    who: str
    door: str
    caption: str
    sentence: str
    values: tuple[Value, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first; ``following`` is where older entries begin, None at the end."""

    lines: tuple[Line, ...]
    following: int | None


def read_page(chosen: Chosen, *, before: int | None = None) -> Page:
    """One question."""
    found = list(_older(chosen, before)[: PAGE_ENTRIES + 1])
    shown = found[:PAGE_ENTRIES]
    following = shown[-1].pk if len(found) > PAGE_ENTRIES else None
    return Page(tuple(_line(entry) for entry in shown), following)


# Stored names of columns: a program that reads the export finds them in every language.
COLUMNS = ("at", "who", "door", "act", "table", "record", "label", "before", "after", "detail")


def rows_of_export(chosen: Chosen) -> Iterator[list[str]]:
    """The head, then every entry, newest first; times are UTC, and no cell is a formula."""
    yield list(COLUMNS)
    before: int | None = None
    while entries := list(_older(chosen, before)[:BLOCK_ENTRIES]):
        for entry in entries:
            yield [inert(_cell(entry, column)) for column in COLUMNS]
        before = entries[-1].pk


def inert(cell: str) -> str:
    """What a spreadsheet would take for a formula begins with an apostrophe instead."""
    return f"'{cell}" if cell.startswith(MARK_OF_FORMULAS) else cell


def _cell(entry: Entry, column: str) -> str:
    value = getattr(entry, column)
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {inner}" for name, inner in value.items())
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _older(chosen: Chosen, before: int | None) -> QuerySet[Entry]:
    entries = Entry.objects.order_by("-pk")
    if before is not None:
        entries = entries.filter(pk__lt=before)
    if chosen.who:
        entries = entries.filter(who__icontains=chosen.who)
    if chosen.act:
        entries = entries.filter(act=chosen.act)
    if chosen.day:
        begins = timezone.make_aware(datetime.combine(chosen.day, time.min))
        entries = entries.filter(at__gte=begins, at__lt=begins + timedelta(days=1))
    return entries


def _line(entry: Entry) -> Line:
    return Line(
        at=entry.at,
        who=entry.who,
        door=entry.door,
        caption=caption_of(entry.act),
        sentence=sentence_of(entry.act, what=entry.label),
        values=tuple(_values(entry)),
        detail=entry.detail,
    )


def _values(entry: Entry) -> Iterator[Value]:
    for name in {**entry.before, **entry.after}:
        before, after = (_read(name, values.get(name)) for values in (entry.before, entry.after))
        if before or after:
            yield Value(str(FIELDS.get(name, name)), before, after)


def _read(name: str, value: Any) -> str:
    """A value in the reader's words."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(_worded(name, one) for one in value)
    if value in (SET, CHANGED):
        return {SET: _("set"), CHANGED: _("changed")}[value]
    return _worded(name, value)


def _worded(name: str, value: Any) -> str:
    """Itself where it is no code of ours, or one of a newer version."""
    return str(WORDS.get(name, {}).get(str(value), value))
