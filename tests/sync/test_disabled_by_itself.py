"""What concerns the whole connection disables it once, and says why; everything else does not."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override
from pytest_django import Settings

from crmsync.audit.actors import of_worker
from crmsync.audit.models import Entry
from crmsync.connections import services as connections
from crmsync.connections.errors import Disabled
from crmsync.connections.models import Connection
from crmsync.dataverse.errors import SignInFailed
from crmsync.frame.people import Role
from crmsync.sync import disabling, jobs, working
from crmsync.sync.models import Coupling
from crmsync.terms import JobState
from fullsync import services as fullsync
from tests.fullsync.runs import drive
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import administrator
from tests.sync.runs import run

EXPIRED = '{"error": "invalid_client", "error_codes": [7000222]}'


def refuse_sign_in(sandbox: Sandbox, times: int | None = None) -> None:
    connections._clients.clear()
    sandbox.fault({"path": "oauth2/v2.0/token"}, {"status": 401, "body": EXPIRED}, times=times)


def stored() -> Connection:
    return Connection.objects.get()


def why() -> tuple[bool, str, str]:
    row = stored()
    return row.is_enabled, row.disabled_code, row.disabled_service_code


def test_an_expired_secret_stops_everything_with_one_reason(connected: Sandbox) -> None:
    under_way = jobs.request(mapping="CURRENCY", by="test")
    refuse_sign_in(connected)

    job = run("CUSTOMER")

    under_way.refresh_from_db()
    for one in (job, under_way):
        assert (one.state, one.error_code) == (JobState.STOPPED, "sign_in_failed")
        assert one.error_service_code == "AADSTS7000222"
    assert why() == (False, "sign_in_failed", "AADSTS7000222")
    assert stored().disabled_at is not None
    entry = Entry.objects.get(act="connection_disabled")
    assert (entry.door, entry.after["reason"]) == ("worker", "sign_in_failed AADSTS7000222")
    with pytest.raises(Disabled, match="The application's secret has expired"):
        connections.get_connection()


def test_while_disabled_sales_is_asked_nothing(connected: Sandbox) -> None:
    refuse_sign_in(connected)
    run("CUSTOMER")
    connected.clear_faults()
    mark = connected.mark()

    later = run("CUSTOMER")

    assert (later.state, later.error_code) == (JobState.STOPPED, "sign_in_failed")
    assert connected.journal(mark) == []


@pytest.mark.parametrize("language", ["en", "da"])
def test_pages_say_why_in_the_readers_language(connected: Sandbox, language: str) -> None:
    refuse_sign_in(connected)
    run("CUSTOMER")
    client = client_of(Role.ADMINISTRATORS)
    paths = ("/", "/full-synchronization/", "/setup/connection/", "/setup/")

    with override(language):
        client.post("/language/", {"language": language, "next": "/"})
        pages = [client.get(path).content.decode() for path in paths]
        said = stored().why_disabled

    for page in pages:
        assert "AADSTS7000222" in page
        assert said.sentence.replace("'", "&#x27;") in page
    assert ("secret has expired" in pages[0]) is (language == "en")


def test_after_mending_it_goes_on_where_it_was(settled: Sandbox) -> None:
    live = Coupling.objects.filter(removed_at__isnull=True).count()
    refuse_sign_in(settled)
    full_sync = drive(fullsync.start(by="test"))
    assert full_sync.state == JobState.STOPPED
    settled.clear_faults()
    Connection.objects.update(is_enabled=True)

    full_sync = drive(fullsync.restart())

    assert full_sync.state == JobState.FINISHED
    assert Coupling.objects.filter(removed_at__isnull=True).count() == live


def test_a_single_refused_sign_in_stops_the_job_and_not_the_connection(connected: Sandbox) -> None:
    refuse_sign_in(connected, times=1)

    job = run("CUSTOMER")

    assert job.state == JobState.STOPPED
    assert why() == (True, "", "")
    assert run("CUSTOMER").state == JobState.FINISHED


def test_a_refusal_of_one_address_alone_disables_nothing(connected: Sandbox) -> None:
    connected.fault({"path": "/accounts"}, {"status": 401})

    job = run("CUSTOMER")

    assert (job.state, job.error_code) == (JobState.STOPPED, "sign_in_failed")
    assert why() == (True, "", "")
    assert run("CURRENCY").state == JobState.FINISHED


@pytest.mark.parametrize(
    "act",
    [
        {"status": 403, "code": "0x80040220", "message": "missing prvReadAccount privilege"},
        {"status": 404, "code": "0x80060888"},
    ],
)
def test_what_concerns_a_table_disables_nothing(connected: Sandbox, act: dict[str, Any]) -> None:
    connected.fault({"path": "/accounts"}, act)

    assert run("CUSTOMER").state == JobState.STOPPED

    assert why() == (True, "", "")


@pytest.mark.parametrize("act", [{"status": 503}, {"drop": "before"}, {"status": 429}])
def test_what_passes_by_itself_never_disables(connected: Sandbox, act: dict[str, Any]) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")
    connected.fault({"path": "/api/data/"}, act)
    for _ in range(3):
        working.run_slice(part_id=job.parts.get().pk, worker="test")
        job.parts.update(not_before=None)

    job.refresh_from_db()
    assert (job.state, why()) == (JobState.RUNNING, (True, "", ""))


def test_a_refusal_that_cannot_be_confirmed_disables_nothing(connected: Sandbox) -> None:
    connected.fault({"path": "/accounts"}, {"status": 401})
    connections.open_client(connection=stored())
    connected.fault({"path": "WhoAmI"}, {"status": 503})

    assert run("CUSTOMER").state == JobState.STOPPED

    assert why() == (True, "", "")


def test_another_organization_at_the_address_disables(connected: Sandbox) -> None:
    Connection.objects.update(organization_id="00000000-0000-0000-0000-000000000001")

    run("CUSTOMER")

    assert why() == (False, "wrong_organization", "")


def test_a_disabled_integration_user_disables(connected: Sandbox) -> None:
    user = connected.ready["application"]["id"]
    administrator(connected).channel.send(
        "PATCH",
        f"systemusers({user})",
        headers={"Content-Type": "application/json", "If-Match": "*"},
        body=b'{"isdisabled": true}',
    )

    run("CUSTOMER")

    assert why()[:2] == (False, "not_a_member")


def test_a_lost_key_disables_and_says_what_to_do(connected: Sandbox, settings: Settings) -> None:
    settings.CRMSYNC_SEALING_KEYS = ["another key"]

    run("CUSTOMER")

    assert why() == (False, "secret_unreadable", "")
    assert "sealing key" in stored().why_disabled.remedy


@pytest.mark.parametrize(
    "changed",
    [
        {"sealed_secret": "of somebody else"},
        {"disabled_at": timezone.now() - timedelta(hours=1)},
        {"organization_id": "00000000-0000-0000-0000-000000000001"},
    ],
)
def test_a_connection_that_was_changed_meanwhile_is_not_disabled(
    connected: Sandbox, changed: dict[str, Any]
) -> None:
    worked_with = stored()
    Connection.objects.update(**changed)

    disabled = connections.disable(
        by=of_worker("test"), cause="sign_in_failed", worked_with=worked_with
    )

    assert (disabled, stored().is_enabled) == (False, True)
    assert not Entry.objects.filter(act="connection_disabled").exists()


def test_it_is_disabled_once_however_many_slices_are_refused(connected: Sandbox) -> None:
    refuse_sign_in(connected)
    run("CUSTOMER")
    first = stored().disabled_at

    run("CURRENCY")

    assert stored().disabled_at == first
    assert Entry.objects.filter(act="connection_disabled").count() == 1


def test_each_slice_that_was_answered_says_so_once(
    connected: Sandbox, django_assert_max_num_queries: object
) -> None:
    Connection.objects.update(answered_at=None)
    refuse_sign_in(connected, times=1)
    run("CUSTOMER")
    assert stored().answered_at is None

    job = jobs.request(mapping="CUSTOMER", by="test")
    working.run_slice(part_id=job.parts.get().pk, worker="test")
    first = stored().answered_at
    assert first is not None

    connected.fault({"path": "/api/data/"}, {"drop": "before"})
    current = jobs.request(mapping="CURRENCY", by="test")
    working.run_slice(part_id=current.parts.get().pk, worker="test")
    assert stored().answered_at == first


def test_who_comes_after_a_refusal_does_not_sign_in_again(connected: Sandbox) -> None:
    """Threads that looked at the connection before any of them was refused."""
    refuse_sign_in(connected)
    mark = connected.mark()
    looked_at = [connections.get_connection() for _ in range(3)]

    for found in looked_at:
        with pytest.raises((SignInFailed, Disabled)):
            connections.open_client(connection=found)
        disabling.disable_if_refused(worked_with=found, by=of_worker("w"))

    # The one that was refused, and its proof.
    assert sum("token" in one["url"] for one in connected.journal(mark)) == 2
    assert not stored().is_enabled


def test_those_who_were_refused_at_once_prove_it_once(connected: Sandbox) -> None:
    refuse_sign_in(connected)
    looked_at = [connections.get_connection() for _ in range(3)]
    mark = connected.mark()

    disabled = [
        disabling.disable_if_refused(worked_with=found, by=of_worker("w")) for found in looked_at
    ]

    assert disabled == [True, False, False]
    assert sum("token" in one["url"] for one in connected.journal(mark)) == 1
