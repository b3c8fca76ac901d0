"""Each write that happened stands in the log once, on the side where it happened."""

from typing import Any

import pytest

from crmsync.ledger.models import Customer, Salesperson
from crmsync.sync import jobs, phases, working
from crmsync.sync.models import Change, Coupling, Job, Part
from crmsync.terms import JobState, Outcome, PhaseName, Side
from tests.sandboxes import Sandbox
from tests.sync.pairs import Pair, live_coupling, pair
from tests.sync.runs import run, settle


@pytest.fixture
def settled(settled: Sandbox) -> Sandbox:
    Change.objects.all().delete()
    return settled


def log(one: Pair | Customer) -> list[tuple[str, str, dict[str, Any]]]:
    key = one.pk if isinstance(one, Customer) else one.customer.pk
    changes = Change.objects.filter(mapping="CUSTOMER", ledger_id=key).order_by("pk")
    return [(change.side, change.outcome, change.fields) for change in changes]


def drive(job: Job, until: JobState | None = None) -> Job:
    while job.state == JobState.RUNNING and not (
        until is None and Part.objects.filter(job=job, breaks=1).exists()
    ):
        if until is not None:
            Part.objects.update(not_before=None)
        for part in job.parts.filter(phase=job.phase).exclude(state=JobState.FINISHED):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)
        job.refresh_from_db()
    return job


def lose_the_answer(sandbox: Sandbox, path: str) -> Job:
    """A job whose write got through and whose answer did not."""
    sandbox.fault({"path": path}, {"drop": "after"}, times=1)
    return drive(jobs.request(mapping="CUSTOMER", by="test"))


def test_the_log_has_as_many_entries_as_writes_happened(connected: Sandbox) -> None:
    done = settle()

    for job in done:
        for phase, side in ((PhaseName.TO_CRM, Side.CRM), (PhaseName.FROM_CRM, Side.LEDGER)):
            parts = job.parts.filter(phase=phase)
            written = sum(part.inserted + part.modified for part in parts)
            entries = Change.objects.filter(job_id=job.pk, side=side)
            assert entries.exclude(outcome=Outcome.COUPLED).count() == written
    created = Coupling.objects.filter(mapping="CUSTOMER", origin="created")
    inserted = Change.objects.filter(mapping="CUSTOMER", outcome=Outcome.INSERTED)
    assert set(inserted.values_list("ledger_id", flat=True)) == set(
        created.values_list("ledger_id", flat=True)
    )


def test_a_second_pass_without_changes_logs_nothing(settled: Sandbox) -> None:
    run("CUSTOMER")

    assert not Change.objects.exists()


def test_a_modification_says_what_stood_there_and_what_it_became(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    city, phone = one.customer.city, one.customer.phone_no
    one.edit_here(city="Odense")
    one.edit_there(telephone1="+45 86 12 34 56")

    job = run("CUSTOMER")

    assert log(one) == [
        (
            "ledger",
            "modified",
            {"phone_no": {"stood": phone or None, "becomes": "+45 86 12 34 56"}},
        ),
        ("crm", "modified", {"city": {"stood": city, "becomes": "Odense"}}),
    ]
    assert set(Change.objects.values_list("job_id", flat=True)) == {job.pk}
    assert Change.objects.first().crm_id == live_coupling("10000").crm_id  # type: ignore[union-attr]


def test_a_lookup_is_logged_by_the_name_of_what_it_leads_to(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    coupled = Coupling.objects.filter(mapping="SALESPEOPLE").values_list("ledger_id", flat=True)
    people = Salesperson.objects.filter(pk__in=coupled).order_by("code")
    new = next(person for person in people if person != one.customer.salesperson)
    one.edit_here(salesperson_id=new.pk)

    run("CUSTOMER")

    users = {row["systemuserid"]: row["fullname"] for row in settled.dump("systemusers")}
    row = one.account
    assert row is not None
    ((_, _, fields),) = log(one)
    assert fields["salesperson_id"]["becomes"] == users[row["_ownerid_value"]]
    assert fields["salesperson_id"]["stood"] in users.values()


def test_a_record_created_on_either_side_is_logged_without_fields(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware")
    settled.edit({"set": "accounts", "create": {"name": "Fabrikam Kites", "customertypecode": 3}})

    run("CUSTOMER")

    made = Customer.objects.get(name="Fabrikam Kites")
    assert log(customer) == [("crm", "inserted", {})]
    assert log(made)[0] == ("ledger", "inserted", {})


def test_a_record_that_is_refused_is_not_logged(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    one.edit_here(city="Odense")
    refusal = {"status": 400, "code": "0x80040265", "message": "A plug-in says no."}
    settled.fault({"path": "batch", "body": "Odense"}, refusal)
    run("CUSTOMER")
    settled.clear_faults()
    one.edit_there(address1_city="Odense")

    run("CUSTOMER")

    assert log(one) == []


@pytest.mark.parametrize("path", ["CreateMultiple", "batch"])
def test_a_create_whose_answer_was_lost_is_logged_once(settled: Sandbox, path: str) -> None:
    if path == "batch":
        settled.fault({"path": "CreateMultiple"}, {"status": 400, "code": "0x80040265"}, 1)
    customer = Customer.objects.create(number="70000", name="Litware")

    drive(lose_the_answer(settled, path), until=JobState.FINISHED)
    run("CUSTOMER")

    assert log(customer) == [("crm", "inserted", {})]


def test_an_update_whose_answer_was_lost_is_logged_once_with_what_stood_there(
    settled: Sandbox,
) -> None:
    one = pair(settled, "10000")
    city = one.customer.city
    one.edit_here(city="Odense")

    drive(lose_the_answer(settled, "batch"), until=JobState.FINISHED)
    run("CUSTOMER")

    assert log(one) == [("crm", "modified", {"city": {"stood": city, "becomes": "Odense"}})]


def test_an_update_whose_answer_was_lost_with_its_job_is_logged_by_the_next(
    settled: Sandbox,
) -> None:
    one = pair(settled, "10000")
    city = one.customer.city
    one.edit_here(city="Odense")
    job = lose_the_answer(settled, "batch")
    jobs.cancel(job_id=job.pk)
    assert log(one) == []

    run("CUSTOMER")
    run("CUSTOMER")

    assert log(one) == [("crm", "modified", {"city": {"stood": city, "becomes": "Odense"}})]
    assert Change.objects.get(ledger_id=one.customer.pk).job_id == job.pk


def test_two_writes_of_which_the_first_answer_was_lost_are_both_logged(settled: Sandbox) -> None:
    one = pair(settled, "10000")
    city = one.customer.city
    one.edit_here(city="Odense")
    job = lose_the_answer(settled, "batch")
    one.edit_here(city="Aarhus")

    drive(job, until=JobState.FINISHED)
    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Aarhus", "Aarhus")
    assert log(one) == [
        ("crm", "modified", {"city": {"stood": city, "becomes": "Odense"}}),
        ("crm", "modified", {"city": {"stood": "Odense", "becomes": "Aarhus"}}),
    ]


def test_a_value_that_comes_back_in_sales_is_not_taken_for_an_old_write(settled: Sandbox) -> None:
    """A lost answer must not speak for a value long after it was found."""
    one = pair(settled, "10000")
    one.edit_here(city="Odense")
    drive(lose_the_answer(settled, "batch"), until=JobState.FINISHED)
    one.edit_there(address1_city="Aarhus")
    run("CUSTOMER")
    one.edit_there(address1_city="Odense")

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Odense")
