"""Records that a person left out: neither they nor their counterparts are touched or counted."""

from uuid import UUID

import pytest

from crmsync.ledger.models import Customer
from crmsync.sync import jobs, phases, services, working
from crmsync.sync.models import Coupling, CrmRecord, Job, LeftOut, Obstacle, Part
from crmsync.sync.services import ReasonMissing, UnableToCouple
from crmsync.terms import CouplingOrigin, FirstWinner, JobState, PhaseName, Side
from tests.sandboxes import Sandbox
from tests.sync.pairs import Pair, accounts, in_the_way, pair
from tests.sync.runs import run


def leave_out(side: Side, record_id: UUID | str, reason: str = "Under dispute") -> int:
    return services.leave_out(
        mapping="CUSTOMER",
        side=side,
        record_ids=[UUID(str(record_id))],
        reason=reason,
        by="test",
    )


def take_back_in(side: Side, record_id: UUID | str) -> int:
    return services.take_back_in(mapping="CUSTOMER", side=side, record_ids=[UUID(str(record_id))])


def edit_both(one: Pair) -> tuple[int, object]:
    one.edit_here(city="Odense")
    one.edit_there(telephone1="+45 86 12 34 56")
    return one.customer.stamp, one.account


@pytest.mark.parametrize("side", list(Side))
def test_a_left_out_customer_is_not_touched_on_either_side(settled: Sandbox, side: Side) -> None:
    one, other = pair(settled, "10000"), pair(settled, "20000")
    before = run("CUSTOMER").parts
    assert leave_out(side, one.customer.pk if side is Side.LEDGER else one.crm_id) == 1
    stood = edit_both(one)
    other.edit_here(city="Aarhus")

    after = run("CUSTOMER").parts

    assert (one.customer.stamp, one.account) == stood
    assert other.sides("city", "address1_city") == ("Aarhus", "Aarhus")
    for phase in (PhaseName.FROM_CRM, PhaseName.TO_CRM):
        assert after.get(phase=phase).seen == before.get(phase=phase).seen - 1


def test_taken_back_in_it_is_brought_in_line_with_what_happened_meanwhile(
    settled: Sandbox,
) -> None:
    one = pair(settled, "10000")
    leave_out(Side.LEDGER, one.customer.pk)
    edit_both(one)
    run("CUSTOMER")

    assert take_back_in(Side.LEDGER, one.customer.pk) == 1
    assert take_back_in(Side.LEDGER, one.customer.pk) == 0
    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Odense")
    assert one.sides("phone_no", "telephone1") == ("+45 86 12 34 56", "+45 86 12 34 56")


def test_a_left_out_record_is_not_created_on_the_other_side(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware")
    (crm_id,) = settled.edit(
        {"set": "accounts", "create": {"name": "Fabrikam Kites", "customertypecode": 3}}
    )
    jobs.read_sales(mapping="CUSTOMER", by="test")
    leave_out(Side.LEDGER, customer.pk)
    leave_out(Side.CRM, crm_id)
    mark, count = settled.mark(), Customer.objects.count()

    run("CUSTOMER")

    assert settled.writes(mark) == []
    assert Customer.objects.count() == count


def test_a_left_out_record_is_nobodys_twin(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware, Inc.")
    (crm_id,) = settled.edit(
        {"set": "accounts", "create": {"name": "LITWARE INC", "customertypecode": 3}}
    )
    run("CUSTOMER")
    assert in_the_way(customer.pk, Side.LEDGER) == ("undecided", "likely_twin")

    leave_out(Side.CRM, crm_id)
    run("CUSTOMER")

    assert pair(settled, "70000").crm_id != crm_id
    assert in_the_way(customer.pk, Side.LEDGER) is None
    assert not Obstacle.objects.filter(record_id=crm_id).exists()


def test_leaving_out_clears_what_stood_in_the_way_of_the_pair(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    one.delete_there()
    run("CUSTOMER")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "deleted_in_sales")

    leave_out(Side.CRM, one.crm_id)
    run("CUSTOMER")

    assert in_the_way(one.customer.pk, Side.LEDGER) is None


def test_leaving_out_needs_a_reason_and_counts_each_record_once(settled: Sandbox) -> None:
    one = pair(settled, "10000")

    with pytest.raises(ReasonMissing):
        leave_out(Side.LEDGER, one.customer.pk, reason="  ")
    assert not LeftOut.objects.exists()

    assert leave_out(Side.LEDGER, one.customer.pk) == 1
    assert leave_out(Side.LEDGER, one.customer.pk, reason="Again") == 0
    assert leave_out(Side.LEDGER, one.crm_id) == 0
    assert LeftOut.objects.get().reason == "Under dispute"


def test_a_left_out_record_is_not_coupled(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware")
    (crm_id,) = settled.edit(
        {"set": "accounts", "create": {"name": "Litware", "customertypecode": 3}}
    )
    jobs.read_sales(mapping="CUSTOMER", by="test")
    leave_out(Side.LEDGER, customer.pk)

    with pytest.raises(UnableToCouple, match="Customer 70000 is left out") as refused:
        services.couple(
            mapping="CUSTOMER",
            ledger_id=customer.pk,
            crm_id=UUID(crm_id),
            first_winner=FirstWinner.LEDGER,
            origin=CouplingOrigin.PERSON,
            by="test",
        )

    assert str(refused.value.remedy) == "Take it back in first, or choose another record."


def one_slice(job: Job) -> Job:
    Part.objects.update(not_before=None)
    for part in job.parts.filter(phase=job.phase).exclude(state=JobState.FINISHED):
        working.run_slice(part_id=part.pk, worker="test")
    phases.advance(job_id=job.pk)
    job.refresh_from_db()
    return job


def test_what_is_left_out_while_a_job_runs_is_not_written_any_more(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    one.edit_here(city="Odense")
    job = jobs.request(mapping="CUSTOMER", by="test")
    while job.phase != PhaseName.TO_CRM:
        one_slice(job)
    before = one.account

    leave_out(Side.LEDGER, one.customer.pk)
    while job.state == JobState.RUNNING:
        one_slice(job)

    assert one.account == before
    assert job.state == JobState.FINISHED


def test_a_row_that_was_being_created_when_its_record_was_left_out_is_found_and_not_doubled(
    settled: Sandbox,
) -> None:
    customer = Customer.objects.create(number="70000", name="Litware")
    settled.fault({"path": "CreateMultiple"}, {"drop": "after"}, times=1)
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(is_intent=True).exists():
        one_slice(job)

    leave_out(Side.LEDGER, customer.pk)
    while job.state == JobState.RUNNING:
        one_slice(job)
    run("CUSTOMER")

    assert len([row for row in accounts(settled) if row["accountnumber"] == "70000"]) == 1
    assert not Coupling.objects.get(ledger_id=customer.pk).is_intent
    assert Customer.objects.filter(name="Litware").count() == 1


def test_a_row_that_was_not_created_before_its_record_was_left_out_is_created_when_it_is_back(
    settled: Sandbox,
) -> None:
    customer = Customer.objects.create(number="70000", name="Litware")
    settled.fault({"path": "CreateMultiple"}, {"drop": "before"}, times=1)
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(is_intent=True).exists():
        one_slice(job)

    leave_out(Side.LEDGER, customer.pk)
    while job.state == JobState.RUNNING:
        one_slice(job)
    assert [row for row in accounts(settled) if row["accountnumber"] == "70000"] == []

    take_back_in(Side.LEDGER, customer.pk)
    run("CUSTOMER")

    assert pair(settled, "70000").sides("name", "name") == ("Litware", "Litware")


def test_a_restored_backup_does_not_insert_the_row_of_a_left_out_record(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware")
    run("CUSTOMER")
    Coupling.objects.filter(ledger_id=customer.pk).delete()
    leave_out(Side.LEDGER, customer.pk)
    mark, count = settled.mark(), Customer.objects.count()

    run("CUSTOMER")

    assert (settled.writes(mark), Customer.objects.count()) == ([], count)


def test_a_restored_backup_does_not_couple_a_left_out_row_with_its_record(
    settled: Sandbox,
) -> None:
    customer = Customer.objects.create(number="70000", name="Litware")
    run("CUSTOMER")
    crm_id = pair(settled, "70000").crm_id
    Coupling.objects.filter(ledger_id=customer.pk).delete()
    leave_out(Side.CRM, crm_id)
    mark = settled.mark()

    run("CUSTOMER")

    assert settled.writes(mark) == []
    assert not Coupling.objects.filter(ledger_id=customer.pk).exists()
    assert CrmRecord.objects.get(crm_id=crm_id).title == "Litware"
