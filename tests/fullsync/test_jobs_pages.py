"""Synchronization Jobs: what was done, to which records, and what stands in the way."""

from django.test import Client

from crmsync.frame.people import Role
from crmsync.ledger.models import Customer
from crmsync.sync import jobs
from crmsync.sync.models import Change, Job, Part
from crmsync.terms import JobState, Side
from fullsync.models import FullSync
from tests.fullsync.runs import finished_run
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.sync.runs import run


def _text(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_jobs_are_counted_by_state_and_filtered_by_table(connected: Sandbox) -> None:
    operator = client_of(Role.OPERATIONS)
    done = run("CURRENCY")
    waiting = jobs.request(mapping="CUSTOMER", by="anna")

    everything = _text(operator, "/jobs/")
    finished = _text(operator, "/jobs/?tab=finished")
    customers = _text(operator, "/jobs/?table=CUSTOMER")

    assert 'Active <span class="count">1</span>' in everything
    assert f"/jobs/{done.pk}/" in finished
    assert f"/jobs/{waiting.pk}/" not in finished
    assert f"/jobs/{done.pk}/" not in customers
    assert "Waits for a worker since" in customers


def test_older_jobs_are_a_page_further(connected: Sandbox) -> None:
    operator = client_of(Role.OPERATIONS)
    Job.objects.bulk_create(
        Job(mapping="CURRENCY", state=JobState.FINISHED, phases=["refresh"], phase="refresh")
        for _ in range(30)
    )
    newest = Job.objects.order_by("-pk")[0].pk

    first = _text(operator, "/jobs/")

    url = first.split('class="pager"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    second = _text(operator, f"/jobs/{url}")
    assert f"/jobs/{newest}/" in first
    assert f"/jobs/{newest}/" not in second
    assert f"/jobs/{newest - 29}/" in second


def test_a_job_shows_what_was_written_with_old_and_new_value(settled: Sandbox) -> None:
    change = Change.objects.filter(mapping="CUSTOMER", side=Side.CRM).last()
    assert change is not None
    Customer.objects.filter(pk=change.ledger_id).update(city="Nowhereville")
    job = run("CUSTOMER")

    page = _text(client_of(Role.ACCOUNTANTS), f"/jobs/{job.pk}/to-crm/?outcome=modified")

    number = Customer.objects.get(pk=change.ledger_id).number
    assert number in page
    assert "City" in page
    assert "→ Nowhereville" in page


def test_a_job_shows_refused_records_with_cause_and_remedy(settled: Sandbox) -> None:
    job = run("CUSTOMER", retries_failed=True)

    page = _text(client_of(Role.ACCOUNTANTS), f"/jobs/{job.pk}/to-crm/?outcome=failed")

    assert "60030" in page
    overview = _text(client_of(Role.OPERATIONS), f"/jobs/{job.pk}/")
    assert "What stands in the way" in overview
    assert f"/jobs/{job.pk}/to-crm/?outcome=failed" in overview


def test_a_skipped_record_is_listed_with_why_it_was_set_aside(settled: Sandbox) -> None:
    job = run("CUSTOMER")

    page = _text(client_of(Role.OPERATIONS), f"/jobs/{job.pk}/to-crm/?outcome=skipped")

    assert "60030" in page


def test_a_worker_that_died_is_not_shown_at_work(connected: Sandbox) -> None:
    job = jobs.request(mapping="CURRENCY", by="anna")
    Part.objects.filter(job=job).update(
        state=JobState.RUNNING, worker="gone:1", lease_until="2020-01-01T00:00:00Z"
    )

    page = _text(client_of(Role.OPERATIONS), f"/jobs/{job.pk}/")

    assert "In Process" not in page
    assert "Waits for a worker since" in page


def test_a_job_is_cancelled_after_asking(connected: Sandbox) -> None:
    operator = client_of(Role.OPERATIONS)
    job = jobs.request(mapping="CURRENCY", by="anna")

    assert "Cancel the job" in _text(operator, f"/jobs/{job.pk}/cancel/")
    assert client_of(Role.ACCOUNTANTS).post(f"/jobs/{job.pk}/cancel/").status_code == 403
    operator.post(f"/jobs/{job.pk}/cancel/")

    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


def test_a_job_of_a_run_leads_back_to_it(connected: Sandbox) -> None:
    full_sync: FullSync = finished_run(limit=1)
    job = full_sync.lines.get(mapping="CURRENCY").job_id

    operator = client_of(Role.OPERATIONS)

    for page in (_text(operator, f"/jobs/{job}/"), _text(operator, "/jobs/")):
        link = f'href="/full-synchronization/{full_sync.pk}/">Full synchronization {full_sync.pk}<'
        assert link in page


def test_names_from_sales_are_text_and_nothing_else(settled: Sandbox) -> None:
    change = Change.objects.filter(mapping="CUSTOMER", side=Side.CRM).last()
    assert change is not None
    Customer.objects.filter(pk=change.ledger_id).update(name="<b>Adatum</b> & sons")
    job = run("CUSTOMER")

    page = _text(client_of(Role.OPERATIONS), f"/jobs/{job.pk}/to-crm/?outcome=modified")

    assert "<b>Adatum" not in page
    assert "&lt;b&gt;Adatum" in page
