"""What the pages about table mappings show: the settings in force beside the declared ones."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.text import capfirst

from crmsync.connections.models import Connection
from crmsync.mapping import in_force
from crmsync.mapping.captions import caption_of
from crmsync.mapping.models import ChangedSetting
from crmsync.mapping.overlay import Change, Setting, apply, can_be_switched_off, default_of
from crmsync.mapping.registry import declared, get_declared
from crmsync.mapping.types import FieldMapping, TableMapping
from crmsync.mapping.wording import (
    ARROWS,
    DIRECTIONS,
    POLICIES,
    SETTINGS,
    change_caption,
    value_caption,
)
from crmsync.sync.services import shown
from crmsync.terms import Direction


@dataclass(frozen=True, slots=True)
class MappingLine:
    """One table mapping in the list. ``policy`` is blank where nothing can conflict."""

    name: str
    table: str
    crm_table: str
    direction: str
    policy: str
    creates: tuple[str, ...]
    is_in_scope: bool
    changes: int


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field of ours beside the column there; one that is kept cannot be switched off."""

    field: str
    caption: str
    column: str
    direction: str
    takes_part: bool
    is_narrowed_off: bool
    is_hidden: bool
    is_kept: bool
    is_changed: bool
    default: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs from the default; who changed it is blank after an upgrade."""

    table: str
    caption: str
    value: str
    default: str
    by: str
    at: object


@dataclass(frozen=True, slots=True)
class MappingPage:
    """``declared`` is what can be chosen, ``mapping`` what is in force."""

    declared: TableMapping
    mapping: TableMapping
    changes: frozenset[Change]
    fingerprint: str
    differences: tuple[Difference, ...]
    fields: tuple[FieldLine, ...]

    @property
    def caption(self) -> str:
        return str(self.mapping.caption)

    @property
    def crm_caption(self) -> str:
        return capfirst(str(self.mapping.crm_caption))

    @property
    def direction(self) -> str:
        return direction_word(self.mapping.direction)


@dataclass(frozen=True, slots=True)
class Defaults:
    fingerprint: str
    differences: tuple[Difference, ...]


def list_mappings() -> list[MappingLine]:
    """Every table mapping, in the order in which they run. Two questions."""
    stored = in_force.stored()
    connection = Connection.objects.first()
    scopes = connection.scopes if connection else []
    return [_line(one, stored, is_in_scope=one.scope in scopes) for one in declared()]


def mapping_page(name: str) -> MappingPage:
    """Raises LookupError."""
    table = get_declared(name)
    rows = list(_rows().filter(mapping=name))
    changes = frozenset(row.change for row in rows)
    mapping = apply(table, changes).mapping
    hidden = {column for there, column in in_force.hidden() if there == table.crm.logical_name}
    return MappingPage(
        declared=table,
        mapping=mapping,
        changes=changes,
        fingerprint=shown(changes),
        differences=tuple(_differences([table], rows)),
        fields=tuple(_field(table, one, changes, hidden) for one in mapping.fields),
    )


def defaults() -> Defaults:
    """Everything that *Use Default Synchronization Setup* would set back."""
    rows = list(_rows())
    changes = [row.change for row in rows]
    return Defaults(shown(changes), tuple(_differences(declared(), rows)))


def direction_word(direction: Direction) -> str:
    return f"{ARROWS[direction]} {DIRECTIONS[direction]}"


def _rows() -> QuerySet[ChangedSetting]:
    return ChangedSetting.objects.order_by("mapping", "field", "setting")


def _line(table: TableMapping, stored: frozenset[Change], *, is_in_scope: bool) -> MappingLine:
    mapping = apply(table, stored).mapping
    creates = {"crm": mapping.creates_in_crm, "ledger": mapping.creates_in_ledger}
    is_two_way = mapping.direction is Direction.BIDIRECTIONAL
    return MappingLine(
        name=table.name,
        table=str(table.caption),
        crm_table=capfirst(str(table.crm_caption)),
        direction=direction_word(mapping.direction),
        policy=str(POLICIES[mapping.conflict_policy]) if is_two_way else "",
        creates=tuple(side for side, creates_there in creates.items() if creates_there),
        is_in_scope=is_in_scope,
        changes=sum(one.mapping == table.name for one in stored),
    )


def _field(
    table: TableMapping,
    mapped: FieldMapping,
    changes: frozenset[Change],
    hidden: Collection[str],
) -> FieldLine:
    declaration = table.field(mapped.ledger)
    switched_off = {one.field for one in changes if one.setting == Setting.TAKES_PART}
    return FieldLine(
        field=mapped.ledger,
        caption=caption_of(table, mapped.ledger),
        column=mapped.crm,
        direction=direction_word(mapped.direction),
        takes_part=mapped.takes_part,
        is_narrowed_off=not mapped.takes_part and mapped.ledger not in switched_off,
        is_hidden=mapped.crm in hidden,
        is_kept=not can_be_switched_off(table, declaration),
        is_changed=mapped != declaration,
        default=", ".join(_default_words(mapped, declaration)),
    )


def _default_words(mapped: FieldMapping, declaration: FieldMapping) -> Iterator[str]:
    """What the default is of that which differs."""
    if mapped.direction != declaration.direction:
        yield direction_word(declaration.direction)
    if not mapped.takes_part:
        yield str(SETTINGS[Setting.TAKES_PART])


def _differences(
    tables: Sequence[TableMapping], rows: Sequence[ChangedSetting]
) -> Iterator[Difference]:
    known = {table.name: table for table in tables}
    for row in rows:
        table = known.get(row.mapping)
        yield Difference(
            table=str(table.caption) if table else row.mapping,
            caption=change_caption(table, row.change) if table else row.setting,
            value=value_caption(row.setting, row.value),
            default=_default(table, row),
            by=row.changed_by,
            at=row.changed_at,
        )


def _default(table: TableMapping | None, row: ChangedSetting) -> str:
    """Blank for what a newer version does not declare any more."""
    is_mapped = table and (not row.field or any(one.ledger == row.field for one in table.fields))
    if table is None or not is_mapped or row.setting not in set(Setting):
        return ""
    return value_caption(row.setting, default_of(table, row.field, Setting(row.setting)))
