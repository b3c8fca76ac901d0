"""The demo company: what is planted in the ledger, and what is refused."""

import json
from dataclasses import asdict
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from crmsync.ledger import demo
from crmsync.ledger.demo_population import (
    DemoCustomer,
    capacity,
    customer_at,
    typed_in_customers,
    words,
)
from crmsync.ledger.models import (
    CompanyInformation,
    Currency,
    Customer,
    NumberSeries,
    Salesperson,
)
from crmsync.terms import NEEDS_ATTENTION, Side

INDEXES = st.integers(1, capacity())
SEEDS = st.integers(0, 1_000)


def rows() -> list[tuple[Any, ...]]:
    return list(Customer.objects.order_by("number").values_list())


def empty_the_ledger() -> None:
    for model in (Customer, Salesperson, Currency):
        model._default_manager.all().delete()


@pytest.mark.django_db
def test_the_company_has_as_many_customers_as_asked_for() -> None:
    company = demo.plant(customers=60, seed=1)

    assert Customer.objects.count() == company.customers == 60
    assert Salesperson.objects.count() == company.salespeople == 7
    assert Currency.objects.count() == company.currencies == 13


@pytest.mark.django_db
def test_it_is_cronus_and_keeps_its_books_in_pounds() -> None:
    demo.plant(customers=60, seed=1)

    company = CompanyInformation.objects.get()
    assert (company.name, company.local_currency_code) == ("CRONUS International Ltd.", "GBP")
    assert not Currency.objects.filter(code="GBP").exists()
    assert Customer.objects.get(number="10000").name == "Adatum Corporation"
    assert (
        Customer.objects.get(number="45282828").currency_id == Currency.objects.get(code="DKK").id
    )


@pytest.mark.django_db
def test_only_the_icelandic_krona_has_no_exchange_rate_and_one_customer_uses_it() -> None:
    demo.plant(customers=400, seed=1)

    assert Currency.objects.get(exchange_rates=None).code == "ISK"
    assert Customer.objects.get(currency__code="ISK").number == "35451236"


@pytest.mark.django_db
def test_the_next_number_is_free() -> None:
    demo.plant(customers=60, seed=1)

    series = NumberSeries.objects.get(code="CUSTOMER")
    number = f"{series.prefix}{series.next_number:0{series.width}d}"
    assert not Customer.objects.filter(number__gte=number, number__startswith="C").exists()
    assert Customer.objects.filter(
        number=f"{series.prefix}{series.next_number - 1:0{series.width}d}"
    ).exists()


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_company() -> None:
    demo.plant(customers=60, seed=7)
    first = rows()
    empty_the_ledger()

    demo.plant(customers=60, seed=7)

    assert rows() == first


@given(INDEXES)
def test_another_seed_gives_other_customers(index: int) -> None:
    other, own = customer_at(index, seed=2), customer_at(index, seed=1)

    assert other.number == own.number
    assert other.name != own.name
    assert other.email != own.email
    assert other.phone_no != own.phone_no


@pytest.mark.django_db
def test_ids_depend_on_the_number_alone() -> None:
    demo.plant(customers=60, seed=1)
    adatum = Customer.objects.get(number="10000").id
    empty_the_ledger()

    demo.plant(customers=80, seed=2)

    assert Customer.objects.get(number="10000").id == adatum


@pytest.mark.django_db
def test_a_ledger_with_records_is_left_as_it_is() -> None:
    Customer.objects.create(number="1", name="Somebody")

    with pytest.raises(demo.LedgerNotEmptyError, match="new database"):
        demo.plant(customers=60, seed=1)

    assert Customer.objects.get().name == "Somebody"
    assert not Salesperson.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("customers", [-1, 0, len(typed_in_customers()) - 1, capacity()])
def test_an_impossible_number_of_customers_is_refused_with_the_possible_ones(
    customers: int,
) -> None:
    with pytest.raises(demo.CustomerCountError, match=f"ask for {len(typed_in_customers())} to"):
        demo.plant(customers=customers, seed=1)

    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_the_smallest_company_has_every_planted_record() -> None:
    demo.plant(customers=len(typed_in_customers()), seed=1)

    keys = {record.key for record in demo.planted() if record.side is Side.LEDGER} - {"ISK"}
    assert set(Customer.objects.filter(number__in=keys).values_list("number", flat=True)) == keys


def test_planted_attention_is_what_needs_attention_with_a_code_and_nothing_else() -> None:
    attention = demo.planted_attention()

    assert len(attention) == 9
    assert all(record.outcome in NEEDS_ATTENTION and record.code for record in attention)
    assert not [record for record in demo.planted()[len(attention) :] if record.attention]
    assert not [record for record in demo.planted()[len(attention) :] if record.code]


def test_the_planted_trouble_is_as_large_as_it_says() -> None:
    typed_in = {customer.number: customer for customer in typed_in_customers()}

    assert len(typed_in["60040"].home_page) == 220
    assert len(typed_in["60050"].name) == 100
    assert typed_in["60010"].name == typed_in["60020"].name
    assert typed_in["60030"].name == ""


@given(INDEXES, SEEDS)
def test_every_customer_fits_the_ledger(index: int, seed: int) -> None:
    assert_fits(customer_at(index, seed=seed))


def test_every_typed_in_customer_fits_the_ledger() -> None:
    for customer in typed_in_customers():
        assert_fits(customer)


def assert_fits(customer: DemoCustomer) -> None:
    values = asdict(customer)
    assert values.pop("salesperson_code") in codes("salespeople") | {""}
    assert values.pop("currency_code") in codes("currencies") | {""}
    Customer(**values).clean_fields()


def codes(words_key: str) -> set[str]:
    return {row["code"] for row in words()[words_key]}


@given(st.lists(INDEXES, min_size=2, unique=True), SEEDS)
def test_no_two_customers_share_a_name_number_phone_or_e_mail(
    indexes: list[int], seed: int
) -> None:
    made = [customer_at(index, seed=seed) for index in indexes]

    for field in ("number", "name", "phone_no", "email"):
        assert len({getattr(customer, field) for customer in made}) == len(made)


def test_no_two_of_the_stems_that_names_are_made_of_are_spelled_alike_in_ascii() -> None:
    letters = str.maketrans(words()["ascii_letters"])
    starts, ends = words()["name_starts"], words()["name_ends"]
    stems = {(start + end).lower().translate(letters) for start in starts for end in ends}

    assert len(stems) == len(starts) * len(ends)
    assert all(stem.isascii() and stem.isalpha() for stem in stems)


def test_generated_customers_live_in_nineteen_countries_and_mostly_pay_in_their_own_money() -> None:
    made = [customer_at(index, seed=1) for index in range(1, 2_001)]

    assert len({customer.country_code for customer in made}) == 19
    assert {customer.currency_code for customer in made if customer.country_code == "GB"} == {""}
    assert {customer.currency_code for customer in made if customer.country_code == "SE"} == {"SEK"}
    text = "".join(customer.name + customer.address + customer.city for customer in made)
    assert set("ÆæØøÅåÄäÖöÜüßřýčěšů") <= set(text + text.lower() + text.upper())


@pytest.mark.django_db
def test_the_command_prints_what_was_made_and_what_should_become_of_the_planted_records() -> None:
    out = StringIO()
    call_command("seed_demo", customers=60, stdout=out)

    assert "60 customers" in out.getvalue()
    for record in demo.planted():
        assert record.trouble in out.getvalue()


@pytest.mark.django_db
def test_the_command_prints_the_same_for_programs() -> None:
    out = StringIO()
    call_command("seed_demo", customers=60, json=True, stdout=out)

    printed = json.loads(out.getvalue())
    assert printed["made"]["customers"] == 60
    attention = [row["key"] for row in printed["planted"] if row["attention"]]
    assert attention == [record.key for record in demo.planted_attention()]


@pytest.mark.django_db
def test_the_command_says_why_it_refuses() -> None:
    with pytest.raises(CommandError, match="ask for"):
        call_command("seed_demo", customers=3)
