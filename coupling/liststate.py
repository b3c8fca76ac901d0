"""What a list shows, as its address says it: tab, search, order, place and the selected row."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from crmsync.mapping.conversions import clean
from crmsync.mapping.types import TableMapping

TYPED_LENGTH = 100
# A hundred characters, each spelt as two escapes of six, in base64; and the id.
PLACE_LENGTH = 2000


class Tab(StrEnum):
    ALL = "all"
    UNCOUPLED = "uncoupled"
    SUGGESTED = "suggested"
    COUPLED = "coupled"
    ATTENTION = "attention"
    LEFT_OUT = "left-out"


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in the order: its value in the sorted column, and its id among equals."""

    value: str
    record_id: UUID

    def __str__(self) -> str:
        text = json.dumps([self.value, self.record_id.hex], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """``after`` and ``before`` exclude each other."""

    sort: str
    tab: Tab = Tab.ALL
    typed: str = ""
    is_descending: bool = False
    after: Place | None = None
    before: Place | None = None
    selected: UUID | None = None

    def sorted_by(self, column: str) -> "ListState":
        """The first page in this column's order; once more turns it round."""
        turned = column == self.sort and not self.is_descending
        return replace(self, sort=column, is_descending=turned, after=None, before=None)

    def of_tab(self, tab: Tab) -> "ListState":
        return replace(self, tab=tab, after=None, before=None, selected=None)

    def with_row(self, record_id: UUID | None) -> "ListState":
        return replace(self, selected=record_id)

    def moved(self, *, after: Place | None = None, before: Place | None = None) -> "ListState":
        return replace(self, after=after, before=before, selected=None)

    @property
    def query(self) -> str:
        """What stands behind the question mark; what goes without saying is left out."""
        order = f"-{self.sort}" if self.is_descending else self.sort
        said = {
            "tab": "" if self.tab is Tab.ALL else self.tab,
            "q": self.typed,
            "sort": order,
            "after": str(self.after or ""),
            "before": str(self.before or ""),
            "selected": str(self.selected or ""),
        }
        return urlencode({name: value for name, value in said.items() if value})


def read_state(mapping: TableMapping, said: Mapping[str, Any]) -> ListState:
    """From an address that anybody may have typed: what makes no sense counts as not said."""
    order = str(said.get("sort") or mapping.number)
    column = order.removeprefix("-")
    is_known = column in sortable(mapping)
    after, before = read_place(said.get("after")), read_place(said.get("before"))
    return ListState(
        sort=column if is_known else mapping.number,
        tab=_tab(said.get("tab")),
        typed=(clean(said.get("q")) or "").replace("\0", "")[:TYPED_LENGTH],
        is_descending=is_known and order.startswith("-"),
        after=after if is_known else None,
        before=before if is_known and not after else None,
        selected=_uuid(said.get("selected")),
    )


def sortable(mapping: TableMapping) -> tuple[str, ...]:
    """Number and title, and listed columns that an index of the model begins with."""
    indexed = {index.fields[0] for index in mapping.ledger._meta.indexes if index.fields}
    return (mapping.number, mapping.title, *(one for one in mapping.listed if one in indexed))


def read_place(said: object) -> Place | None:
    """None for anything but what ``str(Place)`` wrote."""
    text = str(said or "")
    if len(text) > PLACE_LENGTH:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        value, record_id = json.loads(base64.urlsafe_b64decode(padded))
        # No database takes half a character of a pair, which JSON can spell.
        value.encode()
        return None if "\0" in value else Place(value, UUID(record_id))
    except (binascii.Error, UnicodeError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def _tab(said: object) -> Tab:
    try:
        return Tab(str(said))
    except ValueError:
        return Tab.ALL


def _uuid(said: object) -> UUID | None:
    try:
        return UUID(str(said))
    except ValueError:
        return None
