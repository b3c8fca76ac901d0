"""Set Up Coupling asks the database little, whatever there is to tell: three times for the frame,
four times for itself.
"""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from coupling import lookups
from crmsync.frame.people import Role
from crmsync.ledger.models import Currency, Customer
from crmsync.sync import jobs, services
from crmsync.sync.models import CrmRecord, Job
from crmsync.terms import CouplingOrigin, FirstWinner, Side
from tests.coupling import records
from tests.people import client_of

pytestmark = pytest.mark.django_db
SELLER_THERE = "10000000-0000-0000-0000-000000000001"
CURRENCY_THERE = "20000000-0000-0000-0000-000000000002"


@pytest.fixture(autouse=True)
def _nothing_counted_before(db: None) -> None:
    cache.clear()
    # Django asks SQLite once a process whether it knows JSON.
    assert connection.features.supports_json_field


@pytest.fixture
def accountant(db: None) -> Client:
    return client_of(Role.ACCOUNTANTS)


@pytest.fixture
def ours() -> Customer:
    """A customer with both its parents, one of them coupled; and a connection."""
    records.connection()
    seller = records.salesperson("JR")
    _row_there("systemuser", SELLER_THERE, "Jane Roe")
    services.couple(
        mapping="SALESPEOPLE",
        ledger_id=seller.pk,
        crm_id=CrmRecord.objects.get(table="systemuser").crm_id,
        first_winner=FirstWinner.CRM,
        origin=CouplingOrigin.PERSON,
        by="anna",
    )
    currency = Currency.objects.create(code="EUR", iso_code="EUR")
    return records.customer(
        "10000",
        name="Nordic Boats",
        email="a@nordic.test",
        salesperson=seller,
        currency=currency,
    )


def _row_there(table: str, crm_id: str, title: str) -> None:
    CrmRecord.objects.create(table=table, crm_id=crm_id, etag="1", title=title)


def account(title: str, **values: object) -> CrmRecord:
    pointed = {"_ownerid_value": SELLER_THERE, "_transactioncurrencyid_value": CURRENCY_THERE}
    return records.account(title, **{**pointed, **values})


def address(ours: Customer, page: str = "") -> str:
    return f"/tables/CUSTOMER/{ours.pk}/coupling/{page}"


def look(client: Client, asserts: DjangoAssertNumQueries, path: str) -> str:
    with asserts(7):
        answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("searched_rows", [0, 10_000])
def test_the_suggestions(
    accountant: Client,
    ours: Customer,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
    searched_rows: int,
) -> None:
    monkeypatch.setattr(lookups, "SEARCHED_ROWS", searched_rows)
    found = [account("NORDIC BOATS", accountnumber="10000") for _ in range(3)]

    html = look(accountant, django_assert_max_num_queries, address(ours))

    assert all(f"?crm={one.crm_id}" in html for one in found)


@pytest.mark.parametrize("typed", ["nordic", "X1", "nobody"])
def test_the_rows_found_by_typing(
    accountant: Client,
    ours: Customer,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    typed: str,
) -> None:
    account("Nordic Boats", accountnumber="X1")
    records.couple(records.customer("20000"), account("Nordic Bikes", accountnumber="X10"))
    left_out = account("Nordic Trains")
    services.leave_out(
        mapping="CUSTOMER",
        side=Side.CRM,
        record_ids=[left_out.crm_id],
        reason="A test.",
        by="anna",
    )

    html = look(accountant, django_assert_max_num_queries, f"{address(ours)}?q={typed}")

    assert ("Coupled with 20000" in html) is (typed != "nobody")


@pytest.mark.parametrize(("rows", "said"), [(10, "10 found"), (11, "The first 10. There are more")])
def test_more_rows_than_are_shown_are_not_said_to_be_all(
    accountant: Client,
    ours: Customer,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    rows: int,
    said: str,
) -> None:
    for place in range(rows):
        account(f"Nordic {place}")

    html = look(accountant, django_assert_max_num_queries, f"{address(ours)}?q=nordic")

    assert said in html
    assert html.count("?crm=") == 10


@pytest.mark.parametrize("winner", list(FirstWinner))
def test_a_pair_side_by_side(
    accountant: Client,
    ours: Customer,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    winner: FirstWinner,
) -> None:
    theirs = account("Nordic Bikes")
    path = f"{address(ours)}?crm={theirs.crm_id}&winner={winner.value}"

    html = look(accountant, django_assert_max_num_queries, path)

    assert "Jane Roe" in html


def test_a_pair_of_which_both_are_somebody_s(
    accountant: Client, ours: Customer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    taken = account("Nordic Bikes")
    records.couple(records.customer("20000"), taken)

    html = look(accountant, django_assert_max_num_queries, f"{address(ours)}?crm={taken.crm_id}")

    assert "Nordic Bikes is coupled with customer 20000 already." in html


def test_a_coupled_pair(
    accountant: Client, ours: Customer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    records.couple(ours, account("Nordic Bikes"))

    html = look(accountant, django_assert_max_num_queries, address(ours))

    assert "Jane Roe" in html
    assert "Delete Coupling" in html


def test_what_a_new_one_would_be_a_double_of(
    accountant: Client, ours: Customer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    twins = [account("Nordic boats"), account("Other", emailaddress1="A@nordic.test")]

    html = look(accountant, django_assert_max_num_queries, address(ours, "new/"))

    assert all(f'name="not_the_same" value="{twin.crm_id}"' in html for twin in twins)


def test_the_result_while_it_comes_and_afterwards(
    accountant: Client, ours: Customer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    records.couple(ours, account("Nordic Boats"))
    job: Job = jobs.request(mapping="CUSTOMER", by="anna")
    path = address(ours, f"{job.pk}/")

    assert "every 2s" in look(accountant, django_assert_max_num_queries, path)
    jobs.cancel(job_id=job.pk)
    assert "every 2s" not in look(accountant, django_assert_max_num_queries, path)
