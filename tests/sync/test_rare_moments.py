"""Moments that a demo never shows: each of these once went wrong."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from crmsync.ledger.models import Currency, CurrencyExchangeRate, Customer, Salesperson
from crmsync.sync import jobs, phases, working
from crmsync.sync import services as sync
from crmsync.sync.models import Coupling, CrmRecord, CrmTable, Job, Obstacle, Part, Restoration
from crmsync.sync.preview import preview
from crmsync.sync.services import UnableToUncouple
from crmsync.terms import CouplingOrigin, FirstWinner, JobState, Outcome, PhaseName
from fullsync import services as fullsync
from tests.sandboxes import Sandbox
from tests.sync.runs import run, run_all


def drive_without_waiting(job: Job, *, rounds: int = 60) -> Job:
    """Work on a job to its end, as if all waits had passed."""
    for _ in range(rounds):
        job.refresh_from_db()
        if job.state != JobState.RUNNING:
            return job
        Part.objects.update(not_before=None)
        for part in job.parts.filter(phase=job.phase).exclude(state=JobState.FINISHED):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)
    pytest.fail("The job does not end.")


@pytest.mark.parametrize("act", [{"status": 503}, {"drop": "before"}])
def test_records_behind_one_that_always_breaks_are_all_sent(
    settled: Sandbox, settings: Settings, act: dict[str, object]
) -> None:
    settings.CRMSYNC_MAX_MESSAGE_ROWS = 1
    for number in range(60):
        Customer.objects.create(number=f"MANY-{number:02}", name=f"Customer of many {number}")
    settled.fault({"path": "batch|CreateMultiple", "body": "MANY-30"}, act)

    job = drive_without_waiting(jobs.request(mapping="CUSTOMER", by="test"))

    part = job.parts.get(phase=PhaseName.TO_CRM)
    there = [r for r in settled.dump("accounts") if str(r["accountnumber"]).startswith("MANY-")]
    assert (len(there), part.inserted) == (59, 59)
    assert Obstacle.objects.filter(code="always_breaks").count() == 1
    assert not Coupling.objects.filter(is_intent=True).exists()


def test_where_one_message_in_five_is_lost_the_others_stay_large_and_nobody_is_blamed(
    settled: Sandbox, settings: Settings
) -> None:
    settings.CRMSYNC_MAX_MESSAGE_ROWS = 4
    for number in range(200):
        Customer.objects.create(number=f"MANY-{number:03}", name=f"Customer of many {number}")
    settled.fault({"path": "batch|CreateMultiple", "probability": 0.2}, {"drop": "after"})
    mark = settled.mark()

    job = drive_without_waiting(jobs.request(mapping="CUSTOMER", by="test"))

    there = [r for r in settled.dump("accounts") if str(r["accountnumber"]).startswith("MANY-")]
    part = job.parts.get(phase=PhaseName.TO_CRM)
    assert (len(there), part.inserted, part.failed) == (200, 200, 0)
    creating = [e for e in settled.writes(mark) if "MANY-" in e["body"]]
    assert len(creating) < 2 * 200 / 4


def test_an_attempt_that_kept_something_begins_the_pauses_anew(
    settled: Sandbox, settings: Settings
) -> None:
    settings.CRMSYNC_MAX_MESSAGE_ROWS = 1
    for number in range(3):
        Customer.objects.create(number=f"NEW-{number}", name=f"Customer of three {number}")
    settled.fault({"path": "CreateMultiple"}, {"status": 503})
    job = jobs.request(mapping="CUSTOMER", by="test")
    part = part_to_crm(job)

    assert [breaks_after_a_slice(part) for _ in range(3)] == [1, 2, 3]
    settled.clear_faults()
    settled.fault({"path": "CreateMultiple", "body": "NEW-1"}, {"status": 503})
    assert breaks_after_a_slice(part) == 1


def part_to_crm(job: Job) -> Part:
    """Its only part, with everything done that comes before it."""
    while job.phase != PhaseName.TO_CRM:
        for part in job.parts.filter(phase=job.phase).exclude(state=JobState.FINISHED):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)
        job.refresh_from_db()
    return job.parts.get(phase=PhaseName.TO_CRM)


def breaks_after_a_slice(part: Part) -> int:
    Part.objects.update(not_before=None)
    working.run_slice(part_id=part.pk, worker="test")
    part.refresh_from_db()
    return part.breaks


def test_a_worker_that_died_after_the_last_page_of_a_reading_leaves_nothing_to_do(
    settled: Sandbox,
) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")
    part = job.parts.get(phase=PhaseName.REFRESH)
    working.run_slice(part_id=part.pk, worker="test")
    # As it was kept with that page, before the part was said to be finished.
    Part.objects.filter(pk=part.pk).update(state=JobState.QUEUED)
    Job.objects.filter(pk=job.pk).update(phase=PhaseName.REFRESH)
    job.parts.exclude(pk=part.pk).delete()
    mark = settled.mark()

    working.run_slice(part_id=part.pk, worker="another")

    part.refresh_from_db()
    assert (part.state, part.deaths) == (JobState.FINISHED, 0)
    assert [entry for entry in settled.journal(mark) if "/accounts" in entry["url"]] == []


def test_a_coupling_cannot_be_deleted_while_its_row_is_being_created(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="NEW-9", name="Wide World Importers")
    settled.fault({"path": "CreateMultiple"}, {"drop": "after"}, times=1)
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(is_intent=True).exists():
        for part in job.parts.exclude(state=JobState.FINISHED):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)

    with pytest.raises(UnableToUncouple):
        sync.remove_coupling(coupling_id=Coupling.objects.get(ledger_id=customer.pk).pk)

    drive_without_waiting(job)
    rows = [row for row in settled.dump("accounts") if row["accountnumber"] == "NEW-9"]
    assert len(rows) == 1


def test_an_edit_taken_back_after_its_answer_was_lost_is_taken_back_there(
    settled: Sandbox,
) -> None:
    coupling = Coupling.objects.filter(mapping="CUSTOMER").first()
    assert coupling is not None
    customers = Customer.objects.filter(pk=coupling.ledger_id)
    before = customers.get().city
    customers.update(city="Vejle")
    settled.fault({"path": "batch"}, {"drop": "after"}, times=1)
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Part.objects.filter(job=job, phase=PhaseName.TO_CRM, breaks=1).exists():
        for part in job.parts.exclude(state=JobState.FINISHED):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)
    jobs.cancel(job_id=job.pk)
    customers.update(city=before)

    run("CUSTOMER")

    row = next(r for r in settled.dump("accounts") if r["accountid"] == str(coupling.crm_id))
    assert (customers.get().city, row["address1_city"]) == (before, before)
    assert not Obstacle.objects.filter(code="conflict").exists()


def test_each_try_of_a_full_read_has_a_number_of_its_own(settled: Sandbox) -> None:
    """What a broken try has marked as seen may have been deleted before the next one."""
    CrmTable.objects.filter(pk="account").update(delta_link="")
    settled.fault({"path": "/accounts"}, {"drop": "before"})
    before = CrmTable.objects.get(pk="account").reading
    job = jobs.request(mapping="CUSTOMER", by="test")

    for _ in range(3):
        Part.objects.update(not_before=None)
        working.run_slice(part_id=job.parts.get().pk, worker="test")

    assert CrmTable.objects.get(pk="account").reading >= before + 2
    settled.clear_faults()
    record = CrmRecord.objects.filter(table="account", is_deleted=False).first()
    assert record is not None
    settled.edit({"set": "accounts", "delete": str(record.crm_id)})
    drive_without_waiting(job)
    record.refresh_from_db()
    assert record.is_deleted


def test_customers_follow_when_their_salesperson_is_coupled_with_another_user(
    settled: Sandbox,
) -> None:
    person = Salesperson.objects.get(code="JO")
    coupling = Coupling.objects.get(mapping="SALESPEOPLE", ledger_id=person.pk)
    taken = Coupling.objects.filter(mapping="SALESPEOPLE").values("crm_id")
    other = CrmRecord.objects.filter(table="systemuser", values__islicensed=True)
    user = other.exclude(crm_id__in=taken).filter(values__isdisabled=False).first()
    assert user is not None
    sync.remove_coupling(coupling_id=coupling.pk)
    sync.couple(
        mapping="SALESPEOPLE",
        ledger_id=person.pk,
        crm_id=user.crm_id,
        first_winner=FirstWinner.CRM,
        origin=CouplingOrigin.PERSON,
        by="test",
    )

    run("CUSTOMER")

    mine = Customer.objects.filter(salesperson=person, blocked="").values_list("number", flat=True)
    rows = [row for row in settled.dump("accounts") if row["accountnumber"] in set(mine)]
    assert rows
    assert {row["_ownerid_value"] for row in rows} == {str(user.crm_id)}


def test_what_a_one_way_field_overwrote_is_kept_on_record(settled: Sandbox) -> None:
    coupling = Coupling.objects.filter(mapping="CUSTOMER").first()
    assert coupling is not None
    values = {"accountnumber": "THEIRS-77"}
    settled.edit({"set": "accounts", "id": str(coupling.crm_id), "values": values})
    number = Customer.objects.get(pk=coupling.ledger_id).number

    run("CUSTOMER")

    kept = Restoration.objects.get(stood="THEIRS-77")
    assert (kept.field, kept.becomes, kept.record_id) == ("number", number, coupling.ledger_id)


def test_a_rate_arrives_on_the_day_on_which_it_begins(settled: Sandbox) -> None:
    euro = Currency.objects.get(code="EUR")
    tomorrow = timezone.now().date() + timedelta(days=1)
    future = CurrencyExchangeRate.objects.create(
        currency=euro, starting_date=tomorrow, exchange_rate_amount=2, relational_amount=1
    )
    run("CURRENCY")
    # The day has come: nobody edited the currency, so its stamp is what it was.
    stamp = Currency.objects.get(pk=euro.pk).stamp
    CurrencyExchangeRate.objects.filter(pk=future.pk).update(
        starting_date=tomorrow - timedelta(days=1)
    )
    Coupling.objects.filter(ledger_id=euro.pk).update(ledger_stamp=stamp + 1)

    run("CURRENCY")

    rows = settled.dump("transactioncurrencies")
    assert next(r for r in rows if r["isocurrencycode"] == "EUR")["exchangerate"] == 2


def test_two_currencies_with_one_iso_code_stop_nobody(connected: Sandbox) -> None:
    Currency.objects.create(code="EURO2", iso_code="EUR", symbol="€", description="Euro again")

    job = drive_without_waiting(jobs.request(mapping="CURRENCY", by="test"))

    assert job.state == JobState.FINISHED
    rows = [r for r in connected.dump("transactioncurrencies") if r["isocurrencycode"] == "EUR"]
    assert len(rows) == 1


def test_a_run_takes_no_mere_reading_for_its_own_job(connected: Sandbox) -> None:
    reading = jobs.request(mapping="SALESPEOPLE", by="somebody", refresh_only=True)

    full_sync = fullsync.start(by="test")

    line = full_sync.lines.get(mapping="SALESPEOPLE")
    assert (line.state, line.job) == (JobState.WAITING, None)
    jobs.drive(job_id=reading.pk, worker="test")
    fullsync.advance()
    line.refresh_from_db()
    assert line.job is not None
    assert PhaseName.FROM_CRM in line.job.phases


def test_reading_leaves_the_job_of_a_run_alone_when_sales_is_away(connected: Sandbox) -> None:
    job = jobs.request(mapping="CUSTOMER", by="run")
    connected.fault({"path": "/accounts"}, {"drop": "before"})

    jobs.read_sales(mapping="CUSTOMER", by="somebody")

    job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_a_preview_of_a_settled_company_promises_no_write(settled: Sandbox) -> None:
    run_all()

    found = preview(mappings=["CURRENCY", "SALESPEOPLE", "CUSTOMER"])

    writes = {Outcome.INSERTED, Outcome.MODIFIED, Outcome.COUPLED}
    assert all(not writes & set(counts) for one in found for counts in one.outcomes.values())


def test_what_is_gone_needs_no_attention_any_more(settled: Sandbox) -> None:
    nameless = Customer.objects.get(number="60030")
    assert Obstacle.objects.filter(record_id=nameless.pk).exists()
    nameless.delete()

    run("CUSTOMER")

    assert not Obstacle.objects.filter(record_id=nameless.pk).exists()


def test_the_extension_of_a_telephone_number_is_part_of_it(settled: Sandbox) -> None:
    coupling = Coupling.objects.filter(mapping="CUSTOMER").first()
    assert coupling is not None
    customers = Customer.objects.filter(pk=coupling.ledger_id)
    customers.update(phone_no="+45 1234567 89")
    run("CUSTOMER")
    customers.update(phone_no="+45 1234567 ext. 89")

    run("CUSTOMER")

    row = next(r for r in settled.dump("accounts") if r["accountid"] == str(coupling.crm_id))
    assert row["telephone1"] == "+45 1234567 ext. 89"
