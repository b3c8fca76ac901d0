"""Set Up Coupling in the browser's steps; judged by raw rows of both sides."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from coupling.models import Suggestion
from crmsync.connections import services as connections
from crmsync.frame.people import Role
from crmsync.ledger.models import Customer
from crmsync.sync import jobs
from crmsync.sync.models import Coupling, CrmRecord, Job, NotTheSame, Obstacle
from crmsync.terms import FirstWinner
from tests.coupling import records
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.sync.pairs import account, accounts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> None:
    cache.clear()


@pytest.fixture
def accountant(db: None) -> Client:
    return client_of(Role.ACCOUNTANTS)


def address(ours: Customer, page: str = "") -> str:
    return f"/tables/CUSTOMER/{ours.pk}/coupling/{page}"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def sales_account(sandbox: Sandbox, **values: Any) -> str:
    """A row made by a Sales user, read by us; its id."""
    sandbox.edit({"set": "accounts", "create": {"customertypecode": 3, **values}})
    jobs.read_sales(mapping="CUSTOMER", by="test")
    (row,) = [row for row in accounts(sandbox) if row["name"] == values["name"]]
    return str(row["accountid"])


def drive(job: Job) -> None:
    jobs.drive(job_id=job.pk, worker="test", most_breaks=10)


def test_a_counterpart_is_found_by_typing(accountant: Client) -> None:
    ours = records.customer("10000")
    free = records.account("Nordic Boats", accountnumber="X1")
    records.couple(records.customer("20000"), records.account("Nordic Bikes"))
    records.account("Nordic Trains", statecode=1)

    html = text(accountant.get(address(ours), {"q": "nordic"}))

    assert f"?crm={free.crm_id}" in html
    assert "Coupled with 20000" in html
    assert "Inactive, or of another type" in html
    assert "?crm=" + str(free.crm_id) in text(accountant.get(address(ours), {"q": "X1"}))


def test_a_row_that_was_never_read_is_to_be_read_not_uncoupled(accountant: Client) -> None:
    ours = records.customer("10000")
    form = {"crm": uuid4(), "winner": "ledger"}

    html = text(accountant.post(address(ours), form, follow=True))

    assert "The row is not in Sales, or was not read yet. Read Sales again" in html
    assert "Delete the other coupling first" not in html


def test_typing_brings_the_found_rows_alone(accountant: Client) -> None:
    ours = records.customer("10000")

    html = text(accountant.get(address(ours), {"q": "x"}, headers={"HX-Request": "true"}))

    assert html.startswith('<div id="found">')


def test_suggestions_stand_first_with_their_reasons(accountant: Client) -> None:
    ours = records.customer("10000", name="Nordic Boats", email="a@nordic.test")
    theirs = records.account("Nordic Boats", emailaddress1="a@nordic.test")

    html = text(accountant.get(address(ours)))

    assert f"?crm={theirs.crm_id}" in html
    assert "Same Email" in html


def test_sales_that_was_not_read_yet_can_be_read(accountant: Client) -> None:
    records.connection()
    ours = records.customer("10000")
    assert "Sales has not been read yet" in text(accountant.get(address(ours)))

    answer = accountant.post(address(ours, "read/"))

    job = Job.objects.get()
    assert job.phases == ["refresh"]
    assert answer["Location"] == address(ours, f"{job.pk}/")
    assert "every 2s" in text(accountant.get(answer["Location"]))
    jobs.cancel(job_id=job.pk)
    assert "every 2s" not in text(accountant.get(answer["Location"]))


@pytest.mark.parametrize("door", ["read/", "new/"])
def test_over_a_disabled_connection_nothing_is_read_or_created(
    accountant: Client, door: str
) -> None:
    records.disabled_connection()
    ours, theirs = records.customer("10000"), records.account("Nordic Boats")
    form = {"not_the_same": [theirs.crm_id]}

    html = text(accountant.post(address(ours, door), form, follow=True))

    assert "The secret was revoked. Have the administrator mend what disabled it" in html
    assert not Job.objects.exists()
    assert not NotTheSame.objects.exists()


def test_over_a_disabled_connection_a_pair_is_coupled_and_not_synchronized(
    accountant: Client,
) -> None:
    records.disabled_connection()
    ours, theirs = records.customer("10000"), records.account("Nordic Boats")
    form = {"crm": theirs.crm_id, "winner": "ledger", "synchronizes": "on"}

    html = text(accountant.post(address(ours), form, follow=True))

    assert "10000 is coupled." in html
    assert "The secret was revoked. Have the administrator mend what disabled it" in html
    assert not Job.objects.exists()


def test_the_parent_that_comes_first_is_named(accountant: Client) -> None:
    seller = records.salesperson("JR")
    ours = records.customer("10000", salesperson=seller)

    html = text(accountant.get(address(ours)))

    assert "Couple it first" in html
    assert f"/tables/SALESPEOPLE/{seller.pk}/coupling/" in html


def test_a_chosen_pair_stands_side_by_side_under_the_winner(accountant: Client) -> None:
    records.connection()
    ours = records.customer("10000", name="Nordic Boats", city="Odense")
    theirs = records.account("Nordic Boats", address1_city="Vejle")

    ledger = text(accountant.get(address(ours), {"crm": str(theirs.crm_id)}))
    crm = text(accountant.get(address(ours), {"crm": str(theirs.crm_id), "winner": "crm"}))

    city = re.compile(
        r"City</span>.*?Odense.*?Vejle.*?Differs.*?tag-info.*?<span>(.*?)</span>", re.S
    )
    assert "replace those in Sales (recommended for this table)" in ledger
    assert city.search(ledger)[1] == "Will be written to Sales"  # type: ignore[index]
    assert city.search(crm)[1] == "Will be written to Financials"  # type: ignore[index]
    assert not Coupling.objects.exists()


def test_a_winner_nobody_knows_is_the_recommended_one(accountant: Client) -> None:
    records.connection()
    ours = records.customer("10000")
    theirs = records.account("Nordic Boats")

    html = text(accountant.get(address(ours), {"crm": str(theirs.crm_id), "winner": "me"}))

    assert '<input type="hidden" name="winner" value="ledger">' in html


@pytest.mark.parametrize("crm", ["nonsense", "", "%00"])
def test_a_row_that_is_no_id_leads_to_the_choice(accountant: Client, crm: str) -> None:
    ours = records.customer("10000")

    assert "Search in Sales" in text(accountant.get(address(ours), {"crm": crm}))


def test_a_row_that_is_gone_says_so(accountant: Client) -> None:
    records.connection()
    ours = records.customer("10000")
    gone = "0" * 31 + "1"

    html = text(accountant.get(address(ours), {"crm": gone}))

    assert "The row is not in Sales, or was not read yet." in html


def test_a_pair_somebody_else_coupled_meanwhile_is_refused(accountant: Client) -> None:
    ours = records.customer("10000")
    theirs = records.account("Nordic Boats")
    records.couple(records.customer("20000"), theirs)

    answer = accountant.post(
        address(ours), {"crm": str(theirs.crm_id), "winner": "ledger"}, follow=True
    )

    assert "20000" in text(answer)
    assert "is coupled." not in text(answer)
    assert Coupling.objects.count() == 1


@pytest.mark.parametrize("data", [{}, {"crm": "x", "winner": "ledger"}, {"winner": "nobody"}])
def test_a_form_that_makes_no_sense_couples_nothing(
    accountant: Client, data: dict[str, str]
) -> None:
    ours = records.customer("10000")

    assert "Nothing was coupled" in text(accountant.post(address(ours), data, follow=True))


def test_operations_look_and_cannot_couple() -> None:
    operator = client_of(Role.OPERATIONS)
    ours, theirs = records.customer("10000"), records.account("Nordic Boats")

    assert operator.get(address(ours)).status_code == 200
    sent = {"crm": str(theirs.crm_id), "winner": "ledger"}
    assert operator.post(address(ours), sent).status_code == 403
    assert operator.post(address(ours, "new/")).status_code == 403
    assert not Coupling.objects.exists()


def test_salespeople_are_never_created_in_sales(accountant: Client) -> None:
    seller = records.salesperson("JR")
    path = f"/tables/SALESPEOPLE/{seller.pk}/coupling/"

    assert "Create New in Sales" not in text(accountant.get(path))
    assert accountant.post(f"{path}new/").status_code == 404


# Against the sandbox


@pytest.mark.parametrize("winner", [FirstWinner.LEDGER, FirstWinner.CRM])
def test_the_winner_s_values_stand_on_both_sides_afterwards(
    accountant: Client, connected: Sandbox, winner: FirstWinner
) -> None:
    ours = records.customer("A-1", name="Nordic Boats", city="Odense")
    crm_id = sales_account(connected, name="Nordic Boats", address1_city="Vejle")

    answer = accountant.post(
        address(ours), {"crm": crm_id, "winner": winner.value, "synchronizes": "on"}
    )
    job = Job.objects.latest("pk")
    drive(job)

    assert answer["Location"] == address(ours, f"{job.pk}/")
    row = account(connected, crm_id)
    assert row is not None
    expected = "Odense" if winner is FirstWinner.LEDGER else "Vejle"
    assert (Customer.objects.get(pk=ours.pk).city, row["address1_city"]) == (expected, expected)
    coupling = Coupling.objects.get(ledger_id=ours.pk)
    assert (coupling.coupled_by, coupling.origin) == ("a-accountants", "person")
    html = text(accountant.get(answer["Location"]))
    assert re.search(r"City:.*Odense|City:.*Vejle", html, re.S)
    assert "every 2s" not in html


def test_coupling_without_synchronizing_writes_nothing(
    accountant: Client, connected: Sandbox
) -> None:
    ours = records.customer("A-1", name="Nordic Boats", city="Odense")
    crm_id = sales_account(connected, name="Nordic Boats", address1_city="Vejle")
    jobs_before = Job.objects.count()

    accountant.post(address(ours), {"crm": crm_id, "winner": "ledger"})

    row = account(connected, crm_id)
    assert row is not None
    assert row["address1_city"] == "Vejle"
    assert Job.objects.count() == jobs_before
    html = text(accountant.get(address(ours)))
    assert "Delete Coupling" in html
    assert "Vejle" in html


def test_a_new_one_is_created_after_saying_that_the_twin_is_another(
    accountant: Client, connected: Sandbox
) -> None:
    ours = records.customer("A-1", name="Nordic Boats")
    twin = sales_account(connected, name="Nordic Boats")

    html = text(accountant.get(address(ours, "new/")))
    assert f'name="not_the_same" value="{twin}"' in html
    accountant.post(address(ours, "new/"), {"not_the_same": twin})
    job = Job.objects.latest("pk")
    assert job.only == {"ledger": [str(ours.pk)], "crm": []}
    assert job.retries_failed
    drive(job)

    named = [row for row in accounts(connected) if row["name"] == "Nordic Boats"]
    assert {row["accountnumber"] for row in named} == {None, "A-1"}
    coupling = Coupling.objects.get(ledger_id=ours.pk)
    assert str(coupling.crm_id) != twin
    assert NotTheSame.objects.get().said_by == "a-accountants"
    assert "Created the account in Sales" in text(accountant.get(address(ours, f"{job.pk}/")))


def test_a_twin_that_came_meanwhile_is_not_dismissed_unseen(
    accountant: Client, connected: Sandbox
) -> None:
    ours = records.customer("A-1", name="Nordic Boats")
    sales_account(connected, name="Nordic Boats")

    accountant.post(address(ours, "new/"))
    job = Job.objects.latest("pk")
    drive(job)

    assert [row["name"] for row in accounts(connected)].count("Nordic Boats") == 1
    assert not Coupling.objects.filter(ledger_id=ours.pk).exists()
    html = text(accountant.get(address(ours, f"{job.pk}/")))
    assert "Looks like a record on the other side" in html


def suggest(ours: Customer, theirs: CrmRecord) -> None:
    Suggestion.objects.create(
        mapping="CUSTOMER",
        ledger_id=ours.pk,
        number=ours.number,
        crm_table="account",
        crm_id=theirs.crm_id,
        certainty="likely",
        reasons={"same": ["name"]},
    )


def test_a_suggestion_is_coupled_by_one_click(accountant: Client) -> None:
    ours = records.customer("10000", name="Nordic Boats")
    theirs = records.account("Nordic Boats")
    suggest(ours, theirs)
    listed = text(accountant.get(f"/tables/CUSTOMER/?tab=suggested&selected={ours.pk}"))
    assert "Same Name" in listed

    assert f'name="crm" value="{theirs.crm_id}"' in listed
    assert "Fill blanks only: values that differ wait for a person." in listed

    accountant.post(f"/tables/CUSTOMER/{ours.pk}/accept/", {"crm": str(theirs.crm_id)})

    coupling = Coupling.objects.get()
    assert (coupling.ledger_id, coupling.crm_id) == (ours.pk, theirs.crm_id)
    assert coupling.first_winner == FirstWinner.FILL_BLANKS
    assert CrmRecord.objects.count() == 1


@pytest.mark.parametrize("seen", ["another", "nonsense", ""])
def test_a_suggestion_that_is_another_by_now_is_not_coupled_unseen(
    accountant: Client, seen: str
) -> None:
    ours = records.customer("10000", name="Nordic Boats")
    shown, replaced_by = records.account("Nordic Boat"), records.account("Nordic Boats")
    suggest(ours, replaced_by)
    said = str(shown.crm_id) if seen == "another" else seen

    html = text(accountant.post(f"/tables/CUSTOMER/{ours.pk}/accept/", {"crm": said}, follow=True))

    assert "is coupled." not in html
    assert not Coupling.objects.exists()


# Out of scope


@pytest.mark.parametrize("values", [{"statecode": 1}, {"customertypecode": 1}])
def test_a_row_that_is_never_synchronized_is_not_coupled(
    accountant: Client, values: dict[str, int]
) -> None:
    ours, theirs = records.customer("10000"), records.account("Nordic Boats", **values)

    answer = accountant.post(
        address(ours), {"crm": str(theirs.crm_id), "winner": "ledger"}, follow=True
    )

    assert "The row in Sales is inactive or of another type. Mend the row in Sales" in text(answer)
    assert not Coupling.objects.exists()


def test_a_record_out_of_scope_is_not_created_in_sales(accountant: Client) -> None:
    records.connection()
    ours = records.customer("60080", blocked="all")

    html = text(accountant.get(address(ours, "new/")))
    assert "It is out of scope: Blocked is “All”." in html
    assert "Create</button>" not in html
    assert address(ours, "new/") not in text(accountant.get(address(ours)))

    html = text(accountant.post(address(ours, "new/"), follow=True))
    assert html.count("It is out of scope: Blocked is “All”.") == 2
    assert not Job.objects.exists()


# What a job made of it


def result_of(client: Client, ours: Customer, job: Job) -> str:
    return text(client.get(address(ours, f"{job.pk}/")))


NOT_TRIED = "Nothing shows that this job tries this record"


def test_a_job_that_began_before_the_coupling_may_have_passed_the_record(
    accountant: Client,
) -> None:
    records.connection()
    ours = records.customer("10000")
    job = jobs.request(mapping="CUSTOMER", by="anna")
    records.couple(ours, records.account("Nordic Boats"))

    assert NOT_TRIED in result_of(accountant, ours, job)


def test_a_limited_job_need_not_reach_the_record(accountant: Client) -> None:
    records.connection()
    ours, _coupling = records.coupled_customer("10000")
    job = jobs.request(mapping="CUSTOMER", by="anna", limit=5)

    assert NOT_TRIED in result_of(accountant, ours, job)


def test_a_job_of_the_whole_table_that_began_afterwards_is_about_the_record(
    accountant: Client,
) -> None:
    records.connection()
    ours, _coupling = records.coupled_customer("10000")
    job = jobs.request(mapping="CUSTOMER", by="anna")

    assert NOT_TRIED not in result_of(accountant, ours, job)


def test_a_refused_record_is_tried_by_a_job_that_retries(accountant: Client) -> None:
    records.connection()
    ours, _coupling = records.coupled_customer("10000")
    Obstacle.objects.create(
        mapping="CUSTOMER", side="ledger", record_id=ours.pk, outcome="failed", code="rejected"
    )
    passing_by = jobs.request(mapping="CUSTOMER", by="anna")
    assert NOT_TRIED in result_of(accountant, ours, passing_by)
    jobs.cancel(job_id=passing_by.pk)

    retrying = jobs.request(mapping="CUSTOMER", by="anna", retries_failed=True)

    assert NOT_TRIED not in result_of(accountant, ours, retrying)


def test_a_job_without_a_worker_waits_for_one(accountant: Client) -> None:
    records.connection()
    ours, _coupling = records.coupled_customer("10000")
    job = jobs.request(mapping="CUSTOMER", by="anna")

    html = result_of(accountant, ours, job)
    assert "Waits for a worker" in html
    assert "Under way" not in html

    connections.beat(worker="one")
    assert "Under way" in result_of(accountant, ours, job)
