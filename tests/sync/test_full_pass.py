"""One pass over all tables makes both sides equal; the next one has nothing to do."""

import pytest
from django.db import connection

from crmsync.ledger.demo import planted_attention
from crmsync.ledger.models import Customer
from crmsync.sync.models import Obstacle, Part
from crmsync.terms import JobState, Side
from tests.sandboxes import Sandbox
from tests.sync import checker
from tests.sync.runs import run_all, settle


def differences(sandbox: Sandbox) -> list[str]:
    with connection.cursor() as cursor:
        return checker.differences(sandbox, cursor)


@pytest.fixture
def settled(connected: Sandbox) -> Sandbox:
    jobs = settle()
    assert {job.state for job in jobs} == {JobState.FINISHED}
    return connected


def test_every_record_in_scope_stands_once_on_both_sides_with_equal_values(
    settled: Sandbox,
) -> None:
    assert differences(settled) == []
    with connection.cursor() as cursor:
        assert checker.currencies_missing_there(settled, cursor) == ["ISK"]
        assert checker.salespeople_unlike_users(settled, cursor) == []


def test_what_needs_attention_is_exactly_what_was_planted(settled: Sandbox) -> None:
    found = sorted((one.mapping, one.side, one.outcome, one.code) for one in Obstacle.objects.all())
    planted = sorted(
        (one.mapping, str(one.side), str(one.outcome), one.code) for one in planted_attention()
    )
    assert found == planted


def test_a_second_pass_with_nothing_changed_writes_nothing(settled: Sandbox) -> None:
    mark, stamps = settled.mark(), dict(Customer.objects.values_list("number", "stamp"))

    run_all()

    assert settled.writes(mark) == []
    assert dict(Customer.objects.values_list("number", "stamp")) == stamps


def test_a_repeat_costs_at_most_two_requests_a_tracked_table(settled: Sandbox) -> None:
    run_all()
    mark = settled.mark()

    run_all()

    asked = [entry["url"] for entry in settled.journal(mark) if "/accounts" in entry["url"]]
    assert len(asked) <= 2


def test_after_ten_edits_on_each_side_exactly_those_are_written(settled: Sandbox) -> None:
    coupled = [row for row in settled.dump("accounts") if row["accountnumber"]]
    numbers = sorted(
        row["accountnumber"]
        for row in coupled
        if row["accountnumber"] not in checker.planted(Side.LEDGER)
    )
    numbers = [n for n in numbers if Customer.objects.filter(number=n, blocked="").exists()]
    here, there = numbers[:10], numbers[10:20]
    by_number = {row["accountnumber"]: row["accountid"] for row in coupled}
    for number in here:
        Customer.objects.filter(number=number).update(city="Odense")
    settled.edit(
        *(
            {"set": "accounts", "id": by_number[n], "values": {"address1_city": "Aarhus"}}
            for n in there
        )
    )
    mark, stamps = settled.mark(), dict(Customer.objects.values_list("number", "stamp"))
    before = {row["accountid"]: row["versionnumber"] for row in settled.dump("accounts")}

    run_all()

    changed = {
        row["accountnumber"]
        for row in settled.dump("accounts")
        if row["versionnumber"] != before[row["accountid"]]
    }
    touched = {
        n for n, stamp in Customer.objects.values_list("number", "stamp") if stamps[n] != stamp
    }
    assert changed == set(here)
    assert touched == set(there)
    assert sum(entry["rows"] for entry in settled.writes(mark)) == 10
    assert set(Customer.objects.filter(number__in=there).values_list("city", flat=True)) == {
        "Aarhus"
    }
    assert differences(settled) == []


def test_every_record_seen_has_exactly_one_outcome(settled: Sandbox) -> None:
    for part in Part.objects.exclude(seen=0):
        outcomes = (
            part.inserted
            + part.modified
            + part.deleted
            + part.unchanged
            + part.coupled
            + part.uncoupled
            + part.deferred
            + part.undecided
            + part.failed
            + part.skipped
        )
        assert part.seen == outcomes
