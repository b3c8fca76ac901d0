"""One pair, field by field: what both sides hold, and what a pass would make of it.

Read from what was last read; nothing is written, nobody is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from crmsync.mapping.captions import caption_of
from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import (
    Common,
    ConversionError,
    FieldMapping,
    LeftOut,
    ParentNotCoupled,
    TableMapping,
)
from crmsync.sync import owning
from crmsync.sync.decide import Decision, decide
from crmsync.sync.errors import explain
from crmsync.sync.models import Coupling
from crmsync.sync.pair_facts import PairFacts, read_pair
from crmsync.sync.sides import CouplingResolver, in_scope, rules
from crmsync.terms import ConflictPolicy, Fate, FirstWinner


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One field of both records as people read it; ``problem`` says why it cannot be brought over.

    A value is None where it is blank, or where it may not be read or says nothing.
    """

    field: str
    caption: str
    ledger: Common
    crm: Common
    is_equal: bool
    fate: Fate
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PairComparison:
    """A pair, coupled or not. ``refusals`` are why nothing of it would be written, problems of
    single fields among them: a record is brought over as a whole or not at all.
    """

    mapping: str
    ledger_id: UUID
    crm_id: UUID
    coupling_id: int | None
    fields: tuple[FieldComparison, ...]
    refusals: tuple[str, ...]


@dataclass(slots=True)
class _Side:
    """What could be read of one side, and what could not."""

    common: dict[str, Common] = field(default_factory=dict)
    canonical: dict[str, Common] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def compare_pair(
    *,
    mapping: str,
    ledger_id: UUID,
    crm_id: UUID,
    first_winner: FirstWinner = FirstWinner.FILL_BLANKS,
) -> PairComparison:
    """Compare two records as if they were coupled with ``first_winner``.

    Of a coupled pair a winner other than *fill blanks* shows what settling its conflicts so would
    do; with *fill blanks* it is shown as it stands. Raises NotConnected, Disabled, UnableToCompare.
    """
    declared = get_mapping(mapping)
    pair = read_pair(declared, ledger_id, crm_id)
    resolver, coupling = pair.resolver, pair.coupling
    row = owning.without_not_followed(
        declared, pair.row, coupling.not_followed if coupling else None
    )
    ours = _read(declared, lambda one: one.conversion.from_ledger(row[one.ledger], resolver))
    theirs = _read(declared, lambda one: _of_row(one, pair.values, resolver))
    decision = _decide(declared, coupling, ours, theirs, first_winner)
    unwritable = _unwritable(declared, decision, ours, theirs, resolver)
    shown = ({**ours.common, **pair.numbers}, _named(theirs.common, pair.titles))
    problems = {**unwritable, **theirs.problems, **ours.problems}
    fields = tuple(
        _field(declared, one.ledger, shown, decision, problems.get(one.ledger, ""))
        for one in declared.fields
    )
    return PairComparison(
        mapping,
        ledger_id,
        crm_id,
        coupling.pk if coupling else None,
        fields,
        (*_obstructions(declared, pair), *_unbearable(declared, problems)),
    )


def _of_row(one: FieldMapping, values: Mapping[str, Any], resolver: CouplingResolver) -> Common:
    if one.crm not in values:
        raise LeftOut
    return one.conversion.from_crm(values[one.crm], resolver)


def _read(mapping: TableMapping, read: Callable[[FieldMapping], Common]) -> _Side:
    """Field by field: one that cannot be read does not hide the others."""
    side = _Side()
    for one in mapping.fields:
        try:
            side.common[one.ledger] = read(one)
        except LeftOut:
            continue
        except (ConversionError, ParentNotCoupled) as error:
            if one.takes_part:
                side.problems[one.ledger] = _problem(mapping, one, error)
    side.canonical = {
        name: mapping.field(name).conversion.canonical(value) for name, value in side.common.items()
    }
    return side


def _decide(
    mapping: TableMapping,
    coupling: Coupling | None,
    ours: _Side,
    theirs: _Side,
    first_winner: FirstWinner,
) -> Decision:
    agreed = dict(coupling.agreed) if coupling else {}
    winner = FirstWinner(coupling.first_winner) if coupling else first_winner

    def decided() -> Decision:
        return decide(
            rules(mapping),
            ledger=ours.canonical,
            crm=theirs.canonical,
            agreed=agreed,
            first_winner=winner,
            policy=ConflictPolicy(mapping.conflict_policy),
        )

    decision = decided()
    if coupling and first_winner is not FirstWinner.FILL_BLANKS and decision.conflicts:
        loser = theirs if first_winner is FirstWinner.LEDGER else ours
        agreed |= {one.field: loser.canonical[one.field] for one in decision.conflicts}
        decision = decided()
    return decision


def _unwritable(
    mapping: TableMapping,
    decision: Decision,
    ours: _Side,
    theirs: _Side,
    resolver: CouplingResolver,
) -> dict[str, str]:
    """Why values that should be brought over cannot be, by field."""
    found: dict[str, str] = {}
    for name in decision.to_crm | decision.to_ledger:
        one = mapping.field(name)
        try:
            if name in decision.to_crm:
                _require(one, ours.common[name])
                one.conversion.body(one.crm, ours.common[name])
            else:
                _require(one, theirs.common[name])
                one.conversion.to_ledger(theirs.common[name], resolver)
        except (ConversionError, ParentNotCoupled) as error:
            found[name] = _problem(mapping, one, error)
    return found


def _require(one: FieldMapping, value: Common) -> None:
    if one.is_required and value is None:
        raise ConversionError("required_value_missing", "It is empty.")


def _problem(
    mapping: TableMapping, one: FieldMapping, error: ConversionError | ParentNotCoupled
) -> str:
    if isinstance(error, ParentNotCoupled):
        about = {"field": one.ledger, "parent": error.parent}
        code = "parent_not_coupled"
        return explain(mapping=mapping.name, code=code, details=about, sentence=str(error))
    details: dict[str, Any] = {**error.details, "field": one.ledger}
    return explain(mapping=mapping.name, code=error.code, details=details, sentence=str(error))


def _field(
    mapping: TableMapping,
    name: str,
    shown: tuple[Mapping[str, Common], Mapping[str, Common]],
    decision: Decision,
    problem: str,
) -> FieldComparison:
    return FieldComparison(
        field=name,
        caption=caption_of(mapping, name),
        ledger=shown[0].get(name),
        crm=shown[1].get(name),
        # What takes no part is nothing to decide about, whatever stands on the two sides.
        is_equal=name in decision.equal or not mapping.field(name).takes_part,
        fate=_fate(name, decision),
        problem=problem,
    )


def _fate(name: str, decision: Decision) -> Fate:
    if name in decision.to_crm:
        return Fate.TO_CRM
    if name in decision.to_ledger:
        return Fate.TO_LEDGER
    if name in decision.equal:
        return Fate.EQUAL
    waits = any(conflict.field == name for conflict in decision.conflicts)
    return Fate.WAITS if waits else Fate.LEFT_ALONE


def _named(common: Mapping[str, Common], titles: Mapping[str, str]) -> dict[str, Common]:
    """Values with rows that lookups point to by their title; those that say nothing stay out."""
    named = {name: title for name, title in titles.items() if name in common}
    return {**common, **named}


def _obstructions(mapping: TableMapping, pair: PairFacts) -> list[str]:
    """What keeps the two from being coupled, or the pair from being walked."""
    found = [pair.obstruction] if pair.obstruction else []
    if pair.is_deleted and pair.coupling:
        found.append(_("The row was deleted in Sales."))
    if not in_scope(mapping.crm_scope, pair.values):
        found.append(_("The row in Sales is inactive or of another type."))
    if not in_scope(mapping.ledger_scope, pair.row):
        found.append(_("The record in Financials is blocked or of another kind."))
    return found


def _unbearable(mapping: TableMapping, problems: Mapping[str, str]) -> list[str]:
    """Problems that hold the whole record up; an optional lookup is left alone instead."""
    return [
        problem
        for name, problem in problems.items()
        if mapping.field(name).is_required or not isinstance(mapping.field(name).conversion, Lookup)
    ]
