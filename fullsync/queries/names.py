"""What people call records, on both sides at once, and where the row there can be opened."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, F, OuterRef, Q, Subquery, UUIDField, Value, When
from django.db.models.functions import Cast

from crmsync.connections.models import Connection
from crmsync.dataverse.address import record_page
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.terms import Side

Key = tuple[str, str, UUID]

_COLUMNS = (
    *("mapping_name", "side", "key", "n_ledger_id", "n_number", "n_title"),
    *("n_crm_id", "n_crm_title", "origin"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """One record and its counterpart: ids where they are known, "" for a name that is not.

    ``crm_url`` opens the row in Sales.
    """

    mapping: str
    side: str
    record_id: UUID
    ledger_id: UUID | None = None
    number: str = ""
    title: str = ""
    crm_id: UUID | None = None
    crm_title: str = ""
    crm_url: str = ""

    @property
    def is_in_ledger(self) -> bool:
        return bool(self.number)

    @property
    def key(self) -> str:
        """How its own side calls it: the number here, the title there; at worst the id."""
        own = self.number if self.side == Side.LEDGER else self.crm_title
        return own or str(self.record_id)

    @property
    def label(self) -> str:
        """Number and title here; without them, what it is called there."""
        ours = " ".join(part for part in (self.number, self.title) if part)
        return ours or self.crm_title or str(self.record_id)


def names_of(wanted: Iterable[Key]) -> Mapping[Key, Names]:
    """By mapping, side and id; one question. A record that nobody knows is called by its id."""
    groups: dict[tuple[str, str], set[UUID]] = defaultdict(set)
    for mapping, side, record_id in wanted:
        groups[mapping, side].add(record_id)
    rows = [_named(get_mapping(name), side, ids) for (name, side), ids in sorted(groups.items())]
    found = _read(rows)
    return {
        (mapping, side, one): found.get((mapping, side, one)) or Names(mapping, side, one)
        for (mapping, side), ids in groups.items()
        for one in ids
    }


def find_names(text: str, mappings: Iterable[TableMapping], *, most: int) -> list[Names]:
    """Records whose number, name or title over there holds the text; ``most`` a table and side.

    The very text comes before what only holds it: among many it would be cut off otherwise.
    """
    rows = []
    for mapping in mappings:
        ours = mapping.ledger._default_manager.all()
        there = CrmRecord.objects.filter(table=mapping.crm.logical_name, is_deleted=False)
        ledger = _holding(ours, text, (mapping.number, mapping.title))
        crm = _holding(there, text, ("title",))
        rows.append(_named(mapping, Side.LEDGER, ledger.values("pk")[:most]))
        rows.append(_named(mapping, Side.CRM, crm.values("crm_id")[:most]))
    return list(_read(rows).values())


def _holding(rows: Any, text: str, columns: Sequence[str]) -> Any:
    """Those with the text in one of the columns, in the order of the first."""
    holding, exact = Q(), Q()
    for column in columns:
        holding |= Q(**{f"{column}__icontains": text})
        exact |= Q(**{f"{column}__iexact": text})
    place = Case(When(exact, then=0), default=1)
    return rows.filter(holding).order_by(place, columns[0])


def _read(rows: list[Any]) -> dict[Key, Names]:
    if not rows:
        return {}
    found: dict[Key, Names] = {}
    for mapping, side, key, *values, origin in rows[0].union(*rows[1:], all=True):
        ledger_id, number, title, crm_id, crm_title = values
        url = _url(origin, mapping, crm_id) if crm_id else ""
        found[mapping, side, key] = Names(
            mapping, side, key, ledger_id, number or "", title or "", crm_id, crm_title or "", url
        )
    return found


def _url(origin: str | None, mapping: str, crm_id: UUID) -> str:
    table = get_mapping(mapping).crm.logical_name
    return record_page(origin=origin, table=table, crm_id=crm_id) if origin else ""


def _named(mapping: TableMapping, side: str, ids: Any) -> Any:
    rows = _ledger_rows(mapping, ids) if side == Side.LEDGER else _crm_rows(mapping, ids)
    return rows.annotate(
        mapping_name=_text(mapping.name),
        side=_text(side),
        origin=Subquery(Connection.objects.values("origin")[:1]),
    ).values_list(*_COLUMNS)


def _text(value: str) -> Value:
    return Value(str(value), output_field=CharField())


def _ledger_rows(mapping: TableMapping, ids: Any) -> Any:
    live = Coupling.objects.filter(
        mapping=mapping.name, ledger_id=OuterRef("pk"), removed_at__isnull=True
    )
    records = CrmRecord.objects.filter(table=mapping.crm.logical_name, crm_id=OuterRef("n_crm_id"))
    rows: Any = mapping.ledger._default_manager.filter(pk__in=ids)
    return rows.order_by().annotate(
        key=F("pk"),
        n_ledger_id=F("pk"),
        n_number=F(mapping.number),
        n_title=F(mapping.title),
        n_crm_id=Subquery(live.values("crm_id")[:1]),
        n_crm_title=Subquery(records.values("title")[:1]),
    )


def _crm_rows(mapping: TableMapping, ids: Any) -> Any:
    table = mapping.crm.logical_name
    live = Coupling.objects.filter(
        mapping=mapping.name, crm_table=table, crm_id=OuterRef("crm_id"), removed_at__isnull=True
    )
    ours = mapping.ledger._default_manager.filter(pk=OuterRef("n_ledger_id"))
    rows: Any = CrmRecord.objects.filter(table=table, crm_id__in=ids)
    return rows.order_by().annotate(
        key=F("crm_id"),
        n_ledger_id=Cast(Subquery(live.values("ledger_id")[:1]), UUIDField()),
        n_number=Subquery(ours.values(mapping.number)[:1]),
        n_title=Subquery(ours.values(mapping.title)[:1]),
        n_crm_id=F("crm_id"),
        n_crm_title=F("title"),
    )
