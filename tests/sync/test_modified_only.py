"""Synchronize Modified Records: coupled records that were changed; none is created anywhere."""

from crmsync.frame import home
from crmsync.frame.people import Role
from crmsync.ledger.models import Customer
from crmsync.sync import jobs
from crmsync.sync.models import Coupling, Job
from crmsync.terms import JobState
from fullsync import services as fullsync
from fullsync.models import FullSync
from tests.fullsync.runs import drive
from tests.people import client_of
from tests.sandboxes import Sandbox


def coupled() -> tuple[Customer, Coupling]:
    coupling = Coupling.objects.filter(mapping="CUSTOMER", removed_at__isnull=True).first()
    assert coupling is not None
    return Customer.objects.get(pk=coupling.ledger_id), coupling


def test_an_edit_is_written_and_nothing_is_created_on_either_side(settled: Sandbox) -> None:
    ours, coupling = coupled()
    Customer.objects.filter(pk=ours.pk).update(name="Renamed here A/S")
    Customer.objects.create(number="NEW-1", name="Without a counterpart here")
    settled.edit(
        {
            "set": "accounts",
            "create": {"name": "Without a counterpart there", "customertypecode": 3},
        }
    )
    here, there = Customer.objects.count(), len(settled.dump("accounts"))

    full_sync = drive(fullsync.start(by="anna", modified_only=True))

    assert full_sync.state == JobState.FINISHED
    rows = {row["accountid"]: row for row in settled.dump("accounts")}
    assert rows[str(coupling.crm_id)]["name"] == "Renamed here A/S"
    assert (Customer.objects.count(), len(rows)) == (here, there)
    assert not Coupling.objects.filter(
        ledger_id__in=Customer.objects.filter(number="NEW-1")
    ).exists()
    parts = [part for job in Job.objects.filter(modified_only=True) for part in job.parts.all()]
    assert sum(part.modified for part in parts) == 1
    assert sum(part.inserted + part.coupled for part in parts) == 0

    drive(fullsync.start(by="anna"))
    assert Customer.objects.count() == here + 1
    assert len(settled.dump("accounts")) == there + 1


def test_currencies_are_not_coupled_by_their_code_either(connected: Sandbox) -> None:
    mark = connected.mark()

    full_sync = drive(fullsync.start(by="anna", modified_only=True))

    assert full_sync.state == JobState.FINISHED
    assert Coupling.objects.count() == 0
    assert connected.writes(mark) == []


def test_a_creation_that_was_begun_is_brought_to_its_end(settled: Sandbox) -> None:
    new = Customer.objects.create(number="NEW-2", name="Half created")
    settled.fault({"path": "CreateMultiple"}, {"drop": "before"})
    settled.fault({"path": "$batch"}, {"drop": "before"})
    job = jobs.request(mapping="CUSTOMER", by="test")
    jobs.drive(job_id=job.pk, worker="test", most_breaks=2)
    assert Coupling.objects.get(ledger_id=new.pk).is_intent
    settled.clear_faults()

    drive(fullsync.start(by="anna", modified_only=True))

    assert not Coupling.objects.get(ledger_id=new.pk).is_intent
    assert [row["name"] for row in settled.dump("accounts")].count("Half created") == 1


def test_the_button_asks_for_it_and_the_run_says_what_it_is(settled: Sandbox) -> None:
    client = client_of(Role.ADMINISTRATORS)
    client.post("/full-synchronization/start/", {"modified_only": "on"})

    run = FullSync.objects.get()
    assert (run.modified_only, run.limit) == (True, None)
    page = client.get("/full-synchronization/").content.decode()
    assert "coupled records only, none is created" in page
    drive(run)
    job = Job.objects.filter(modified_only=True).first()
    assert job is not None
    assert "coupled records only" in client.get(f"/jobs/{job.pk}/").content.decode()
    assert "coupled records only" in client.get("/full-synchronization/runs/").content.decode()


def test_it_is_no_full_synchronization(connected: Sandbox) -> None:
    drive(fullsync.start(by="anna", modified_only=True))

    assert all(table.succeeded_at is None for table in home.look().tables)


def test_a_full_run_does_not_take_it_for_its_own(settled: Sandbox) -> None:
    under_way = jobs.request(mapping="CURRENCY", by="somebody", modified_only=True)

    full_sync = fullsync.start(by="anna")

    assert full_sync.lines.get(mapping="CURRENCY").job_id is None
    assert Job.objects.get(pk=under_way.pk).state == JobState.RUNNING
