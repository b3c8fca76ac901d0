"""What an administrator may change of a declaration, within what it says. Pure.

A change makes a declaration do less: a way is closed, a field is switched off, missing records are
not created. Nothing can be opened that the declaration keeps closed. The conflict policy is a
choice, not less or more.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from crmsync.mapping.types import FieldMapping, TableMapping
from crmsync.terms import ConflictPolicy, Direction

# The one value of a setting that is either as declared or off.
OFF = "off"


class Setting(StrEnum):
    """Codes as they are stored."""

    DIRECTION = "direction"
    CONFLICT_POLICY = "conflict_policy"
    CREATES_IN_CRM = "creates_in_crm"
    CREATES_IN_LEDGER = "creates_in_ledger"
    TAKES_PART = "takes_part"


class Reason(StrEnum):
    """Why a change does not hold."""

    UNKNOWN = "unknown"
    WIDER = "wider"
    NEEDED = "needed"
    NEEDED_TO_CREATE = "needed_to_create"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One setting that differs from the declaration; a blank ``field`` is of the table."""

    mapping: str
    field: str
    setting: str
    value: str


@dataclass(frozen=True, slots=True)
class Refusal:
    change: Change
    reason: Reason


@dataclass(frozen=True, slots=True)
class Applied:
    """A declaration with its changes, and those changes that do not hold: they are left out."""

    mapping: TableMapping
    refusals: tuple[Refusal, ...] = ()


def apply(declared: TableMapping, changes: Iterable[Change]) -> Applied:
    """The mapping that is in force. Changes of other mappings are not looked at."""
    mine = [one for one in changes if one.mapping == declared.name]
    refusals: list[Refusal] = []
    table: dict[str, str] = {}
    for change in (one for one in mine if not one.field):
        reason = _about_table(declared, change)
        if reason is None:
            table[change.setting] = change.value
        else:
            refusals.append(Refusal(change, reason))
    narrowed = _table(declared, table)
    fields: dict[tuple[str, str], str] = {}
    for change in (one for one in mine if one.field):
        reason = _about_field(declared, narrowed, change)
        if reason is None:
            fields[change.field, change.setting] = change.value
        else:
            refusals.append(Refusal(change, reason))
    made = replace(narrowed, fields=tuple(_field(one, narrowed, fields) for one in declared.fields))
    return Applied(made, tuple(refusals))


def without_hidden(mapping: TableMapping, hidden: Collection[str]) -> TableMapping:
    """The mapping without the columns there that may not be read: they would look empty."""
    if not any(one.crm in hidden for one in mapping.fields):
        return mapping
    fields = (
        replace(one, takes_part=False, is_hidden=True) if one.crm in hidden else one
        for one in mapping.fields
    )
    return replace(mapping, fields=tuple(fields))


def default_of(declared: TableMapping, field: str, setting: Setting) -> str:
    """What the declaration says of a setting; blank where that is simply not ``OFF``.

    Raises StopIteration for a field that is not mapped.
    """
    if setting is Setting.DIRECTION:
        return (declared.field(field) if field else declared).direction.value
    return declared.conflict_policy.value if setting is Setting.CONFLICT_POLICY else ""


def directions_within(declared: Direction) -> tuple[Direction, ...]:
    """The declared one first, then what it can be narrowed to."""
    if declared is Direction.BIDIRECTIONAL:
        return (Direction.BIDIRECTIONAL, Direction.TO_CRM, Direction.FROM_CRM)
    return (declared,)


def can_be_switched_off(declared: TableMapping, mapped: FieldMapping) -> bool:
    """False for what the record is found, named, matched or kept in scope by."""
    kept_here = {declared.number, declared.title, declared.unique_key, *declared.match_on}
    kept_here |= {condition.field for condition in declared.ledger_scope}
    kept_there = {declared.crm_title, *(condition.field for condition in declared.crm_scope)}
    is_kept = mapped.ledger in kept_here or mapped.crm in kept_there
    return not (mapped.is_required or is_kept)


# What of the changes holds


def _about_table(declared: TableMapping, change: Change) -> Reason | None:
    is_two_way = declared.direction is Direction.BIDIRECTIONAL
    if change.setting == Setting.DIRECTION:
        return _about_direction(declared.direction, change.value)
    if change.setting == Setting.CONFLICT_POLICY:
        if change.value not in set(ConflictPolicy):
            return Reason.UNKNOWN
        return None if is_two_way else Reason.WIDER
    creates = {
        Setting.CREATES_IN_CRM: declared.creates_in_crm,
        Setting.CREATES_IN_LEDGER: declared.creates_in_ledger,
    }
    if change.setting not in creates or change.value != OFF:
        return Reason.UNKNOWN
    return None if creates[Setting(change.setting)] else Reason.WIDER


def _about_field(declared: TableMapping, narrowed: TableMapping, change: Change) -> Reason | None:
    mapped = next((one for one in declared.fields if one.ledger == change.field), None)
    if mapped is None:
        return Reason.UNKNOWN
    if change.setting == Setting.TAKES_PART and change.value == OFF:
        return None if can_be_switched_off(declared, mapped) else Reason.NEEDED
    if change.setting != Setting.DIRECTION:
        return Reason.UNKNOWN
    if reason := _about_direction(mapped.direction, change.value):
        return reason
    if mapped.is_required and not _serves_creation(narrowed, Direction(change.value)):
        return Reason.NEEDED_TO_CREATE
    return None


def _about_direction(declared: Direction, value: str) -> Reason | None:
    if value not in set(Direction):
        return Reason.UNKNOWN
    return None if Direction(value) in directions_within(declared) else Reason.WIDER


def _serves_creation(table: TableMapping, direction: Direction) -> bool:
    """A new record without a value that it must have would be refused, or blank the other side."""
    there = direction.writes_crm or not table.creates_in_crm
    here = direction.writes_ledger or not table.creates_in_ledger
    return there and here


# What they make


def _table(declared: TableMapping, held: Mapping[str, str]) -> TableMapping:
    direction = Direction(held.get(Setting.DIRECTION, declared.direction))
    in_crm = declared.creates_in_crm and Setting.CREATES_IN_CRM not in held
    in_ledger = declared.creates_in_ledger and Setting.CREATES_IN_LEDGER not in held
    return replace(
        declared,
        direction=direction,
        conflict_policy=ConflictPolicy(held.get(Setting.CONFLICT_POLICY, declared.conflict_policy)),
        creates_in_crm=in_crm and direction.writes_crm,
        creates_in_ledger=in_ledger and direction.writes_ledger,
    )


def _field(
    declared: FieldMapping, table: TableMapping, held: Mapping[tuple[str, str], str]
) -> FieldMapping:
    """Values move where both the table and the field let them; without such a way, not at all."""
    chosen = Direction(held.get((declared.ledger, Setting.DIRECTION), declared.direction))
    is_off = (declared.ledger, Setting.TAKES_PART) in held
    within_both = set(directions_within(chosen)) & set(directions_within(table.direction))
    if not within_both:
        return replace(declared, direction=chosen, takes_part=False)
    widest = Direction.BIDIRECTIONAL
    moves = widest if widest in within_both else min(within_both)
    return replace(declared, direction=moves, takes_part=not is_off)
