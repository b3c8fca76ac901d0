"""The card of a record: what is shown, what may be edited, and that nobody's edit is lost."""

import re
import uuid
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from crmsync.frame.people import Role
from crmsync.ledger.models import Currency, Customer, Salesperson
from crmsync.mapping.registry import all_mappings
from crmsync.sync.models import Coupling, Restoration
from tests.coupling import records
from tests.people import client_of

pytestmark = pytest.mark.django_db
HIDDEN_OR_TEXT = re.compile(r"<input[^>]*>")
ATTRIBUTE = re.compile(r'(\w[\w-]*)="([^"]*)"')


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> None:
    cache.clear()


@pytest.fixture
def accountant(db: None) -> Client:
    return client_of(Role.ACCOUNTANTS)


def address(record_id: object, mapping: str = "CUSTOMER") -> str:
    return f"/tables/{mapping}/{record_id}/"


def filled_in(client: Client, path: str, **changes: str) -> dict[str, str]:
    """What a browser would send: every input as the page gave it, but for what the person typed."""
    html = client.get(path).content.decode()
    inputs = (dict(ATTRIBUTE.findall(one)) for one in HIDDEN_OR_TEXT.findall(html))
    data = {
        one["name"]: one.get("value", "")
        for one in inputs
        if "name" in one and one["name"] not in ("csrfmiddlewaretoken", "next", "ids", "language")
    }
    return data | changes


def save(client: Client, path: str, **changes: str) -> Any:
    return client.post(path, filled_in(client, path, **changes), follow=True)


@pytest.mark.parametrize("mapping", [one.name for one in all_mappings()])
def test_every_mapped_table_has_its_cards(accountant: Client, mapping: str) -> None:
    record_id = {
        "CUSTOMER": records.customer("10000").pk,
        "SALESPEOPLE": records.salesperson("JR").pk,
        "CURRENCY": Currency.objects.create(code="EUR", iso_code="EUR").pk,
    }[mapping]

    assert accountant.get(address(record_id, mapping)).status_code == 200


def test_a_record_of_another_table_is_not_found(accountant: Client) -> None:
    seller = records.salesperson("JR")

    for page in ("", "log/", "coupling/", "coupling/new/"):
        assert accountant.get(f"{address(seller.pk)}{page}").status_code == 404
        assert accountant.get(f"{address(uuid.uuid4())}{page}").status_code == 404


def test_only_what_the_person_changed_is_written(accountant: Client) -> None:
    ours = records.customer("10000", city="Odense", credit_limit="1000.50")

    html = save(accountant, address(ours.pk), city="Vejle").content.decode()

    stored = Customer.objects.get()
    assert (stored.city, stored.name, str(stored.credit_limit)) == (
        "Vejle",
        "Customer 10000",
        "1000.50",
    )
    assert stored.stamp == ours.stamp + 1
    assert "The record is saved." in html


def test_a_saved_record_that_is_coupled_can_be_synchronized_at_once(accountant: Client) -> None:
    ours, _coupling = records.coupled_customer("10000")

    html = save(accountant, address(ours.pk), city="Vejle").content.decode()

    assert "Sales gets the change with the next synchronization" in html


def test_a_record_whose_row_gets_nothing_is_not_said_to_reach_sales(accountant: Client) -> None:
    ours = records.customer("10000")

    html = save(accountant, address(ours.pk), city="Vejle").content.decode()

    assert "The record is saved." in html
    assert "Sales gets the change" not in html


def test_an_address_that_claims_a_save_says_nothing(accountant: Client) -> None:
    ours, _coupling = records.coupled_customer("10000")

    html = accountant.get(f"{address(ours.pk)}?saved=1").content.decode()

    assert "Sales gets the change" not in html


@pytest.mark.parametrize("unseen", ["\u200b", "\u200f\u200e", "\u2060 \ufeff"])
def test_what_cannot_be_seen_counts_as_blank(accountant: Client, unseen: str) -> None:
    ours = records.customer("10000", city="Odense")

    html = save(accountant, address(ours.pk), number=unseen).content.decode()
    assert "Every record has a number" in html

    save(accountant, address(ours.pk), city=unseen)
    stored = Customer.objects.get()
    assert (stored.number, stored.city) == ("10000", "")


@pytest.mark.parametrize("field", ["number", "name"])
@pytest.mark.parametrize("sign", ["\u202e", "\u200f", "\x07", "\u2066"])
def test_signs_that_mislead_are_refused_in_what_records_are_found_by(
    accountant: Client, field: str, sign: str
) -> None:
    ours = records.customer("10000", name="Nordic")

    html = save(accountant, address(ours.pk), **{field: f"1{sign}2"}).content.decode()

    assert "It holds control characters" in html
    stored = Customer.objects.get()
    assert (stored.number, stored.name) == ("10000", "Nordic")


def test_a_name_that_held_such_signs_before_does_not_stop_other_edits(accountant: Client) -> None:
    ours = records.customer("10000", name="Nor\u200fdic")

    save(accountant, address(ours.pk), city="Vejle")

    assert Customer.objects.get().city == "Vejle"


@pytest.mark.parametrize("typed", ["nobody at all", "sales@example.com; nobody", "@example.com"])
def test_what_is_no_email_address_is_refused_by_name(accountant: Client, typed: str) -> None:
    ours = records.customer("10000", email="before@example.com")

    refused = save(accountant, address(ours.pk), email=typed).content.decode()
    several = "sales@example.com; books@example.com"
    save(accountant, address(ours.pk), email=several)

    assert "Give an address like sales@example.com." in refused
    ours.refresh_from_db()
    assert ours.email == several


def test_an_address_that_was_none_before_does_not_stop_other_edits(accountant: Client) -> None:
    ours = records.customer("10000", email="ask the doorman")

    save(accountant, address(ours.pk), city="Odense")

    ours.refresh_from_db()
    assert (ours.city, ours.email) == ("Odense", "ask the doorman")


def test_nothing_changed_is_said(accountant: Client) -> None:
    ours = records.customer("10000")

    assert "Nothing was changed." in save(accountant, address(ours.pk)).content.decode()
    assert Customer.objects.get().stamp == ours.stamp


def test_a_field_that_somebody_else_changed_meanwhile_is_not_overwritten(
    accountant: Client,
) -> None:
    ours = records.customer("10000", city="Odense", name="Old")
    typed = filled_in(accountant, address(ours.pk), city="Vejle")
    Customer.objects.update(city="Aarhus", name="New")

    answer = accountant.post(address(ours.pk), typed)

    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed this record while you were editing it." in html
    assert re.search(r"Aarhus.*Vejle", html, re.DOTALL)
    assert (Customer.objects.get().city, Customer.objects.get().name) == ("Aarhus", "New")


def test_who_saw_both_values_may_decide(accountant: Client) -> None:
    ours = records.customer("10000", city="Odense", name="Old")
    typed = filled_in(accountant, address(ours.pk), city="Vejle")
    Customer.objects.update(city="Aarhus", name="New")
    html = accountant.post(address(ours.pk), typed).content.decode()
    inputs = (dict(ATTRIBUTE.findall(one)) for one in HIDDEN_OR_TEXT.findall(html))
    shown = {one["name"]: one.get("value", "") for one in inputs if "name" in one}

    accountant.post(address(ours.pk), shown)

    stored = Customer.objects.get()
    assert (stored.city, stored.name) == ("Vejle", "New")


def test_edits_of_different_fields_both_stay(accountant: Client) -> None:
    ours = records.customer("10000", city="Odense", name="Old")
    typed = filled_in(accountant, address(ours.pk), city="Vejle")
    Customer.objects.update(name="New")

    accountant.post(address(ours.pk), typed)

    stored = Customer.objects.get()
    assert (stored.city, stored.name) == ("Vejle", "New")


def test_a_number_that_is_taken_is_refused_by_name(accountant: Client) -> None:
    records.customer("20000")
    ours = records.customer("10000")

    html = save(accountant, address(ours.pk), number="20000").content.decode()

    assert "No.: Another record has this number: give another one." in html
    assert Customer.objects.filter(number="10000").exists()


def test_a_value_that_is_too_long_is_refused_by_name(accountant: Client) -> None:
    ours = records.customer("10000")

    html = save(accountant, address(ours.pk), city="x" * 31).content.decode()

    assert "City: Ensure this value has at most 30 characters (it has 31)." in html
    assert Customer.objects.get().city == ""


def test_what_is_kept_in_sales_cannot_be_edited_here_while_coupled(accountant: Client) -> None:
    seller = records.salesperson("JR")
    path = address(seller.pk, "SALESPEOPLE")
    save(accountant, path, email="before@example.test")
    Coupling.objects.create(
        mapping="SALESPEOPLE",
        ledger_id=seller.pk,
        crm_table="systemuser",
        crm_id=uuid.uuid4(),
        origin="person",
    )

    html = accountant.get(path).content.decode()
    save(accountant, path, email="other@example.test", job_title="Manager")

    assert "Kept in Sales: change it there." in html
    stored = Salesperson.objects.get()
    assert (stored.email, stored.job_title) == ("before@example.test", "Manager")


def test_operations_look_and_cannot_save() -> None:
    operator = client_of(Role.OPERATIONS)
    ours = records.customer("10000", city="Odense")

    html = operator.get(address(ours.pk)).content.decode()

    assert "Odense" in html
    assert "Save</button>" not in html
    assert operator.post(address(ours.pk), {"city": "Vejle"}).status_code == 403
    assert Customer.objects.get().city == "Odense"


@pytest.mark.parametrize("page", ["", "log/"])
def test_a_record_s_pages_ask_the_database_seven_times_at_most(
    accountant: Client, django_assert_max_num_queries: DjangoAssertNumQueries, page: str
) -> None:
    ours, _coupling = records.coupled_customer("10000", salesperson=records.salesperson("JR"))

    with django_assert_max_num_queries(7):
        accountant.get(f"{address(ours.pk)}{page}")


# The log


def test_the_log_tells_who_coupled_and_uncoupled(accountant: Client) -> None:
    ours, _coupling = records.coupled_customer("10000")
    accountant.post(f"{address(ours.pk)}delete-coupling/")

    html = accountant.get(f"{address(ours.pk)}log/").content.decode()

    assert "Set Up Coupling, by anna" in html
    assert html.index("The coupling was deleted") < html.index("Coupled with a row in Sales")


def test_the_log_goes_on_page_by_page(accountant: Client) -> None:
    ours = records.customer("10000")
    for number in range(70):
        Restoration.objects.create(
            mapping="CUSTOMER",
            side="crm",
            record_id=ours.pk,
            field="city",
            stood=f"<b>{number}",
            becomes="",
            job_id=1,
        )

    seen: list[str] = []
    path: str | None = f"{address(ours.pk)}log/"
    while path:
        html = accountant.get(path).content.decode()
        assert "<b>" not in html
        seen += re.findall(r"&lt;b&gt;(\d+)", html)
        link = re.search(r'rel="next" href="(\?[^"]*)"', html)
        path = f"{address(ours.pk)}log/{link[1]}" if link else None

    assert seen == [str(number) for number in range(69, -1, -1)]


@pytest.mark.parametrize("before", ["x", "1~2~3", "nan~change~1", "1e99~change~1", "%00"])
def test_a_place_in_the_log_that_makes_no_sense_shows_the_newest(
    accountant: Client, before: str
) -> None:
    ours, _coupling = records.coupled_customer("10000")

    html = accountant.get(f"{address(ours.pk)}log/?before={before}").content.decode()

    assert "Coupled with a row in Sales" in html
