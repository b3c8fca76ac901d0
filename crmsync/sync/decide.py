"""What to write where: a pure comparison of three sets of canonical values, field by field.

A field absent on a side takes no part: it could not be resolved there, or may not be read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crmsync.terms import ConflictPolicy, Direction, FirstWinner, Side

Value = str | int | bool | None
Values = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class FieldRule:
    name: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same field holds different values, and a person must say which one stays."""

    field: str
    ledger: Value
    crm: Value


@dataclass(frozen=True, slots=True)
class Decision:
    """Fields to write to each side, fields found equal, and what waits for a person.

    ``restored`` are one-way fields that were edited on their wrong side and get written back.
    """

    to_crm: frozenset[str] = frozenset()
    to_ledger: frozenset[str] = frozenset()
    equal: Mapping[str, Value] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    restored: tuple[str, ...] = ()


def decide(
    rules: Sequence[FieldRule],
    *,
    ledger: Values,
    crm: Values,
    agreed: Values,
    first_winner: FirstWinner,
    policy: ConflictPolicy,
) -> Decision:
    """Compare a coupled pair.

    One side changed since they agreed: it wins, within the field's direction. Both changed a
    two-way field: the policy says who wins. Nothing agreed yet: the act of coupling said who wins.
    """
    to_crm, to_ledger, restored = set[str](), set[str](), list[str]()
    equal: dict[str, Value] = {}
    conflicts: list[Conflict] = []
    for rule in rules:
        name = rule.name
        if name not in ledger or name not in crm:
            continue
        if ledger[name] == crm[name]:
            equal[name] = ledger[name]
            continue
        winner = _winner(rule, ledger[name], crm[name], agreed, first_winner, policy)
        if winner is None:
            conflicts.append(Conflict(name, ledger[name], crm[name]))
        elif winner is Side.LEDGER:
            to_crm.add(name)
        else:
            to_ledger.add(name)
        if winner is not None and _is_restored(rule, winner, ledger[name], crm[name], agreed):
            restored.append(name)
    return Decision(
        frozenset(to_crm), frozenset(to_ledger), equal, tuple(conflicts), tuple(restored)
    )


def _winner(
    rule: FieldRule,
    ledger: Value,
    crm: Value,
    agreed: Values,
    first_winner: FirstWinner,
    policy: ConflictPolicy,
) -> Side | None:
    if rule.direction is Direction.TO_CRM:
        return Side.LEDGER
    if rule.direction is Direction.FROM_CRM:
        return Side.CRM
    if rule.name not in agreed:
        return _first_time(ledger, crm, first_winner)
    base = agreed[rule.name]
    if crm == base:
        return Side.LEDGER
    if ledger == base:
        return Side.CRM
    return {
        ConflictPolicy.LEDGER_WINS: Side.LEDGER,
        ConflictPolicy.CRM_WINS: Side.CRM,
        ConflictPolicy.ASK: None,
    }[policy]


def _first_time(ledger: Value, crm: Value, first_winner: FirstWinner) -> Side | None:
    if first_winner is FirstWinner.LEDGER:
        return Side.LEDGER
    if first_winner is FirstWinner.CRM:
        return Side.CRM
    if crm is None:
        return Side.LEDGER
    return Side.CRM if ledger is None else None


def _is_restored(rule: FieldRule, winner: Side, ledger: Value, crm: Value, agreed: Values) -> bool:
    """Whether the losing side had been edited although the field only moves the other way."""
    if rule.direction is Direction.BIDIRECTIONAL:
        return False
    loser = crm if winner is Side.LEDGER else ledger
    return loser is not None and loser != agreed.get(rule.name)
