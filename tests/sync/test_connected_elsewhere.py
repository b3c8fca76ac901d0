"""The connection leads elsewhere: what was read of the former environment is never worked with."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from crmsync.audit.actors import INSTALLATION
from crmsync.connections.models import Connection
from crmsync.ledger.models import Customer
from crmsync.sync import jobs, refresh, services, working
from crmsync.sync.models import Coupling, CrmRecord, CrmTable, Job, Obstacle
from crmsync.terms import JobState
from fullsync import services as fullsync
from fullsync.errors import NothingToRestart
from fullsync.models import FullSync
from setup_wizard.connection_setup import switching
from setup_wizard.finish.acts import ACTS
from setup_wizard.finish.plan import ActName, Memory, Plan
from tests.conftest import plan_of_the_application
from tests.sandboxes import Sandbox
from tests.sync.runs import run, run_all
from tests.sync.test_disabled_by_itself import stored

ELSEWHERE = "https://elsewhere.crm.sandbox.test"

Enable = Callable[[], None]


def ready(agreed: Plan, *, organization: uuid.UUID | None, **seen: dict[str, Any]) -> Enable:
    """A setup that has come to its last act; None is the organization of the sandbox."""
    memory = Memory()
    # Without what is done in Sales besides.
    for act in (ActName.USER, ActName.STORED):
        assert ACTS[act](agreed, memory)
    memory.keep(ActName.VERIFIED, at=timezone.now().isoformat())
    if organization:
        memory.keep(
            ActName.STORED, organization_id=str(organization), organization="Another One Ltd."
        )
    for name, facts in seen.items():
        memory.keep(ActName(name), **facts)

    def enable() -> None:
        assert ACTS[ActName.ENABLED](agreed, memory)

    return enable


def of_another_organization(sandbox: Sandbox) -> Enable:
    return ready(plan_of_the_application(sandbox), organization=uuid.uuid4())


def at_another_address(sandbox: Sandbox) -> Enable:
    agreed = plan_of_the_application(sandbox)
    enable = ready(agreed, organization=None)
    object.__setattr__(agreed, "environment", replace(agreed.environment, origin=ELSEWHERE))
    return enable


def while_a_page_is_kept(monkeypatch: pytest.MonkeyPatch, enable: Enable) -> None:
    """Somebody enables the other connection when a page was read, before it is kept."""
    keep = refresh._keep
    done: list[bool] = []

    def slow(work: Any, position: Any, page: Any) -> bool:
        if not done:
            done.append(True)
            enable()
        return keep(work, position, page)

    monkeypatch.setattr(refresh, "_keep", slow)


@pytest.mark.parametrize("lead", [of_another_organization, at_another_address])
def test_a_job_that_reads_meanwhile_stops_and_keeps_nothing_it_read(
    connected: Sandbox, monkeypatch: pytest.MonkeyPatch, lead: Callable[[Sandbox], Enable]
) -> None:
    while_a_page_is_kept(monkeypatch, lead(connected))
    customers = Customer.objects.count()
    job = jobs.request(mapping="CUSTOMER", by="test")

    working.run_slice(part_id=job.parts.get().pk, worker="test")

    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.STOPPED, "connected_elsewhere")
    assert not CrmRecord.objects.exists()
    assert CrmTable.objects.get(pk="account").is_tracked is None
    assert (Coupling.objects.count(), Customer.objects.count()) == (0, customers)


def test_jobs_that_nobody_works_on_stop_as_well(connected: Sandbox) -> None:
    waiting = [jobs.request(mapping=name, by="test") for name in ("SALESPEOPLE", "CUSTOMER")]

    of_another_organization(connected)()

    assert {Job.objects.get(pk=one.pk).state for one in waiting} == {JobState.STOPPED}


def test_setting_up_the_same_environment_again_leaves_jobs_alone(connected: Sandbox) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")

    ready(plan_of_the_application(connected), organization=None)()

    job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_a_full_synchronization_does_not_go_on_with_another_organization(
    connected: Sandbox,
) -> None:
    full_sync = fullsync.start(by="anna")
    begun = Job.objects.count()

    of_another_organization(connected)()
    fullsync.advance()

    full_sync.refresh_from_db()
    assert (full_sync.state, full_sync.put_aside_at is None) == (JobState.CANCELLED, False)
    lines = set(full_sync.lines.values_list("state", flat=True))
    assert lines == {JobState.STOPPED, JobState.CANCELLED}
    assert Job.objects.count() == begun


def test_a_run_of_another_organization_cannot_be_restarted(connected: Sandbox) -> None:
    full_sync = fullsync.start(by="anna")
    fullsync.cancel()
    of_another_organization(connected)()

    with pytest.raises(NothingToRestart, match="another organization"):
        fullsync.restart()

    assert FullSync.objects.get(pk=full_sync.pk).state == JobState.CANCELLED


def test_after_a_reset_nothing_is_kept_of_the_organization_before(connected: Sandbox) -> None:
    run_all()
    live = Coupling.objects.filter(removed_at__isnull=True)
    services.remove_couplings(coupling_ids=list(live.values_list("pk", flat=True)))
    assert CrmRecord.objects.exists()
    assert Obstacle.objects.exists()
    switching.reset(by=INSTALLATION, shown=switching.which(stored()))

    of_another_organization(connected)()

    assert not CrmRecord.objects.exists()
    assert not Obstacle.objects.exists()


def test_after_a_reset_the_same_organization_finds_its_rows_again(connected: Sandbox) -> None:
    run_all()
    rows = CrmRecord.objects.count()
    switching.reset(by=INSTALLATION, shown=switching.which(stored()))

    ready(plan_of_the_application(connected), organization=None)()

    assert CrmRecord.objects.count() == rows


def test_a_table_whose_tracking_was_switched_on_is_read_by_its_changes(connected: Sandbox) -> None:
    run("CUSTOMER")
    CrmTable.objects.filter(pk="account").update(is_tracked=False, delta_link="")
    switched = {"switched": ["account"]}

    ready(plan_of_the_application(connected), organization=None, tracking=switched)()
    run("CUSTOMER")

    table = CrmTable.objects.get(pk="account")
    assert (table.is_tracked, bool(table.delta_link)) == (True, True)


def test_a_full_read_asks_anew_whether_changes_are_tracked(connected: Sandbox) -> None:
    run("CUSTOMER")
    CrmTable.objects.filter(pk="account").update(
        is_tracked=False, delta_link="", modified_until="", columns=""
    )

    run("CUSTOMER")

    table = CrmTable.objects.get(pk="account")
    assert (table.is_tracked, bool(table.delta_link)) == (True, True)


def test_the_connection_that_was_enabled_is_the_other_one(connected: Sandbox) -> None:
    at_another_address(connected)()

    assert (stored().origin, Connection.objects.count()) == (ELSEWHERE, 1)
