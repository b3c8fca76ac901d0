"""Sales merges two accounts into one: the coupling follows to the one that stays."""

from crmsync.ledger.models import Customer
from crmsync.sync import jobs, phases, services, working
from crmsync.sync.models import Change, Coupling, Job, Obstacle, Part
from crmsync.terms import PhaseName, Side
from tests.sandboxes import Sandbox
from tests.sync.pairs import live_coupling, pair
from tests.sync.runs import run


def merge(sandbox: Sandbox, row: str, *, into: str) -> None:
    """What Sales does when a user merges two accounts."""
    values = {"merged": True, "_masterid_value": into, "statecode": 1, "statuscode": 2}
    sandbox.edit({"set": "accounts", "id": row, "values": values})


def test_a_coupling_follows_a_merged_row_to_its_master(settled: Sandbox) -> None:
    coupling = Coupling.objects.filter(mapping="CUSTOMER").first()
    assert coupling is not None
    old = next(r for r in settled.dump("accounts") if r["accountid"] == str(coupling.crm_id))
    master = settled.edit(
        {
            "set": "accounts",
            "create": {"name": old["name"], "customertypecode": 3, "address1_city": "Nakskov"},
        }
    )[0]
    merge(settled, old["accountid"], into=master)

    run("CUSTOMER")

    coupling.refresh_from_db()
    assert str(coupling.crm_id) == master
    customers = Customer.objects.filter(name=old["name"])
    assert customers.count() == 1


def test_a_master_that_belongs_to_another_record_is_left_to_a_person(settled: Sandbox) -> None:
    first, second = Coupling.objects.filter(mapping="CUSTOMER").order_by("pk")[:2]
    merge(settled, str(first.crm_id), into=str(second.crm_id))

    run("CUSTOMER")

    assert Obstacle.objects.get(record_id=first.ledger_id).code == "merged_in_sales"
    assert Coupling.objects.get(pk=first.pk).crm_id == first.crm_id


def test_what_was_sent_to_the_row_that_is_gone_was_not_written_to_its_master(
    settled: Sandbox,
) -> None:
    one, master = pair(settled, "10000"), pair(settled, "20000")
    one.edit_here(city="Vejle")
    settled.fault({"path": "batch"}, {"drop": "after"}, times=1)
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Part.objects.filter(job=job, phase=PhaseName.TO_CRM, breaks=1).exists():
        for part in Part.objects.filter(job=job, phase=Job.objects.get(pk=job.pk).phase):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)
    jobs.cancel(job_id=job.pk)
    services.remove_coupling(coupling_id=live_coupling("20000").pk)
    master.edit_there(address1_city="Vejle")
    merge(settled, one.crm_id, into=master.crm_id)

    run("CUSTOMER")

    coupling = live_coupling("10000")
    assert str(coupling.crm_id) == master.crm_id
    written = Change.objects.filter(crm_id=master.crm_id, ledger_id=coupling.ledger_id)
    assert not written.filter(side=Side.CRM, fields__has_key="city").exists()
