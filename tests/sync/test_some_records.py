"""A job about some records only: they and their counterparts are brought in line, nobody else."""

from uuid import uuid4

import pytest

from crmsync.ledger.models import Customer
from crmsync.sync import jobs, phases, working
from crmsync.sync.models import Coupling, CrmRecord, Job, Obstacle
from crmsync.sync.refusals import WrongSelection
from crmsync.sync.walk import Only
from crmsync.terms import JobState, PhaseName, Side
from fullsync import services as fullsync
from fullsync.models import ReviewLine
from tests.sandboxes import Sandbox
from tests.sync.pairs import accounts, in_the_way, live_coupling, pair


def run_only(only: Only, *, retries_failed: bool = False) -> Job:
    job = jobs.request(mapping="CUSTOMER", by="test", only=only, retries_failed=retries_failed)
    return jobs.drive(job_id=job.pk, worker="test", most_breaks=10)


def test_only_the_record_asked_for_is_brought_to_sales(settled: Sandbox) -> None:
    asked, other = pair(settled, "10000"), pair(settled, "20000")
    asked.edit_here(city="Odense")
    other.edit_here(city="Aarhus")
    before = other.account

    job = run_only(Only(ledger=[asked.customer.pk]))

    assert asked.sides("city", "address1_city") == ("Odense", "Odense")
    assert other.account == before
    assert job.parts.filter(phase=PhaseName.TO_CRM).count() == 1
    assert job.parts.get(phase=PhaseName.TO_CRM).seen == 1


def test_only_the_row_asked_for_is_brought_here_and_its_record_walked_back(
    settled: Sandbox,
) -> None:
    asked, other = pair(settled, "10000"), pair(settled, "20000")
    asked.edit_there(address1_city="Odense", accountnumber="ELSEWHERE")
    other.edit_there(address1_city="Aarhus")
    stamp = other.customer.stamp

    run_only(Only(crm=[live_coupling("10000").crm_id]))

    assert asked.sides("city", "address1_city") == ("Odense", "Odense")
    assert asked.sides("number", "accountnumber") == ("10000", "10000")
    assert other.customer.stamp == stamp


def test_a_record_asked_for_gets_what_changed_in_its_row(settled: Sandbox) -> None:
    asked = pair(settled, "10000")
    asked.edit_there(address1_city="Odense")

    run_only(Only(ledger=[asked.customer.pk]))

    assert asked.customer.city == "Odense"


def test_a_row_without_counterpart_is_inserted_when_it_is_asked_for(settled: Sandbox) -> None:
    asked, other = settled.edit(
        {"set": "accounts", "create": {"name": "Litware", "customertypecode": 3}},
        {"set": "accounts", "create": {"name": "Fabrikam Kites", "customertypecode": 3}},
    )
    jobs.read_sales(mapping="CUSTOMER", by="test")
    record = CrmRecord.objects.get(crm_id=asked)

    run_only(Only(crm=[record.crm_id]))

    made = Customer.objects.get(name="Litware")
    numbers = {row["accountid"]: row["accountnumber"] for row in accounts(settled)}
    assert numbers[asked] == made.number
    assert not numbers[other]
    assert not Customer.objects.filter(name="Fabrikam Kites").exists()


def test_records_that_were_not_walked_are_not_taken_for_gone(settled: Sandbox) -> None:
    obstacles = set(Obstacle.objects.filter(mapping="CUSTOMER").values_list("record_id", "code"))
    couplings = Coupling.objects.filter(removed_at__isnull=True).count()
    rows = CrmRecord.objects.filter(table="account", is_deleted=False).count()
    mark = settled.mark()

    run_only(Only(ledger=[pair(settled, "10000").customer.pk]))

    after = set(Obstacle.objects.filter(mapping="CUSTOMER").values_list("record_id", "code"))
    assert obstacles
    assert after == obstacles
    assert Coupling.objects.filter(removed_at__isnull=True).count() == couplings
    assert CrmRecord.objects.filter(table="account", is_deleted=False).count() == rows
    assert settled.writes(mark) == []


def test_a_record_that_is_gone_is_seen_by_its_row(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    key = one.customer.pk
    one.customer.delete()

    run_only(Only(ledger=[key]))

    assert in_the_way(one.crm_id, Side.CRM) == ("undecided", "deleted_in_ledger")


def test_what_failed_is_tried_again_for_the_chosen_record_alone(settled: Sandbox) -> None:
    refusal = {"status": 400, "code": "0x80040265", "message": "A plug-in says no."}
    chosen = Customer.objects.create(number="70000", name="Litware")
    other = Customer.objects.create(number="70001", name="Fabrikam Kites")
    settled.fault({"path": "CreateMultiple|batch"}, refusal)
    run_only(Only(ledger=[chosen.pk, other.pk]))
    assert in_the_way(chosen.pk, Side.LEDGER) == ("failed", "rejected")
    settled.clear_faults()

    run_only(Only(ledger=[chosen.pk]), retries_failed=True)

    assert pair(settled, "70000").sides("name", "name") == ("Litware", "Litware")
    assert in_the_way(chosen.pk, Side.LEDGER) is None
    assert in_the_way(other.pk, Side.LEDGER) == ("failed", "rejected")


def test_a_full_synchronization_waits_for_such_a_job_and_does_not_take_it_for_its_own(
    settled: Sandbox,
) -> None:
    one = pair(settled, "10000").customer.pk
    job = jobs.request(mapping="SALESPEOPLE", by="test", only=Only(ledger=[one]))

    fullsync.start(by="test")

    line = ReviewLine.objects.get(mapping="SALESPEOPLE")
    assert (line.job, line.state) == (None, JobState.WAITING)
    jobs.drive(job_id=job.pk, worker="test", most_breaks=10)
    fullsync.advance()
    line.refresh_from_db()
    assert line.job is not None
    assert (line.job.only, line.state) == (None, JobState.RUNNING)


@pytest.mark.django_db
def test_nothing_and_too_much_are_refused_by_name() -> None:
    for only in (Only(), Only(ledger=[uuid4()] * 600, crm=[uuid4()] * 401)):
        with pytest.raises(WrongSelection) as caught:
            jobs.request(mapping="CUSTOMER", by="test", only=only)
        assert caught.value.remedy
    assert not Job.objects.exists()


def test_a_phase_says_when_it_began_and_how_many_records_it_will_walk(settled: Sandbox) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")
    assert (job.phase, job.phase_rows) == (PhaseName.REFRESH, None)
    began = job.phase_began_at
    assert began is not None
    known = {}
    while job.state == JobState.RUNNING:
        known[PhaseName(job.phase)] = job.phase_rows
        for part in job.parts.filter(phase=job.phase):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)
        job.refresh_from_db()

    for phase in (PhaseName.FROM_CRM, PhaseName.TO_CRM):
        seen = sum(job.parts.filter(phase=phase).values_list("seen", flat=True))
        assert (known[phase], seen) == (seen, known[phase])
    assert job.phase_began_at is not None
    assert job.phase_began_at >= began
