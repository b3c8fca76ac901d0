"""Match-Based Coupling as a run: one at a time, it survives its worker, it says why it stopped."""

from uuid import UUID

import pytest

from coupling import runs, services
from coupling.errors import AlreadyMatching, MatchingStopped
from coupling.models import Matching, RowKey, Suggestion
from crmsync.connections.models import Connection
from crmsync.dbclock import db_in
from crmsync.ledger.models import Customer
from crmsync.sync import jobs
from crmsync.sync.models import CrmRecord, Job
from crmsync.terms import JobState, PhaseName
from tests.sandboxes import Sandbox


@pytest.fixture
def two_sides(db: None) -> None:
    """One customer and its account, as if Sales had been read."""
    Customer.objects.create(number="10000", name="Adatum", email="info@adatum.example")
    values = {
        "name": "ADATUM",
        "accountnumber": "10000",
        "emailaddress1": "info@adatum.example",
        "statecode": 0,
        "customertypecode": 3,
    }
    CrmRecord.objects.create(
        table="account", crm_id=UUID(int=1), etag="1", values=values, title="ADATUM"
    )


def request() -> Matching:
    return services.request_matching(mapping="CUSTOMER", by="test", reads_sales=False)


def run_out(matching: Matching) -> None:
    """Its worker was killed, and the lease ran out."""
    Matching.objects.filter(pk=matching.pk).update(lease_until=db_in(-1))


def test_a_table_is_matched_once_at_a_time(two_sides: None) -> None:
    first = request()

    with pytest.raises(AlreadyMatching) as refused:
        request()

    assert refused.value.matching_id == first.pk
    assert services.request_matching(mapping="SALESPEOPLE", by="test").pk != first.pk


def test_a_finished_run_has_suggested_and_lets_the_next_begin(two_sides: None) -> None:
    matching = request()

    services.run_matching(matching_id=matching.pk, worker="one")

    matching.refresh_from_db()
    assert matching.state == JobState.FINISHED
    assert matching.finished_at is not None
    (one,) = Suggestion.objects.all()
    assert (one.crm_id, one.certainty, one.is_chosen) == (UUID(int=1), "certain", True)
    assert request().pk != matching.pk


def test_two_workers_do_not_do_the_same_run(two_sides: None) -> None:
    matching = request()
    assert runs._claim(matching.pk, "one") is not None

    assert runs._claim(matching.pk, "other") is None
    services.run_matching(matching_id=matching.pk, worker="other")

    assert not Suggestion.objects.exists()


def test_a_run_goes_on_by_itself_when_its_worker_was_killed(two_sides: None) -> None:
    matching = request()
    runs._claim(matching.pk, "killed")
    assert list(runs._free()) == []

    run_out(matching)

    assert list(runs._free()) == [matching]
    services.run_matching(matching_id=matching.pk, worker="other")
    matching.refresh_from_db()
    assert (matching.state, matching.deaths) == (JobState.FINISHED, 1)
    assert Suggestion.objects.count() == 1


def test_a_worker_that_lost_its_lease_stores_nothing(two_sides: None) -> None:
    matching = request()
    slow = runs._claim(matching.pk, "slow")
    assert slow is not None
    run_out(matching)
    runs._claim(matching.pk, "other")

    with pytest.raises(runs._LeaseLost):
        runs._run(slow, "slow")

    assert not Suggestion.objects.exists()
    assert Matching.objects.get().state == JobState.RUNNING


def test_a_run_that_kills_every_worker_stops_and_says_so(two_sides: None) -> None:
    matching = request()
    for _ in range(runs.MOST_DEATHS):
        runs._claim(matching.pk, "killed")
        run_out(matching)

    services.run_matching(matching_id=matching.pk, worker="last")

    matching.refresh_from_db()
    assert matching.state == JobState.STOPPED
    assert "again and again" in matching.error_sentence
    assert matching.error_remedy


def test_a_run_reads_sales_first(connected: Sandbox) -> None:
    matching = services.match_now(mapping="CUSTOMER", by="test")

    assert matching.state == JobState.FINISHED
    assert Job.objects.get(mapping="CUSTOMER").phases == [PhaseName.REFRESH]
    assert services.open_suggestions("CUSTOMER").filter(is_chosen=True).count() > 20


def test_sales_is_read_in_the_name_of_who_asked_for_suggestions(connected: Sandbox) -> None:
    matching = services.request_matching(mapping="CUSTOMER", by="anna")

    services.run_matching(matching_id=matching.pk, worker="vm:13309")

    job = Job.objects.get(mapping="CUSTOMER")
    assert job.requested_by == "anna"
    assert set(job.parts.values_list("worker", flat=True)) <= {"vm:13309", ""}


def test_a_run_without_a_connection_stops_and_says_what_to_do(two_sides: None) -> None:
    with pytest.raises(MatchingStopped) as stopped:
        services.match_now(mapping="CUSTOMER", by="test")

    assert str(stopped.value)
    assert stopped.value.remedy
    assert not Connection.objects.exists()


def test_a_refused_table_stops_the_run_with_the_reason_of_sales(connected: Sandbox) -> None:
    denied = {"status": 403, "code": "0x80040220", "message": "Principal user is missing prvRead."}
    connected.fault({"path": "accounts"}, denied)

    with pytest.raises(MatchingStopped, match="missing prvRead") as stopped:
        services.match_now(mapping="CUSTOMER", by="test")

    assert stopped.value.remedy

    assert services.latest_matching(mapping="CUSTOMER") is not None
    assert not Suggestion.objects.exists()


def test_a_reading_that_a_killed_worker_left_is_brought_to_its_end(connected: Sandbox) -> None:
    left = jobs.request(mapping="CUSTOMER", by="killed", refresh_only=True)

    services.match_now(mapping="CUSTOMER", by="test")

    left.refresh_from_db()
    assert left.state == JobState.FINISHED
    assert Suggestion.objects.exists()


def test_a_run_waits_while_a_synchronization_reads_the_table(connected: Sandbox) -> None:
    jobs.request(mapping="CUSTOMER", by="test")
    matching = services.request_matching(mapping="CUSTOMER", by="test")

    services.run_matching(matching_id=matching.pk, worker="test")

    matching.refresh_from_db()
    assert matching.state == JobState.QUEUED
    assert "being read" in matching.waits_because
    assert not Suggestion.objects.exists()


def test_nobody_takes_over_while_the_worker_reads_sales(connected: Sandbox) -> None:
    matching = services.request_matching(mapping="CUSTOMER", by="test")
    runs._claim(matching.pk, "reading")
    job = jobs.request(mapping="CUSTOMER", by="reading", refresh_only=True)
    job.parts.update(state=JobState.RUNNING, lease_until=db_in(30))
    run_out(matching)

    assert list(runs._free()) == []
    job.parts.update(lease_until=db_in(-1))
    assert list(runs._free()) == [matching]


def test_a_new_run_takes_the_place_of_older_suggestions(two_sides: None) -> None:
    services.run_matching(matching_id=request().pk, worker="test")
    CrmRecord.objects.update(values={"name": "Fabrikam", "statecode": 0, "customertypecode": 3})

    services.run_matching(matching_id=request().pk, worker="test")

    assert not Suggestion.objects.exists()
    assert not RowKey.objects.exists()


def test_a_run_keeps_to_the_criteria_that_held_when_it_was_asked_for(two_sides: None) -> None:
    matching = request()
    by_city = [services.FieldCriterion("city", is_matched=True)]
    services.save_criteria(mapping="CUSTOMER", fields=by_city, by="Ann")

    services.run_matching(matching_id=matching.pk, worker="test")
    assert Suggestion.objects.count() == 1
    services.run_matching(matching_id=request().pk, worker="test")
    assert not Suggestion.objects.exists()
