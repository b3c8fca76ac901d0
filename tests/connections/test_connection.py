"""The connection as work needs it: verified, shared, and closed to everybody at once."""

import uuid

import pytest
from pytest_django import Settings

from crmsync.connections import services as connections
from crmsync.connections.errors import Disabled, NotConnected, SecretUnreadable
from crmsync.connections.models import Connection
from crmsync.dataverse import administration
from crmsync.dataverse.errors import DataverseError, SignInFailed, WrongOrganization
from crmsync.sync import jobs, working
from crmsync.terms import JobState
from tests.sandboxes import Sandbox
from tests.sync.runs import run


def test_without_a_connection_the_remedy_is_to_connect(db: None) -> None:
    with pytest.raises(NotConnected) as caught:
        connections.get_connection()

    assert "connect" in caught.value.remedy


def test_a_disabled_connection_says_why(connected: Sandbox) -> None:
    Connection.objects.update(is_enabled=False, disabled_because="The contract ended.")

    with pytest.raises(Disabled, match="The contract ended"):
        connections.get_connection()


def test_the_client_acts_as_the_integration_user(connected: Sandbox) -> None:
    client = connections.open_client(connection=connections.get_connection())

    caller = administration.who_am_i(client)

    assert str(caller.user_id) == connected.ready["application"]["id"]


def test_one_client_serves_the_whole_process(connected: Sandbox) -> None:
    found = connections.get_connection()

    assert connections.open_client(connection=found) is connections.open_client(connection=found)


def test_another_organization_at_the_same_address_is_refused(connected: Sandbox) -> None:
    Connection.objects.update(organization_id=uuid.uuid4())

    with pytest.raises(WrongOrganization):
        connections.open_client(connection=connections.get_connection())


def test_a_client_of_the_wrong_organization_is_not_kept(connected: Sandbox) -> None:
    Connection.objects.update(organization_id=uuid.uuid4())
    for _ in range(2):
        with pytest.raises(WrongOrganization):
            connections.open_client(connection=connections.get_connection())


def test_a_job_of_the_wrong_organization_stops_with_one_message(connected: Sandbox) -> None:
    Connection.objects.update(organization_id=uuid.uuid4())
    mark = connected.mark()

    job = run("CUSTOMER")

    assert (job.state, job.error_code) == (JobState.STOPPED, "wrong_organization")
    assert job.error_remedy
    assert connected.writes(mark) == []


def test_a_lost_key_stops_the_job_and_says_what_to_do(
    connected: Sandbox, settings: Settings
) -> None:
    settings.CRMSYNC_SEALING_KEYS = ["another key"]

    with pytest.raises(SecretUnreadable):
        connections.open_client(connection=connections.get_connection())
    job = run("CUSTOMER")

    assert (job.state, job.error_code) == (JobState.STOPPED, "secret_unreadable")
    assert "connect again" in job.error_remedy


def test_a_secret_that_sales_does_not_take_any_more_stops_the_job(connected: Sandbox) -> None:
    connected.fault({"path": "/token"}, {"status": 401, "body": '{"error": "invalid_client"}'})

    with pytest.raises(SignInFailed):
        connections.open_client(connection=connections.get_connection())
    job = run("CUSTOMER")

    assert (job.state, job.error_code) == (JobState.STOPPED, "sign_in_failed")


def test_a_sign_in_service_that_is_away_for_a_moment_stops_nothing(connected: Sandbox) -> None:
    connected.fault({"path": "/token"}, {"status": 503, "body": "<html></html>"}, times=1)

    assert run("SALESPEOPLE").state == JobState.FINISHED


def test_a_closed_gate_is_closed_for_everybody_and_a_shorter_wait_keeps_it_so(
    connected: Sandbox,
) -> None:
    assert connections.gate_remaining() == 0.0

    connections.close_gate(seconds=100.0)
    connections.close_gate(seconds=2.0)

    assert 2.0 < connections.gate_remaining() <= 100.0
    mark = connected.mark()
    job = jobs.request(mapping="CUSTOMER", by="test")
    working.run_slice(part_id=job.parts.get().pk, worker="test")
    assert [entry for entry in connected.journal(mark) if "/accounts" in entry["url"]] == []
    assert job.parts.get().waits_because == "Sales asked us to wait."


def test_no_secret_shows_where_a_connection_is_printed(connected: Sandbox) -> None:
    found = connections.get_connection()
    client = connections.open_client(connection=found)
    secret = connected.ready["application"]["client_secret"]

    printed = f"{found!r} {found} {client!r} {client.channel!r} {client.channel._tokens!r}"

    assert secret not in printed
    assert secret not in found.sealed_secret
    assert issubclass(WrongOrganization, DataverseError)
