"""A creation in Sales that was broken off, and a mapping that was narrowed before the next one."""

from typing import Any

import pytest

from crmsync.ledger.models import Customer
from crmsync.mapping.overlay import OFF, Change, Setting
from crmsync.sync import jobs, phases, services, working
from crmsync.sync.models import Change as LogEntry
from crmsync.sync.models import Coupling, Job
from crmsync.sync.services import UnableToUncouple
from crmsync.terms import Outcome, PhaseName, Side
from tests.sandboxes import Sandbox
from tests.setup_wizard.remapped import change, of_table, restore
from tests.sync.pairs import accounts, in_the_way, live_coupling
from tests.sync.runs import run

FROM_SALES = of_table(Setting.DIRECTION, "from_crm")
CREATION_OFF = of_table(Setting.CREATES_IN_CRM, OFF)
NUMBER = "N0001"


def interrupted(sandbox: Sandbox, *, got_through: bool) -> Customer:
    """A new customer whose creation in Sales was sent once, without an answer."""
    ours = Customer.objects.create(number=NUMBER, name="Nowhere Else Ltd.")
    lost = {"drop": "after" if got_through else "before"}
    for path in ("accounts", "batch"):
        sandbox.fault({"method": "POST", "path": path}, lost)
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(ledger_id=ours.pk, is_intent=True).exists():
        for part in job.parts.filter(phase=Job.objects.get(pk=job.pk).phase):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)
    with pytest.raises(UnableToUncouple):
        services.remove_coupling(coupling_id=live_coupling(NUMBER).pk)
    jobs.cancel(job_id=job.pk)
    sandbox.clear_faults()
    return ours


def rows_of(sandbox: Sandbox) -> list[dict[str, Any]]:
    return [row for row in accounts(sandbox) if row["accountnumber"] == NUMBER]


def test_where_a_table_only_comes_from_sales_the_row_that_came_about_is_adopted(
    settled: Sandbox,
) -> None:
    ours = interrupted(settled, got_through=True)
    change(FROM_SALES)
    (row,) = rows_of(settled)
    edit = {"set": "accounts", "id": row["accountid"], "values": {"address1_city": "Vejle"}}
    settled.edit(edit)

    run("CUSTOMER")

    coupling = live_coupling(NUMBER)
    ours.refresh_from_db()
    assert (coupling.is_intent, ours.city) == (False, "Vejle")
    log = LogEntry.objects.filter(ledger_id=ours.pk).order_by("pk")
    assert list(log.values_list("side", "outcome")) == [
        (Side.CRM, Outcome.INSERTED),
        (Side.LEDGER, Outcome.MODIFIED),
    ]
    run("CUSTOMER")
    assert log.count() == 2


@pytest.mark.parametrize("narrowed", [FROM_SALES, CREATION_OFF])
def test_what_did_not_come_about_can_be_uncoupled(settled: Sandbox, narrowed: Change) -> None:
    ours = interrupted(settled, got_through=False)
    change(narrowed)
    run("CUSTOMER")

    assert services.remove_coupling(coupling_id=live_coupling(NUMBER).pk)

    restore()
    run("CUSTOMER")
    (row,) = rows_of(settled)
    coupling = live_coupling(NUMBER)
    assert (coupling.generation, str(coupling.crm_id)) == (2, row["accountid"])
    assert in_the_way(ours.pk, Side.LEDGER) is None


def test_a_row_that_came_about_after_all_is_not_created_a_second_time(settled: Sandbox) -> None:
    ours = interrupted(settled, got_through=True)
    services.remove_coupling(coupling_id=live_coupling(NUMBER).pk)

    run("CUSTOMER")

    assert len(rows_of(settled)) == 1
    assert in_the_way(ours.pk, Side.LEDGER) == ("undecided", "likely_twin")


def test_a_refused_record_waits_for_nothing_once_creation_is_off(settled: Sandbox) -> None:
    ours = Customer.objects.create(number=NUMBER, name="Nowhere Else Ltd.")
    refused = {"status": 400, "code": "0x80040203"}
    settled.fault({"path": "batch|CreateMultiple", "body": NUMBER}, refused)
    run("CUSTOMER")
    found = in_the_way(ours.pk, Side.LEDGER)
    assert found is not None
    assert found[0] == Outcome.FAILED
    settled.clear_faults()
    change(CREATION_OFF)

    job = run("CUSTOMER")

    assert in_the_way(ours.pk, Side.LEDGER) is None
    assert job.parts.get(phase=PhaseName.TO_CRM).skipped == 0
