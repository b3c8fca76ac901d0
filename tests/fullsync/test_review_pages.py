"""CRM Full Synch. Review, as people see it and use it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from crmsync.connections import services as connections
from crmsync.connections.models import Connection, WorkerHeartbeat
from crmsync.frame.people import Role
from crmsync.ledger.models import Customer, Salesperson
from crmsync.sync import jobs, leases
from crmsync.sync.models import Change, Coupling, CrmTable, Job, Obstacle
from crmsync.terms import FirstWinner, JobState
from fullsync import services
from fullsync.models import FullSync, ReviewLine
from tests.fullsync.runs import drive, finished_run
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.sync import runs

REVIEW = "/full-synchronization/"


@pytest.fixture
def operator(db: None) -> Client:
    return client_of(Role.OPERATIONS)


def _text(client: Client, url: str = REVIEW, **headers: str) -> str:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_without_a_connection_the_page_says_so_and_offers_the_setup(db: None) -> None:
    setup = reverse("setup_wizard:start")

    assert f'href="{setup}"' in _text(client_of(Role.ADMINISTRATORS)).split("<main")[1]
    assert f'href="{setup}"' not in _text(client_of(Role.OPERATIONS))
    assert "not connected to Sales yet" in _text(client_of(Role.ACCOUNTANTS))


def test_a_setup_that_is_half_done_is_to_be_continued_before_a_run(
    connected: Sandbox, operator: Client
) -> None:
    Connection.objects.update(is_being_set_up=True, is_enabled=False)

    page = _text(client_of(Role.ADMINISTRATORS)).split("<main")[1]
    assert "The setup of the connection is not finished." in page
    assert f'<a href="{reverse("setup_wizard:start")}">Continue the setup</a>' in page
    assert "mend what disabled it" not in page
    answer = operator.post("/full-synchronization/start/", follow=True).content.decode()
    assert "Have the administrator continue the setup." in answer
    assert not FullSync.objects.exists()


def test_before_the_first_run_the_page_recommends_ten(connected: Sandbox, operator: Client) -> None:
    page = _text(operator)

    assert "Nothing has begun" in page
    assert "Start with ten" in page
    assert "Salespeople, Currencies" in page or "Currencies, Salespeople" in page


def test_a_disabled_connection_still_shows_the_run_and_begins_nothing(
    connected: Sandbox, operator: Client
) -> None:
    finished_run(limit=1)
    Connection.objects.update(is_enabled=False, disabled_because="The secret was revoked.")

    page = _text(operator)

    assert "The secret was revoked." in page
    assert 'id="start"' not in page
    before = FullSync.objects.count()
    operator.post("/full-synchronization/start/")
    assert FullSync.objects.count() == before


@pytest.mark.parametrize(
    ("trouble", "because"),
    [
        ("disabled", "Start and Restart need a connection that is enabled."),
        ("no connection", "Start and Restart need a connection that is enabled."),
        ("no table", "No table is in scope of the connection. Reset"),
    ],
)
def test_without_a_usable_connection_the_lines_are_reset_all_the_same(
    settled: Sandbox, operator: Client, trouble: str, because: str
) -> None:
    run = finished_run()
    assert because not in _text(operator)
    _make_unusable(trouble)

    page = _text(operator)

    assert because in page
    assert page.count('action="/full-synchronization/reset/"') == 1
    for action in ("start", "restart"):
        assert f'action="/full-synchronization/{action}/"' not in page
    operator.post("/full-synchronization/reset/")
    run.refresh_from_db()
    assert run.put_aside_at is not None


def _make_unusable(trouble: str) -> None:
    if trouble == "disabled":
        Connection.objects.update(is_enabled=False, disabled_because="The secret has expired.")
    elif trouble == "no table":
        Connection.objects.update(scopes=[])
    else:
        Connection.objects.all().delete()


def test_the_first_column_of_each_line_leads_to_three_different_places(
    settled: Sandbox, operator: Client
) -> None:
    run = finished_run()
    job = run.lines.get(mapping="CUSTOMER").job_id

    page = _text(operator)

    for url in (f"/jobs/{job}/", f"/jobs/{job}/to-crm/", f"/jobs/{job}/from-crm/"):
        assert f'href="{url}"' in page
        assert operator.get(url).status_code == 200


def test_a_finished_line_says_how_many_need_attention_and_leads_to_them(
    settled: Sandbox, operator: Client
) -> None:
    finished_run()

    page = _text(operator)

    assert "need attention" in page
    assert 'href="/errors/?table=CUSTOMER"' in page


def test_with_no_worker_alive_nothing_is_said_to_be_in_process(
    connected: Sandbox, operator: Client
) -> None:
    run = services.start(by="anna")

    page = _text(operator)

    assert "Waits for a worker since" in page
    assert "In Process" not in page
    assert "Waits for Currencies, Salespeople" in page or "Waits for Salespeople" in page
    assert run.state == JobState.RUNNING


def test_in_process_is_said_while_a_worker_holds_a_part(
    connected: Sandbox, operator: Client
) -> None:
    run = services.start(by="anna")
    connections.beat(worker="a")
    job = run.lines.get(mapping="CURRENCY").job
    assert job is not None
    assert leases.claim(job.parts.get().pk, worker="a")

    assert "In Process" in _text(operator)

    job.parts.update(lease_until="2020-01-01T00:00:00Z")
    WorkerHeartbeat.objects.update(seen_at="2020-01-01T00:00:00Z")
    assert "In Process" not in _text(operator)


def test_a_page_of_an_active_run_refreshes_itself_and_a_finished_one_does_not(
    connected: Sandbox, operator: Client
) -> None:
    run = services.start(by="anna")
    active = _text(operator)
    drive(run)
    over = _text(operator)

    assert "hx-trigger" in active
    assert 'http-equiv="refresh"' in active
    assert "hx-trigger" not in over
    assert 'http-equiv="refresh"' not in over


def test_a_fragment_announces_only_what_is_new(connected: Sandbox, operator: Client) -> None:
    services.start(by="anna")
    fragment = {"HX-Request": "true"}

    first = _text(operator, **fragment)
    again = _text(operator, first.split('hx-get="')[1].split('"')[0], **fragment)

    assert 'hx-swap-oob="true"' in first
    assert "<html" not in first
    assert 'hx-swap-oob="true"' not in again


def test_a_stopped_table_stands_first_with_its_sentence_and_its_remedy(
    connected: Sandbox, operator: Client
) -> None:
    connected.fault({"path": "transactioncurrencies"}, {"status": 403, "code": "0x80040220"})
    drive(services.start(by="anna"))

    page = _text(operator)

    assert "Currencies stopped. The integration user lacks a privilege on this table" in page
    assert "0x80040220" in page
    assert "to give the role of the integration user the privilege that is named here" in page
    rows = [part.split('"')[0] for part in page.split('<tr id="line-')[1:]]
    assert rows[0] == "CURRENCY"
    assert "Needs Currencies, which is not finished" in page


def test_start_with_ten_takes_at_most_ten_a_table_and_shows_them_side_by_side(
    connected: Sandbox, operator: Client
) -> None:
    Customer.objects.update(email="")
    operator.post("/full-synchronization/start/", {"limit": "10"})
    run = drive(FullSync.objects.get())

    assert (run.limit, run.started_by) == (10, "a-operations")
    page = _text(operator)
    url = f"/full-synchronization/{run.pk}/side-by-side/"
    assert f'href="{url}"' in page
    shown = _text(operator, f"{url}?table=CUSTOMER")
    coupling = Coupling.objects.filter(mapping="CUSTOMER", is_intent=False).first()
    assert coupling is not None
    customer = Customer.objects.get(pk=coupling.ledger_id)
    assert customer.number in shown
    assert "Equal" in shown
    assert "Continue with the rest" in shown


def test_a_field_that_differs_is_marked_side_by_side(connected: Sandbox, operator: Client) -> None:
    run = finished_run(limit=10)
    change = Change.objects.filter(mapping="CUSTOMER").first()
    assert change is not None
    Customer.objects.filter(pk=change.ledger_id).update(city="Elsewhere")

    shown = _text(operator, f"/full-synchronization/{run.pk}/side-by-side/?table=CUSTOMER")

    marked = [row for row in shown.split("<tr") if row.startswith(' class="differs"')]
    assert any("Elsewhere" in row and "Differs" in row for row in marked)


@pytest.mark.parametrize(("ownership", "is_marked"), [("salesperson", True), ("team", False)])
def test_an_owner_differs_side_by_side_only_where_owners_follow_salespeople(
    connected: Sandbox, operator: Client, ownership: str, is_marked: bool
) -> None:
    runs.couple_certain("SALESPEOPLE", FirstWinner.CRM)
    run = finished_run(limit=10)
    Connection.objects.update(ownership=ownership)
    marked: list[str] = []

    # Nobody is owned by both of their users.
    for person in ("JO", "EH"):
        Customer.objects.update(salesperson=Salesperson.objects.get(code=person))
        shown = _text(operator, f"/full-synchronization/{run.pk}/side-by-side/?table=CUSTOMER")
        marked += [row for row in shown.split("<tr") if row.startswith(' class="differs"')]

    assert any("Salesperson" in row for row in marked) == is_marked


def test_a_second_start_names_the_run_that_is_under_way(
    connected: Sandbox, operator: Client
) -> None:
    run = services.start(by="anna")

    answer = operator.post("/full-synchronization/start/", follow=True)

    assert f"Full synchronization {run.pk} is under way." in answer.content.decode()
    assert FullSync.objects.count() == 1


def test_cancel_asks_first_and_keeps_who_did_it(connected: Sandbox, operator: Client) -> None:
    run = services.start(by="anna")

    assert "Cancel the run" in _text(operator, "/full-synchronization/cancel/")
    run.refresh_from_db()
    assert run.state == JobState.RUNNING
    operator.post("/full-synchronization/cancel/")

    run.refresh_from_db()
    assert (run.state, run.cancelled_by) == (JobState.CANCELLED, "a-operations")
    assert not Job.objects.filter(state=JobState.RUNNING).exists()


def test_restart_of_one_line_leaves_the_others_finished(
    connected: Sandbox, operator: Client
) -> None:
    run = finished_run(limit=2)
    before = run.lines.get(mapping="CURRENCY").job_id

    operator.post("/full-synchronization/restart/", {"mapping": "CUSTOMER"})

    again = run.lines.get(mapping="CUSTOMER")
    assert again.job is not None
    assert (again.state, again.job.retries_failed) == (JobState.RUNNING, True)
    assert run.lines.get(mapping="CURRENCY").job_id == before
    assert drive(run).state == JobState.FINISHED


def test_a_table_that_is_being_synchronized_is_not_restarted(
    connected: Sandbox, operator: Client
) -> None:
    run = services.start(by="anna")
    job = run.lines.get(mapping="CURRENCY").job_id

    answer = operator.post("/full-synchronization/restart/", {"mapping": "CURRENCY"}, follow=True)

    assert "being synchronized" in answer.content.decode()
    assert run.lines.get(mapping="CURRENCY").job_id == job


def test_a_finished_run_that_left_nothing_is_not_opened_again(
    settled: Sandbox, operator: Client
) -> None:
    run = finished_run()
    url = "/full-synchronization/restart/"

    one = operator.post(url, {"mapping": "SALESPEOPLE"}, follow=True).content.decode()
    Obstacle.objects.all().delete()
    whole = operator.post(url, follow=True).content.decode()

    assert "no record needs attention" in one
    assert 'id="restart-SALESPEOPLE"' not in one
    assert "no record needs attention" in whole
    ended = run.finished_at
    run.refresh_from_db()
    assert (run.state, run.finished_at) == (JobState.FINISHED, ended)


@pytest.mark.parametrize("mapping", ["", "CUSTOMER"])
@pytest.mark.parametrize("trouble", ["disabled", "no connection", "no table"])
def test_without_a_usable_connection_nothing_is_restarted(
    settled: Sandbox, operator: Client, mapping: str, trouble: str
) -> None:
    run = finished_run()
    _make_unusable(trouble)

    url = "/full-synchronization/restart/"
    page = operator.post(url, {"mapping": mapping}, follow=True).content.decode()

    assert "goes on" not in page
    ended = run.finished_at
    run.refresh_from_db()
    assert (run.state, run.finished_at) == (JobState.FINISHED, ended)
    assert not Job.objects.filter(state=JobState.RUNNING).exists()


def test_restart_takes_only_lines_that_left_something(settled: Sandbox) -> None:
    run = finished_run()

    services.restart()

    states = dict(ReviewLine.objects.filter(full_sync=run).values_list("mapping", "state"))
    assert states == {"CURRENCY": "running", "CUSTOMER": "waiting", "SALESPEOPLE": "finished"}


def test_reset_shows_fresh_lines_and_keeps_every_coupling(
    settled: Sandbox, operator: Client
) -> None:
    run = finished_run()
    couplings = Coupling.objects.filter(removed_at=None).count()

    operator.post("/full-synchronization/reset/")

    assert "Nothing has begun" in _text(operator)
    assert f'href="/full-synchronization/{run.pk}/"' in _text(operator, f"{REVIEW}runs/")
    assert "Run" in _text(operator, f"/full-synchronization/{run.pk}/")
    assert Coupling.objects.filter(removed_at=None).count() == couplings


def test_a_past_run_tells_whom_it_left_behind_then_not_who_waits_today(
    settled: Sandbox, operator: Client
) -> None:
    first = finished_run()
    left = Obstacle.objects.count()
    customers = Obstacle.objects.filter(mapping="CUSTOMER").count()
    assert f"{left} need attention" in _text(operator)
    second = finished_run()

    Obstacle.objects.all().delete()
    CrmTable.objects.update(full_read_because="The columns are others.")

    page = _text(operator, f"{REVIEW}{first.pk}/")
    assert f"jobs finished, 100 % · {left} need attention" in page
    assert f"{customers} need attention" in page
    assert "read in full" not in page
    assert "/errors/?table=" not in page
    latest = _text(operator, f"{REVIEW}{second.pk}/")
    assert "need attention" not in latest
    assert "read in full" in latest
    assert _text(operator, f"{REVIEW}runs/").count(f"{left} need attention") == 1


def test_a_past_run_is_read_only(connected: Sandbox, operator: Client) -> None:
    run = finished_run(limit=1)

    page = _text(operator, f"/full-synchronization/{run.pk}/").split("<main")[1]

    assert 'action="/full-synchronization/' not in page


@pytest.mark.parametrize("action", ["start", "restart", "reset", "cancel"])
def test_accountants_look_but_do_not_operate(connected: Sandbox, action: str) -> None:
    accountant = client_of(Role.ACCOUNTANTS)

    assert "Start with ten</button>" not in _text(accountant)
    assert accountant.post(f"/full-synchronization/{action}/").status_code == 403
    assert not FullSync.objects.exists()


def test_runs_that_do_not_exist_are_not_found(operator: Client) -> None:
    for url in ("/full-synchronization/999/", "/full-synchronization/999/side-by-side/"):
        assert operator.get(url).status_code == 404
    assert operator.get("/jobs/999/to-crm/").status_code == 404
    assert operator.get(f"/jobs/{10**30}/").status_code == 404


def test_every_page_asks_the_database_seven_times_at_most(
    settled: Sandbox,
    operator: Client,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    run = finished_run(limit=5)
    job: Any = run.lines.get(mapping="CUSTOMER").job_id
    urls = [
        REVIEW,
        f"{REVIEW}runs/",
        f"{REVIEW}cancel/",
        f"{REVIEW}{run.pk}/",
        f"{REVIEW}{run.pk}/side-by-side/",
        "/jobs/",
        f"/jobs/{job}/",
        f"/jobs/{job}/cancel/",
        *(f"/jobs/{job}/to-crm/?outcome={one}" for one in ("inserted", "failed", "restored")),
        *(f"/jobs/{job}/from-crm/?outcome={one}" for one in ("modified", "undecided")),
        "/errors/",
        "/errors/search/?q=10000",
    ]
    for url in urls:
        with django_assert_max_num_queries(7):
            assert operator.get(url).status_code == 200, url


def test_a_job_of_the_table_that_is_under_way_is_what_a_line_waits_for(
    connected: Sandbox, operator: Client
) -> None:
    other = jobs.request(mapping="CURRENCY", by="somebody", limit=3)
    services.start(by="anna")

    page = _text(operator)

    assert f"Waits for job {other.pk} of this table" in page
    assert f'href="/jobs/{other.pk}/"' in page
