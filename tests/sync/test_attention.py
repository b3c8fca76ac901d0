"""What waits for a person, what waits for a parent, and how little is touched when asked so."""

from datetime import date
from decimal import Decimal

import pytest

from crmsync.ledger.models import Currency, CurrencyExchangeRate, Customer
from crmsync.sync import jobs, phases, working
from crmsync.sync.deferrals import has_ready_deferrals
from crmsync.sync.jobs import AlreadyActive
from crmsync.sync.models import Coupling, Job, Obstacle, Part
from crmsync.terms import JobState, PhaseName, Side
from tests.sandboxes import Sandbox
from tests.sync.pairs import accounts, in_the_way, pair
from tests.sync.runs import run

TOO_LONG = "https://" + "x" * 212


def phase(job: Job, name: PhaseName) -> Part:
    return job.parts.get(phase=name)


def test_a_refused_record_is_skipped_until_it_is_edited(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    one.edit_here(home_page=TOO_LONG)
    first = run("CUSTOMER")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("failed", "value_too_long")
    assert phase(first, PhaseName.TO_CRM).failed == 1
    before = phase(first, PhaseName.TO_CRM).skipped

    second = run("CUSTOMER")

    assert phase(second, PhaseName.TO_CRM).failed == 0
    assert phase(second, PhaseName.TO_CRM).skipped == before + 1
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("failed", "value_too_long")

    one.edit_here(home_page="https://adatum.example")
    run("CUSTOMER")

    assert in_the_way(one.customer.pk, Side.LEDGER) is None
    assert one.sides("home_page", "websiteurl") == (
        "https://adatum.example",
        "https://adatum.example",
    )


def test_a_row_that_sales_refuses_does_not_stop_the_others(settled: Sandbox) -> None:
    refused, fine = pair(settled, "10000"), pair(settled, "20000")
    refused.edit_here(home_page=TOO_LONG)
    fine.edit_here(city="Odense")

    run("CUSTOMER")

    assert fine.sides("city", "address1_city") == ("Odense", "Odense")


def test_what_failed_is_tried_again_when_asked(settled: Sandbox) -> None:
    refusal = {"status": 400, "code": "0x80040265", "message": "A plug-in says no."}
    customer = Customer.objects.create(number="70000", name="Litware")
    settled.fault({"path": "CreateMultiple|batch"}, refusal, times=2)
    run("CUSTOMER")
    assert in_the_way(customer.pk, Side.LEDGER) == ("failed", "rejected")
    settled.clear_faults()

    run("CUSTOMER")
    assert in_the_way(customer.pk, Side.LEDGER) == ("failed", "rejected")
    run("CUSTOMER", retries_failed=True)

    assert in_the_way(customer.pk, Side.LEDGER) is None
    assert pair(settled, "70000").sides("name", "name") == ("Litware", "Litware")


def test_a_record_set_aside_says_what_happened_and_in_which_field(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    one.edit_here(home_page=TOO_LONG)

    run("CUSTOMER")

    found = Obstacle.objects.get(record_id=one.customer.pk)
    assert found.details == {
        "field": "home_page",
        "size": 220,
        "most": 200,
        "in_product": "Sales",
    }
    assert "220 characters; Sales takes at most 200" in found.sentence


def test_a_customer_that_waits_for_its_currency_follows_by_itself(settled: Sandbox) -> None:
    customer = Customer.objects.get(number="35451236")
    assert in_the_way(customer.pk, Side.LEDGER) == ("deferred", "parent_not_coupled")
    assert not has_ready_deferrals(mapping="CUSTOMER")
    CurrencyExchangeRate.objects.create(
        currency=Currency.objects.get(code="ISK"),
        starting_date=date(2025, 1, 1),
        exchange_rate_amount=Decimal(1000),
        relational_amount=Decimal("5.7"),
    )

    run("CURRENCY")
    assert has_ready_deferrals(mapping="CUSTOMER")
    run("CUSTOMER")

    one = pair(settled, "35451236")
    (krona,) = [
        row for row in settled.dump("transactioncurrencies") if row["isocurrencycode"] == "ISK"
    ]
    assert one.sides("name", "_transactioncurrencyid_value") == (
        "Gagn & Gaman",
        krona["transactioncurrencyid"],
    )
    assert in_the_way(customer.pk, Side.LEDGER) is None
    assert not has_ready_deferrals(mapping="CUSTOMER")


def test_a_rate_that_has_not_begun_is_no_rate(settled: Sandbox) -> None:
    krona = Currency.objects.get(code="ISK")
    CurrencyExchangeRate.objects.create(
        currency=krona,
        starting_date=date(2999, 1, 1),
        exchange_rate_amount=Decimal(1000),
        relational_amount=Decimal("5.7"),
    )

    run("CURRENCY")

    assert in_the_way(krona.pk, Side.LEDGER) == ("failed", "exchange_rate_missing")


def test_starting_with_ten_touches_ten_records_at_most_and_both_ways(connected: Sandbox) -> None:
    run("SALESPEOPLE")
    run("CURRENCY")
    numbers = set(Customer.objects.values_list("number", flat=True))
    rows = {row["accountid"]: row["versionnumber"] for row in accounts(connected)}

    job = run("CUSTOMER", limit=10)

    written = [
        row["accountid"]
        for row in accounts(connected)
        if rows.get(row["accountid"]) != row["versionnumber"]
    ]
    made = set(Customer.objects.values_list("number", flat=True)) - numbers
    assert job.state == JobState.FINISHED
    assert written
    assert made
    assert len(written) + len(made) <= 10
    both = [phase(job, name) for name in (PhaseName.FROM_CRM, PhaseName.TO_CRM)]
    assert sum(one.seen - one.unchanged for one in both) <= 10


def test_after_the_ten_the_rest_follows_and_nothing_is_done_twice(connected: Sandbox) -> None:
    run("SALESPEOPLE")
    run("CURRENCY")
    run("CUSTOMER", limit=10)

    run("CUSTOMER")
    mark = connected.mark()
    run("CUSTOMER")

    waiting = set(Obstacle.objects.values_list("record_id", flat=True))
    coupled = set(Coupling.objects.values_list("ledger_id", flat=True))
    in_scope = set(Customer.objects.filter(blocked="").values_list("pk", flat=True))
    assert in_scope <= waiting | coupled
    assert connected.writes(mark) == []
    ids = [row["accountid"] for row in accounts(connected)]
    assert len(ids) == len(set(ids))


def test_a_mapping_has_one_job_at_a_time(settled: Sandbox) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")

    with pytest.raises(AlreadyActive) as caught:
        jobs.request(mapping="CUSTOMER", by="test")

    assert caught.value.job == job
    assert jobs.cancel(job_id=job.pk)
    assert not jobs.cancel(job_id=job.pk)
    assert run("CUSTOMER").state == JobState.FINISHED


def test_a_cancelled_job_writes_nothing_any_more(settled: Sandbox) -> None:
    pair(settled, "10000").edit_here(city="Odense")
    job = jobs.request(mapping="CUSTOMER", by="test")
    part_ids = list(job.parts.values_list("pk", flat=True))
    jobs.cancel(job_id=job.pk)
    mark = settled.mark()

    for part_id in part_ids:
        working.run_slice(part_id=part_id, worker="test")
    phases.advance(job_id=job.pk)

    assert settled.journal(mark) == []
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
