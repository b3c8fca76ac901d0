"""What administrators change makes a declaration do less, never more."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.mapping.overlay import (
    OFF,
    Change,
    Reason,
    Setting,
    apply,
    can_be_switched_off,
    default_of,
)
from crmsync.mapping.registry import declared, get_declared
from crmsync.mapping.types import TableMapping
from crmsync.terms import ConflictPolicy, Direction

CUSTOMER = get_declared("CUSTOMER")
DIRECTIONS, POLICIES = [one.value for one in Direction], [one.value for one in ConflictPolicy]
VALUES = {
    Setting.DIRECTION: DIRECTIONS,
    Setting.CONFLICT_POLICY: POLICIES,
    Setting.CREATES_IN_CRM: [OFF],
    Setting.CREATES_IN_LEDGER: [OFF],
    Setting.TAKES_PART: [OFF],
}
ANY_VALUE = st.sampled_from([OFF, "", "nonsense", *DIRECTIONS, *POLICIES])
ANY_SETTING = st.sampled_from([*(one.value for one in Setting), "nonsense"])


@st.composite
def tables_with_changes(draw: st.DrawFn) -> tuple[TableMapping, list[Change]]:
    """A declaration with rows that the database could hold; most make sense."""
    table = draw(st.sampled_from(declared()))
    held: dict[tuple[str, str], str] = {}
    for setting in draw(st.sets(st.sampled_from(Setting))):
        held["", setting.value] = draw(st.sampled_from(VALUES[setting]) | ANY_VALUE)
    for one in draw(st.sets(st.sampled_from(table.fields), max_size=4)):
        for setting in draw(st.sets(st.sampled_from([Setting.DIRECTION, Setting.TAKES_PART]))):
            held[one.ledger, setting.value] = draw(st.sampled_from(VALUES[setting]) | ANY_VALUE)
    if draw(st.booleans()):
        held[draw(st.sampled_from(["", "nothing", "name"])), draw(ANY_SETTING)] = draw(ANY_VALUE)
    names = st.sampled_from([table.name, table.name, table.name, "NOTHING"])
    return table, [Change(draw(names), *key, value) for key, value in held.items()]


def within(made: Direction, declared: Direction) -> bool:
    return declared in (Direction.BIDIRECTIONAL, made)


@settings(deadline=None)
@given(tables_with_changes())
def test_nothing_goes_further_than_declared(case: tuple[TableMapping, list[Change]]) -> None:
    table, rows = case
    made = apply(table, rows).mapping

    assert within(made.direction, table.direction)
    if made.creates_in_crm:
        assert table.creates_in_crm
        assert made.direction.writes_crm
    if made.creates_in_ledger:
        assert table.creates_in_ledger
        assert made.direction.writes_ledger
    assert [one.ledger for one in made.fields] == [one.ledger for one in table.fields]
    for one in made.exchanged:
        assert within(one.direction, table.field(one.ledger).direction)
        assert within(one.direction, made.direction)


@settings(deadline=None)
@given(tables_with_changes())
def test_a_new_record_always_has_what_it_must_have(case: tuple[TableMapping, list[Change]]) -> None:
    table, rows = case
    made = apply(table, rows).mapping

    for one in made.fields:
        if one.is_required and made.creates_in_crm:
            assert one.takes_part
            assert one.direction.writes_crm
        if one.is_required and made.creates_in_ledger:
            assert one.takes_part
            assert one.direction.writes_ledger


@settings(deadline=None)
@given(tables_with_changes())
def test_only_what_is_declared_to_move_is_changed(case: tuple[TableMapping, list[Change]]) -> None:
    table, rows = case
    made = apply(table, rows).mapping
    moving: dict[str, Any] = {
        "direction": table.direction,
        "fields": table.fields,
        "creates_in_crm": table.creates_in_crm,
        "creates_in_ledger": table.creates_in_ledger,
        "conflict_policy": table.conflict_policy,
    }

    assert replace(made, **moving) == table
    assert made.crm_columns == table.crm_columns
    assert made.ledger_columns == table.ledger_columns


@settings(deadline=None)
@given(tables_with_changes())
def test_what_does_not_hold_is_named_and_left_out(case: tuple[TableMapping, list[Change]]) -> None:
    table, rows = case
    applied = apply(table, rows)
    refused = [one.change for one in applied.refusals]

    held = [one for one in rows if one not in refused]

    assert apply(table, held).mapping == applied.mapping
    assert {one.mapping for one in refused} <= {table.name}


@pytest.mark.parametrize("table", declared(), ids=lambda table: str(table.name))
def test_without_changes_a_mapping_is_as_declared(table: TableMapping) -> None:
    assert apply(table, ()).mapping == table


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Change("CUSTOMER", "number", Setting.TAKES_PART, OFF), Reason.NEEDED),
        (Change("CUSTOMER", "name", Setting.TAKES_PART, OFF), Reason.NEEDED),
        (Change("CUSTOMER", "email", Setting.TAKES_PART, OFF), Reason.NEEDED),
        (Change("CUSTOMER", "currency_id", Setting.TAKES_PART, OFF), Reason.NEEDED),
        (Change("CUSTOMER", "currency_id", Setting.DIRECTION, "to_crm"), Reason.NEEDED_TO_CREATE),
        (Change("CUSTOMER", "name", Setting.DIRECTION, "from_crm"), Reason.NEEDED_TO_CREATE),
        (Change("CUSTOMER", "credit_limit", Setting.DIRECTION, "bidirectional"), Reason.WIDER),
        (Change("CUSTOMER", "shoe_size", Setting.TAKES_PART, OFF), Reason.UNKNOWN),
        (Change("CUSTOMER", "", Setting.DIRECTION, "sideways"), Reason.UNKNOWN),
        (Change("CUSTOMER", "", Setting.CREATES_IN_CRM, "on"), Reason.UNKNOWN),
    ],
)
def test_what_asks_for_more_is_refused_with_its_reason(change: Change, reason: Reason) -> None:
    applied = apply(CUSTOMER, [change])

    assert [one.reason for one in applied.refusals] == [reason]
    assert applied.mapping == CUSTOMER


def test_a_required_field_goes_one_way_where_nothing_is_created_on_the_other_side() -> None:
    one_way = Change("CUSTOMER", "currency_id", Setting.DIRECTION, "to_crm")
    no_creation = Change("CUSTOMER", "", Setting.CREATES_IN_LEDGER, OFF)

    applied = apply(CUSTOMER, [one_way, no_creation])

    assert applied.refusals == ()
    assert applied.mapping.field("currency_id").direction is Direction.TO_CRM


def test_a_field_whose_way_is_closed_takes_no_part() -> None:
    made = apply(CUSTOMER, [Change("CUSTOMER", "", Setting.DIRECTION, "from_crm")]).mapping

    assert {one.ledger for one in made.fields if not one.takes_part} == {
        "number",
        "credit_limit",
        "salesperson_id",
    }
    assert {one.direction for one in made.exchanged} == {Direction.FROM_CRM}
    assert not made.creates_in_crm
    assert made.creates_in_ledger


def test_every_setting_has_its_default() -> None:
    assert default_of(CUSTOMER, "", Setting.DIRECTION) == "bidirectional"
    assert default_of(CUSTOMER, "", Setting.CONFLICT_POLICY) == "ask"
    assert default_of(CUSTOMER, "credit_limit", Setting.DIRECTION) == "to_crm"
    assert default_of(CUSTOMER, "fax_no", Setting.TAKES_PART) == ""


def test_what_a_scope_looks_at_stays() -> None:
    salespeople = get_declared("SALESPEOPLE")

    assert can_be_switched_off(salespeople, salespeople.field("phone_no"))
    assert not can_be_switched_off(salespeople, salespeople.field("name"))
    scoped = replace(salespeople.field("phone_no"), crm="isdisabled")
    assert not can_be_switched_off(salespeople, scoped)
