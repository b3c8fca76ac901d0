"""What keeps two workers, a lost answer and a person's edit from doing harm.

Each of these tests turns red when its guard is taken out.
"""

from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from crmsync.connections import services as connections
from crmsync.dbclock import db_in
from crmsync.ledger.models import CurrencyExchangeRate, Customer
from crmsync.mapping.registry import get_mapping
from crmsync.sync import jobs, leases, phases, pull, pull_plan, working
from crmsync.sync.leases import LeaseLost, Tally
from crmsync.sync.models import Coupling, CrmRecord, Job, Obstacle, Part
from crmsync.sync.slices import Slice
from crmsync.terms import JobState, Outcome, PhaseName, Side
from tests.sandboxes import Sandbox
from tests.sync.runs import run, run_all


@pytest.fixture
def part(connected: Sandbox) -> Part:
    job = jobs.request(mapping="CURRENCY", by="test")
    return job.parts.get()


class TestALease:
    def test_keeps_everybody_else_away_while_it_holds(self, part: Part) -> None:
        assert leases.claim(part.pk, worker="one") is not None
        assert leases.claim(part.pk, worker="two") is None

    def test_that_ran_out_may_be_taken_over_and_the_death_is_counted(self, part: Part) -> None:
        leases.claim(part.pk, worker="one")
        Part.objects.filter(pk=part.pk).update(lease_until=db_in(-1))

        assert leases.claim(part.pk, worker="two") is not None
        part.refresh_from_db()
        assert (part.worker, part.deaths) == ("two", 1)

    def test_that_was_taken_over_lets_nothing_more_be_written(self, part: Part) -> None:
        first = leases.claim(part.pk, worker="one")
        Part.objects.filter(pk=part.pk).update(lease_until=db_in(-1))
        leases.claim(part.pk, worker="two")
        assert first is not None

        with pytest.raises(LeaseLost), leases.fenced(first):
            leases.checkpoint(first, {"after": "x"}, Tally({Outcome.INSERTED: 1}))

        part.refresh_from_db()
        assert (part.checkpoint, part.seen) == ({}, 0)

    def test_ends_at_once_when_the_job_is_cancelled(self, part: Part) -> None:
        lease = leases.claim(part.pk, worker="one")
        assert lease is not None

        jobs.cancel(job_id=part.job_id)

        with pytest.raises(LeaseLost):
            leases.renew(lease)

    def test_is_not_given_before_its_time_has_come(self, part: Part) -> None:
        Part.objects.filter(pk=part.pk).update(not_before=db_in(60))
        assert leases.claim(part.pk, worker="one") is None

    def test_is_not_given_for_a_phase_that_is_over(self, part: Part) -> None:
        Job.objects.filter(pk=part.job_id).update(phase=PhaseName.ABSORB)
        assert leases.claim(part.pk, worker="one") is None


class TestALostAnswer:
    """The service did what was asked, and nobody heard it say so."""

    @pytest.mark.parametrize("path", ["CreateMultiple", "batch"])
    def test_of_a_create_leads_to_the_same_row_and_to_no_second_one(
        self, settled: Sandbox, path: str
    ) -> None:
        Customer.objects.create(number="NEW-1", name="Fabrikam Residences", city="Kolding")
        if path == "batch":
            settled.fault({"path": "CreateMultiple"}, {"status": 400, "code": "0x80040265"}, 1)
        settled.fault({"method": "POST", "path": path}, {"drop": "after"}, times=1)

        mark = settled.mark()

        job = run("CUSTOMER")

        rows = [row for row in settled.dump("accounts") if row["accountnumber"] == "NEW-1"]
        assert len(rows) == 1
        sent = [e for e in settled.writes(mark) if "NEW-1" in e["body"] and e["applied"]]
        asked = [e for e in settled.writes(mark) if "NEW-1" in e["body"] and path in e["url"]]
        assert (len(sent), len(asked)) == (1, 1)
        assert job.parts.get(phase=PhaseName.TO_CRM).inserted == 1
        coupling = Coupling.objects.get(crm_id=rows[0]["accountid"])
        assert not coupling.is_intent

    def test_of_an_update_is_counted_as_the_modification_that_it_was(
        self, settled: Sandbox
    ) -> None:
        number = Coupling.objects.filter(mapping="CUSTOMER").first()
        assert number is not None
        Customer.objects.filter(pk=number.ledger_id).update(city="Vejle")
        settled.fault({"path": "batch"}, {"drop": "after"}, times=1)

        job = run("CUSTOMER")

        assert job.parts.get(phase=PhaseName.TO_CRM).modified == 1
        row = next(r for r in settled.dump("accounts") if r["accountid"] == str(number.crm_id))
        assert row["address1_city"] == "Vejle"

    def test_of_a_create_does_not_undo_what_was_edited_there_meanwhile(
        self, settled: Sandbox
    ) -> None:
        Customer.objects.create(number="NEW-2", name="Litware Analytics", city="Kolding")
        settled.fault({"method": "POST", "path": "CreateMultiple"}, {"drop": "after"}, times=1)
        job = jobs.request(mapping="CUSTOMER", by="test")
        while not Coupling.objects.filter(is_intent=True).exists():
            _one_slice(job)
        row = next(r for r in settled.dump("accounts") if r["accountnumber"] == "NEW-2")
        settled.edit(
            {"set": "accounts", "id": row["accountid"], "values": {"address1_city": "Skive"}}
        )

        Part.objects.update(not_before=None)
        jobs.drive(job_id=job.pk, worker="test")
        run("CUSTOMER")

        row = next(r for r in settled.dump("accounts") if r["accountnumber"] == "NEW-2")
        assert row["address1_city"] == "Skive"
        assert Customer.objects.get(number="NEW-2").city == "Skive"


class TestAnEdit:
    """Found again by the stamp, whoever made it and however."""

    @pytest.fixture
    def coupling(self, settled: Sandbox) -> Coupling:
        found = Coupling.objects.filter(mapping="CUSTOMER", origin="match").first()
        assert found is not None
        return found

    def test_of_a_one_way_column_on_its_wrong_side_is_undone(
        self, connected: Sandbox, coupling: Coupling
    ) -> None:
        values = {"accountnumber": "ELSEWHERE", "creditlimit": 1.0}
        connected.edit({"set": "accounts", "id": str(coupling.crm_id), "values": values})

        run("CUSTOMER")

        customer = Customer.objects.get(pk=coupling.ledger_id)
        row = _account(connected, coupling)
        assert row["accountnumber"] == customer.number
        assert row["creditlimit"] == float(customer.credit_limit)

    def test_saved_from_an_older_copy_of_the_record_is_not_lost(
        self, connected: Sandbox, coupling: Coupling
    ) -> None:
        copy = Customer.objects.get(pk=coupling.ledger_id)
        Customer.objects.filter(pk=copy.pk).update(city="Odense")
        copy.address = "Vestergade 1"
        copy.save()

        run("CUSTOMER")

        assert _account(connected, coupling)["address1_line1"] == "Vestergade 1"

    def test_of_a_field_that_is_emptied_empties_it_on_the_other_side(
        self, connected: Sandbox, coupling: Coupling
    ) -> None:
        Customer.objects.filter(pk=coupling.ledger_id).update(city="")
        connected.edit(
            {"set": "accounts", "id": str(coupling.crm_id), "values": {"telephone1": None}}
        )

        run("CUSTOMER")

        assert not _account(connected, coupling)["address1_city"]
        assert Customer.objects.get(pk=coupling.ledger_id).phone_no == ""

    def test_of_the_same_field_on_both_sides_waits_as_one_obstacle_of_the_record_here(
        self, connected: Sandbox, coupling: Coupling
    ) -> None:
        Customer.objects.filter(pk=coupling.ledger_id).update(city="Odense")
        values = {"address1_city": "Aarhus"}
        connected.edit({"set": "accounts", "id": str(coupling.crm_id), "values": values})

        run("CUSTOMER")

        waiting = Obstacle.objects.get(code="conflict")
        assert (waiting.side, waiting.record_id) == (Side.LEDGER, coupling.ledger_id)
        both = {"ledger": "Odense", "crm": "Aarhus"}
        assert waiting.details == {"fields": {"city": both}}
        assert _account(connected, coupling)["address1_city"] == "Aarhus"
        assert Customer.objects.get(pk=coupling.ledger_id).city == "Odense"


def _account(sandbox: Sandbox, coupling: Coupling) -> dict[str, Any]:
    rows = sandbox.dump("accounts")
    return next(row for row in rows if row["accountid"] == str(coupling.crm_id))


def test_an_exchange_rate_of_whole_amounts_is_not_cut_to_a_whole_number(
    connected: Sandbox,
) -> None:
    rate = CurrencyExchangeRate.objects.get(currency__code="EUR")
    rate.exchange_rate_amount, rate.relational_amount = Decimal(100), Decimal(80)
    rate.save()

    run("CURRENCY")

    rows = connected.dump("transactioncurrencies")
    assert next(r for r in rows if r["isocurrencycode"] == "EUR")["exchangerate"] == 1.25


class TestARestoredBackup:
    def test_that_forgot_a_coupling_finds_the_row_it_once_made(self, settled: Sandbox) -> None:
        Customer.objects.create(number="NEW-5", name="Munson's Pickles", city="Kolding")
        run("CUSTOMER")
        forgotten = Coupling.objects.order_by("pk").last()
        assert forgotten is not None
        forgotten.delete()
        mark = settled.mark()

        run("CUSTOMER")

        rows = [row for row in settled.dump("accounts") if row["accountnumber"] == "NEW-5"]
        assert len(rows) == 1
        assert Coupling.objects.get(crm_id=rows[0]["accountid"]).ledger_id == forgotten.ledger_id
        assert settled.writes(mark) == []

    def test_that_never_saw_the_row_adopts_it_when_it_is_created_again(
        self, settled: Sandbox
    ) -> None:
        Customer.objects.create(number="NEW-6", name="Nod Publishers")
        run("CUSTOMER")
        forgotten = Coupling.objects.order_by("pk").last()
        assert forgotten is not None
        CrmRecord.objects.filter(crm_id=forgotten.crm_id).delete()
        forgotten.delete()

        job = run("CUSTOMER")

        rows = [row for row in settled.dump("accounts") if row["accountnumber"] == "NEW-6"]
        assert len(rows) == 1
        assert job.parts.get(phase=PhaseName.TO_CRM).inserted == 1


def _one_slice(job: Job) -> None:
    job.refresh_from_db()
    for part in job.parts.filter(phase=job.phase).exclude(state=JobState.FINISHED):
        working.run_slice(part_id=part.pk, worker="test")
    phases.advance(job_id=job.pk)


class TestAPull:
    def test_never_overwrites_what_was_edited_here_after_it_was_read(
        self, settled: Sandbox
    ) -> None:
        coupling = Coupling.objects.filter(mapping="CUSTOMER", origin="match").first()
        assert coupling is not None
        settled.edit(
            {
                "set": "accounts",
                "id": str(coupling.crm_id),
                "values": {"address1_city": "Aarhus", "telephone1": "+45 86 12 34 56"},
            }
        )
        jobs.read_sales(mapping="CUSTOMER", by="test")
        work = _pull_slice()
        lookups = pull.start(work)
        records = pull.load_records(work)
        steps = pull_plan.plan(work, lookups, records)
        Customer.objects.filter(pk=coupling.ledger_id).update(city="Ribe")

        with pytest.raises(pull.LedgerChanged):
            pull.commit(work, records, steps)

        customer = Customer.objects.get(pk=coupling.ledger_id)
        assert customer.city == "Ribe"
        assert customer.phone_no != "+45 86 12 34 56"


def _pull_slice() -> Slice:
    """A worker's hold on the phase from CRM of a new job."""
    job = jobs.request(mapping="CUSTOMER", by="test")
    while job.phase != PhaseName.FROM_CRM:
        _one_slice(job)
        job.refresh_from_db()
    part = job.parts.get(phase=PhaseName.FROM_CRM)
    lease = leases.claim(part.pk, worker="test")
    assert lease is not None
    part.refresh_from_db()
    found = connections.get_connection()
    client = connections.open_client(connection=found)
    return Slice(lease, part, job, get_mapping("CUSTOMER"), found, client)


class TestARecordThatDoesHarm:
    def test_by_breaking_sales_every_time_is_set_aside_while_the_others_go_on(
        self, settled: Sandbox
    ) -> None:
        Customer.objects.create(number="BAD-1", name="Breaks Everything Ltd.")
        Customer.objects.create(number="GOOD-1", name="Humongous Insurance")
        settled.fault({"path": "CreateMultiple|batch", "body": "BAD-1"}, {"status": 500})

        job = jobs.request(mapping="CUSTOMER", by="test")
        rounds = 0
        while job.state == JobState.RUNNING and (rounds := rounds + 1) < 40:
            Part.objects.update(not_before=None)
            _one_slice(job)
            job.refresh_from_db()

        numbers = {row["accountnumber"] for row in settled.dump("accounts")}
        assert (job.state, "GOOD-1" in numbers, "BAD-1" in numbers) == ("finished", True, False)
        bad = Customer.objects.get(number="BAD-1")
        assert Obstacle.objects.get(record_id=bad.pk).code == "always_breaks"

    def test_when_sales_is_not_well_at_all_nothing_is_set_aside(self, settled: Sandbox) -> None:
        Customer.objects.create(number="NEW-3", name="Humongous Insurance")
        settled.fault({"path": "/api/data/"}, {"status": 500})

        job = jobs.request(mapping="CUSTOMER", by="test")
        for _ in range(8):
            Part.objects.update(not_before=None)
            _one_slice(job)
        settled.clear_faults()
        Part.objects.update(not_before=None)
        job = jobs.drive(job_id=job.pk, worker="test")

        assert job.parts.get(phase=PhaseName.TO_CRM).inserted == 1

    def test_by_killing_its_worker_is_set_aside_after_three_deaths(self, settled: Sandbox) -> None:
        first = Customer.objects.order_by("pk").filter(blocked="").first()
        assert first is not None
        Customer.objects.filter(pk=first.pk).update(city="Nibe")
        job = jobs.request(mapping="CUSTOMER", by="test")
        while job.phase != PhaseName.TO_CRM:
            _one_slice(job)
            job.refresh_from_db()
        part = job.parts.get(phase=PhaseName.TO_CRM)
        # Three workers died, the last one with this record in hand.
        Part.objects.filter(pk=part.pk).update(deaths=3, suspect=first.pk, epoch=F("epoch") + 3)

        jobs.drive(job_id=job.pk, worker="test")

        part.refresh_from_db()
        assert part.failed >= 1
        run_all()
        row = [r for r in settled.dump("accounts") if r["accountnumber"] == first.number]
        assert all(r["address1_city"] != "Nibe" for r in row)
