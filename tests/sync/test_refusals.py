"""What stops a table or everything: one message, not one a record; and nothing half stored."""

import pytest

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.ledger.models import Customer
from crmsync.sync import jobs, working
from crmsync.sync.models import Obstacle
from crmsync.terms import JobState
from fullsync import services as fullsync
from fullsync.models import ReviewLine
from tests.sandboxes import Sandbox
from tests.sync.runs import run


def test_a_missing_privilege_stops_the_table_with_one_message(connected: Sandbox) -> None:
    connected.fault(
        {"path": "/accounts"},
        {"status": 403, "code": "0x80040220", "message": "missing prvReadAccount privilege"},
    )

    job = run("CUSTOMER")

    assert (job.state, job.error_code) == (JobState.STOPPED, "privilege_missing")
    assert "prvReadAccount" in job.error_sentence
    assert job.error_remedy
    assert not Obstacle.objects.filter(mapping="CUSTOMER").exists()


def test_a_revoked_secret_stops_the_job_and_says_so(connected: Sandbox) -> None:
    refusal = '{"error": "invalid_client", "error_codes": [7000215]}'
    connected.fault({"path": "oauth2/v2.0/token"}, {"status": 401, "body": refusal})

    job = run("CUSTOMER")

    assert (job.state, job.error_code) == (JobState.STOPPED, "sign_in_failed")
    assert "secret is not valid" in job.error_sentence


def test_another_organization_at_the_same_address_is_never_written_to(connected: Sandbox) -> None:
    Connection.objects.update(organization_id="00000000-0000-0000-0000-000000000001")
    mark = connected.mark()

    job = run("CUSTOMER")

    assert (job.state, job.error_code) == (JobState.STOPPED, "wrong_organization")
    assert connected.writes(mark) == []


def test_reading_gives_up_with_a_sentence_when_sales_is_away(connected: Sandbox) -> None:
    connected.fault({"path": "/accounts"}, {"drop": "before"})

    with pytest.raises(jobs.ReadingStopped) as stopped:
        jobs.read_sales(mapping="CUSTOMER", by="test")

    assert "connection to Sales was lost" in str(stopped.value)
    assert stopped.value.remedy
    assert jobs.request(mapping="CUSTOMER", by="test").state == JobState.RUNNING


def test_a_stopped_table_holds_back_those_that_need_it_and_restart_goes_on(
    connected: Sandbox,
) -> None:
    connected.fault({"path": "transactioncurrencies"}, {"status": 403, "code": "0x80040220"})
    full_sync = fullsync.start(by="test")
    _drive(full_sync.pk)
    states = dict(full_sync.lines.values_list("mapping", "state"))
    assert states == {"CURRENCY": "stopped", "SALESPEOPLE": "finished", "CUSTOMER": "waiting"}
    full_sync.refresh_from_db()
    assert full_sync.state == JobState.STOPPED

    connected.clear_faults()
    fullsync.restart()
    _drive(full_sync.pk)

    full_sync.refresh_from_db()
    assert full_sync.state == JobState.FINISHED


def test_cancel_stops_before_the_next_write_and_keeps_what_was_written(settled: Sandbox) -> None:
    Customer.objects.create(number="NEW-4", name="Lamna Healthcare")
    full_sync = fullsync.start(by="test")

    fullsync.cancel()

    mark = settled.mark()
    _drive(full_sync.pk)
    full_sync.refresh_from_db()
    assert full_sync.state == JobState.CANCELLED
    assert settled.writes(mark) == []


def test_the_gate_of_one_worker_is_closed_for_all(connected: Sandbox) -> None:
    connections.close_gate(seconds=30)

    job = jobs.request(mapping="CURRENCY", by="test")
    mark = connected.mark()
    working.run_slice(part_id=job.parts.get().pk, worker="test")

    assert [e for e in connected.journal(mark) if "transactioncurrencies" in e["url"]] == []
    part = job.parts.get()
    assert (part.state, part.not_before is not None) == (JobState.QUEUED, True)
    assert part.breaks == 0


def _drive(full_sync_id: int) -> None:
    """Advance the run and work on its jobs here, until nothing is left to do."""
    while True:
        fullsync.advance()
        running = ReviewLine.objects.filter(full_sync_id=full_sync_id, state=JobState.RUNNING)
        line = running.select_related("job").first()
        if line is None or line.job is None:
            return
        jobs.drive(job_id=line.job.pk, worker="test")
