"""No English on Danish pages, whatever state the product is in."""

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import Settings

from coupling import services as coupling
from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.frame.people import Role
from crmsync.ledger.models import CompanyInformation, Customer
from crmsync.sync import working
from crmsync.sync.models import Coupling, CrmTable, Job, Obstacle, Part
from fullsync import services as fullsync
from fullsync.models import FullSync
from tests.fullsync.runs import drive
from tests.house.danish import english_on, in_danish
from tests.pages import ADDRESSES
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.guide import STEPS, Guide

pytestmark = pytest.mark.django_db

LISTS = ("all", "uncoupled", "suggested", "coupled", "attention", "left-out")
MATCHES = ("certain", "likely", "ambiguous", "none")


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    """A page's language stays active in its thread, which is that of all tests."""
    yield
    translation.deactivate()


@pytest.fixture
def guide(sandbox: Sandbox, books: object) -> Guide:
    return Guide(in_danish(client_of(Role.ADMINISTRATORS)), sandbox)


@pytest.fixture
def dane() -> Client:
    return in_danish(client_of(Role.ADMINISTRATORS))


def read(client: Client, addresses: Iterable[str]) -> dict[str, list[str]]:
    """The English that was found, by address."""
    client.raise_request_exception = False
    pages = ((address, client.get(address, follow=True)) for address in addresses)
    found = {address: english_on(page.content.decode()) for address, page in pages}
    return {address: pieces for address, pieces in found.items() if pieces}


def every_address(**known: Any) -> Iterator[str]:
    """All that can be shown, for the record, job and run that are ``known``."""
    for name, address in ADDRESSES.items():
        if address.shown:
            kwargs = {**address.kwargs, **{k: v for k, v in known.items() if k in address.kwargs}}
            yield reverse(name, kwargs=kwargs)


def steered() -> list[str]:
    """Where a run is watched and its jobs are looked at, the latest of each."""
    jobs = [f"/jobs/{pk}/" for pk in Job.objects.values_list("pk", flat=True)]
    runs = [f"/full-synchronization/{pk}/" for pk in FullSync.objects.values_list("pk", flat=True)]
    return ["/", "/full-synchronization/", "/full-synchronization/runs/", "/jobs/", *jobs, *runs]


@pytest.mark.parametrize(
    "page",
    ["<p>Jobbet: the job</p>", "<h2>Finished</h2>", '<a title="Sales was read">Læst</a>'],
)
def test_english_is_noticed(db: None, page: str) -> None:
    assert len(english_on(page)) == 1


def test_the_other_language_is_offered_by_its_own_name(dane: Client) -> None:
    page = dane.get("/").content.decode()

    assert ">English</button>" in page
    assert ">Dansk</button>" in page


def test_before_anything_is_entered(dane: Client) -> None:
    assert read(dane, every_address()) == {}


def test_before_the_connection(books: object, dane: Client) -> None:
    assert read(dane, every_address(record_id=Customer.objects.earliest("number").pk)) == {}


def test_before_the_first_run(connected: Sandbox, dane: Client) -> None:
    assert read(dane, every_address(record_id=Customer.objects.earliest("number").pk)) == {}


def test_after_a_run(settled: Sandbox, dane: Client) -> None:
    run = drive(fullsync.start(by="anna"))
    coupled = Coupling.objects.filter(mapping="CUSTOMER").earliest("pk").ledger_id
    alone = Customer.objects.exclude(pk__in=Coupling.objects.values("ledger_id")).earliest("number")
    job = run.lines.get(mapping="CUSTOMER").job_id

    found = {
        **read(dane, every_address(record_id=coupled, job_id=job, run_id=run.pk)),
        **read(dane, every_address(record_id=alone.pk, job_id=job, run_id=run.pk)),
        **read(dane, [f"/tables/{name}/?tab={tab}" for name in ("CUSTOMER",) for tab in LISTS]),
        **read(dane, ["/tables/CURRENCY/", "/tables/SALESPEOPLE/", "/errors/search/?q=a"]),
        **read(dane, steered()),
    }

    assert found == {}


def test_the_review_of_matches(connected: Sandbox, dane: Client) -> None:
    for mapping in ("SALESPEOPLE", "CUSTOMER"):
        coupling.match_now(mapping=mapping, by="test")

    assert read(dane, [f"/tables/CUSTOMER/match/?tab={tab}" for tab in MATCHES]) == {}


def test_matching_that_waits_and_that_stopped(connected: Sandbox, dane: Client) -> None:
    fullsync.start(by="anna")
    waiting = coupling.request_matching(mapping="SALESPEOPLE", by="test")
    coupling.run_matching(matching_id=waiting.pk, worker="test")
    Connection.objects.update(organization_id=uuid.uuid4())
    stopped = coupling.request_matching(mapping="CUSTOMER", by="test")
    coupling.run_matching(matching_id=stopped.pk, worker="test")

    assert read(dane, ["/tables/SALESPEOPLE/match/", "/tables/CUSTOMER/match/"]) == {}


@pytest.mark.parametrize("has_worker", [True, False])
def test_while_work_waits(connected: Sandbox, dane: Client, has_worker: bool) -> None:
    fullsync.start(by="anna")
    if has_worker:
        connections.beat(worker="test")
    faults: list[dict[str, Any]] = [{"status": 503}, {"drop": "before"}, {"status": 429}]
    for part, fault in zip(Part.objects.order_by("pk"), faults, strict=False):
        connected.fault({"path": "/api/data"}, fault)
        working.run_slice(part_id=part.pk, worker="test")
        connected.clear_faults()

    assert Part.objects.exclude(waits_code="").exists()
    assert read(dane, steered()) == {}


@pytest.mark.parametrize(
    ("match", "act"),
    [
        ({"path": "transactioncurrencies"}, {"status": 403, "code": "0x80040220"}),
        ({"path": "transactioncurrencies"}, {"status": 403}),
        ({"path": "transactioncurrencies"}, {"status": 404, "code": "0x80060888"}),
        ({"path": "transactioncurrencies"}, {"status": 400}),
        ({"path": "/token"}, {"status": 401, "body": '{"error_codes": [7000215]}'}),
        ({"path": "/token"}, {"status": 401, "body": '{"error": "invalid_client"}'}),
    ],
)
def test_what_stopped_by_a_refusal_of_sales(
    connected: Sandbox, dane: Client, match: dict[str, Any], act: dict[str, Any]
) -> None:
    connections._clients.clear()
    connected.fault(match, {"message": "prvReadCurrency", **act})
    drive(fullsync.start(by="anna"))

    assert Job.objects.filter(state="stopped").exists()
    assert read(dane, steered()) == {}


def test_what_stopped_by_a_lost_key(connected: Sandbox, dane: Client, settings: Settings) -> None:
    connections._clients.clear()
    settings.CRMSYNC_SEALING_KEYS = ["another key"]
    drive(fullsync.start(by="anna"))

    assert Job.objects.filter(error_code="secret_unreadable").exists()
    assert read(dane, steered()) == {}


def test_what_stopped_by_another_organization_and_by_failing_again_and_again(
    connected: Sandbox, dane: Client
) -> None:
    Connection.objects.update(organization_id=uuid.uuid4())
    run = fullsync.start(by="anna")
    Part.objects.filter(job__mapping="CURRENCY").update(deaths=working.MOST_DEATHS)
    drive(run)

    codes = set(Job.objects.values_list("error_code", flat=True))
    assert codes == {"keeps_failing", "wrong_organization"}
    assert read(dane, steered()) == {}


def test_a_run_that_was_cancelled_or_read_in_full_or_is_disabled(
    connected: Sandbox, dane: Client
) -> None:
    fullsync.start(by="anna")
    fullsync.cancel(by="bert")
    assert read(dane, steered()) == {}

    drive(fullsync.start(by="anna", limit=1))
    CrmTable.objects.update(full_read_because="the change token had expired")
    assert read(dane, steered()) == {}

    Connection.objects.update(is_enabled=False)
    record = Customer.objects.earliest("number").pk
    assert read(dane, [*steered(), *every_address(record_id=record)]) == {}


def test_every_step_of_the_setup_and_every_wrong_answer(guide: Guide) -> None:
    wrong: dict[str, list[dict[str, Any]]] = {
        "environment": [
            {"url": ""},
            {"url": "http://x"},
            {"url": "https://["},
            {"url": "https://example.org"},
            {"url": "https://x.crm.sandbox.test/path"},
            {"application_id": "x"},
        ],
        "administrator": [{"password": ""}, {"password": "wrong"}, {"username": "nobody"}],
        "integration-user": [
            {"application_secret": ""},
            {"application_secret": "wrong"},
            {"kind": "password", "username": "x", "password": "x"},
            guide.sandbox.ready["administrator"] | {"kind": "password"},
        ],
        "tables": [{"scopes": []}],
        "checks": [{"change_tracking": ["x"]}],
        "check": [{"revision": "0"}],
    }
    found = {}
    for step in STEPS:
        found[step] = english_on(guide.get(step).content.decode())
        for changes in wrong[step]:
            answer = guide.post(step, changes)
            page = guide.client.get(answer.url) if answer.status_code == 302 else answer
            found[f"{step} {changes}"] = english_on(page.content.decode())
        if step != "check":
            guide.post(step)

    assert {place: pieces for place, pieces in found.items() if pieces} == {}


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": "before"}, {"status": 403}])
def test_a_setup_that_sales_breaks_off(guide: Guide, fault: dict[str, Any]) -> None:
    guide.until("administrator")
    guide.sandbox.fault({"path": "/api/data"}, fault)

    assert english_on(guide.post("administrator").content.decode()) == []


# Machines ask after the health, in English; the other two would end the reading.
NO_FORMS = ("health", "frame:sign-out", "frame:language")
FORMS = [name for name in ADDRESSES if name not in NO_FORMS]


def answers(client: Client, **form: Any) -> dict[str, list[str]]:
    """The English on what follows each form of the product, sent with these values."""
    client.raise_request_exception = False
    record = {"record_id": form["ids"]} if "ids" in form else {}
    found = {}
    for name in FORMS:
        address = ADDRESSES[name]
        kwargs = {**address.kwargs, **{k: v for k, v in record.items() if k in address.kwargs}}
        page = client.post(reverse(name, kwargs=kwargs), form, follow=True)
        found[name] = english_on(page.content.decode())
    return {name: pieces for name, pieces in found.items() if pieces}


def test_what_is_answered_to_forms_without_a_connection(books: object, dane: Client) -> None:
    record = Customer.objects.earliest("number").pk

    assert answers(dane) == {}
    assert answers(dane, ids=record, crm=uuid.uuid4(), winner="crm", reason="x") == {}


def test_what_is_answered_to_forms_with_a_connection(settled: Sandbox, dane: Client) -> None:
    coupled = Coupling.objects.filter(mapping="CUSTOMER").earliest("pk")
    obstacle = Obstacle.objects.earliest("pk").pk
    form = {"ids": coupled.ledger_id, "crm": coupled.crm_id, "winner": "crm", "confirmed": "1"}

    assert answers(dane) == {}
    assert answers(dane, **form, one=obstacle, reason="x", synchronize="on") == {}


def test_pages_that_refuse(dane: Client, books: object) -> None:
    CompanyInformation.objects.update(experience="basic")
    outsider = in_danish(client_of(Role.ACCOUNTANTS))

    assert read(dane, ["/setup/", "/nonsense/", "/jobs/4711/", "/sign-in/"]) == {}
    assert read(outsider, ["/setup/"]) == {}
    assert read(in_danish(Client()), ["/", "/sign-in/"]) == {}
