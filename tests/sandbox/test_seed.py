"""The demo rows of the sandbox, beside the demo company of the ledger."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmsync.ledger import demo
from crmsync.ledger.demo_population import (
    DemoCustomer,
    capacity,
    customer_at,
    typed_in_customers,
)
from crmsync.sandbox import seed
from crmsync.sandbox.bootstrap import BASE_CURRENCY_ID, ROOT_BUSINESS_UNIT_ID
from crmsync.sandbox.schema import Kind, Table
from crmsync.sandbox.seed import Row
from crmsync.sandbox.tables import TABLES
from crmsync.terms import Outcome, Side

CUSTOMERS = 1_000


@cache
def demo_rows() -> dict[str, list[Row]]:
    return seed.demo_rows(customers=CUSTOMERS)


@cache
def ledger() -> tuple[DemoCustomer, ...]:
    generated = CUSTOMERS - len(typed_in_customers())
    population = (customer_at(index, seed=1) for index in range(1, generated + 1))
    return (*typed_in_customers(), *population)


def customers_in_scope() -> list[DemoCustomer]:
    return [customer for customer in ledger() if not customer.blocked]


def accounts_in_scope() -> list[Row]:
    rows = demo_rows()["account"]
    return [row for row in rows if (row["statecode"], row["customertypecode"]) == (0, 3)]


def folded(text: object) -> str:
    return str(text or "").casefold()


def are_certainly_the_same(customer: DemoCustomer, account: Row) -> bool:
    """The rule by which matching couples without asking anybody."""
    number = account["accountnumber"] == customer.number
    name = folded(account["name"]) == folded(customer.name)
    email = folded(account["emailaddress1"]) == folded(customer.email)
    phone = account["telephone1"] == customer.phone_no
    post_code = account["address1_postalcode"] == customer.post_code
    return (number and (name or email or phone)) or (name and (email or phone or post_code))


def are_likely_twins(customer: DemoCustomer, account: Row) -> bool:
    """The rule by which a full synchronization asks before it creates."""
    number = account["accountnumber"] == customer.number
    name = folded(account["name"]) == folded(customer.name)
    email = folded(account["emailaddress1"]) == folded(customer.email)
    return number or name or email


@cache
def certain_pairs() -> tuple[tuple[DemoCustomer, Row], ...]:
    pairs = ((customer, row) for customer in customers_in_scope() for row in accounts_in_scope())
    return tuple(pair for pair in pairs if are_certainly_the_same(*pair))


def coupled_numbers() -> set[str]:
    return {customer.number for customer, _ in certain_pairs()}


def uncoupled_accounts() -> list[Row]:
    coupled = {str(row["accountid"]) for _, row in certain_pairs()}
    return [row for row in accounts_in_scope() if row["accountid"] not in coupled]


def uncoupled_customers() -> list[DemoCustomer]:
    return [c for c in customers_in_scope() if c.number not in coupled_numbers()]


@given(st.integers(1, capacity()))
def test_the_sandbox_computes_the_customers_of_the_ledger(index: int) -> None:
    customer = customer_at(index, seed=1)
    ledger_only = {"blocked": ""}

    assert asdict(seed.company_at(index)) | ledger_only == asdict(customer)


@given(st.integers(1, capacity()))
def test_an_account_that_nobody_changed_says_what_its_customer_says(index: int) -> None:
    customer, account = customer_at(index, seed=1), seed.account_row(seed.company_at(index))

    assert account["accountnumber"] == customer.number
    assert account["name"] == customer.name
    assert account["address1_line1"] == customer.address
    assert account["address1_city"] == customer.city
    assert account["address1_postalcode"] == customer.post_code
    assert account["address1_country"] == customer.country_code
    assert account["emailaddress1"] == customer.email
    assert account["telephone1"] == customer.phone_no
    assert account["creditlimit"] == customer.credit_limit
    expected = customer.currency_code if customer.currency_code in {"EUR", "USD"} else "GBP"
    assert currency_of(account) == expected


def currency_of(account: Row) -> object:
    codes = {
        row["transactioncurrencyid"]: row["isocurrencycode"]
        for row in demo_rows()["transactioncurrency"]
    }
    return ({BASE_CURRENCY_ID: "GBP"} | codes)[account["_transactioncurrencyid_value"]]


def test_four_customers_in_five_have_an_account_and_none_has_two() -> None:
    numbers = Counter(customer.number for customer, _ in certain_pairs())
    accounts = Counter(row["accountid"] for _, row in certain_pairs())

    assert set(numbers.values()) == set(accounts.values()) == {1}
    assert 0.75 < len(numbers) / len(ledger()) < 0.85


def test_accounts_of_customers_differ_in_every_way_that_people_cause() -> None:
    pairs = certain_pairs()
    renamed = [row for customer, row in pairs if row["name"] == f"{customer.name} Group"]
    recased = [row for customer, row in pairs if row["name"] == customer.name.upper()]
    moved = [row for customer, row in pairs if row["address1_city"] != customer.city]
    numberless = [row for _, row in pairs if row["accountnumber"] is None]
    equal = [row for customer, row in pairs if is_unchanged(customer, row)]

    for some in (renamed, recased, moved):
        assert 0.05 < len(some) / len(pairs) < 0.3
    assert 0.2 < len(numberless) / len(pairs) < 0.3
    assert len(equal) / len(pairs) > 0.3


def is_unchanged(customer: DemoCustomer, account: Row) -> bool:
    values = asdict(customer)
    del values["blocked"]
    return account == seed.account_row(seed.Company(**values))


def test_the_likely_twins_are_the_planted_ones() -> None:
    pairs = ((c, row) for c in uncoupled_customers() for row in uncoupled_accounts())
    twins = [(c.number, row["name"]) for c, row in pairs if are_likely_twins(c, row)]

    assert twins == [("60010", "Fourth Coffee"), ("60020", "Fourth Coffee")]


def test_planted_customers_have_no_account_that_matching_would_couple() -> None:
    planted = {record.key for record in demo.planted() if record.side is Side.LEDGER}

    assert not planted & coupled_numbers()


def test_planted_accounts_exist_and_are_in_scope_where_something_should_become_of_them() -> None:
    planted = [record for record in demo.planted() if record.side is Side.CRM]
    uncoupled = {row["name"] for row in uncoupled_accounts()}
    others = {row["name"] for row in demo_rows()["account"]}

    for record in planted:
        assert record.key in others
        assert (record.key in uncoupled) == (record.outcome is not None)


def test_the_accounts_that_need_attention_are_as_wrong_as_planted() -> None:
    too_long = [row for row in accounts_in_scope() if len(str(row["name"])) > 100]
    in_reais = [row for row in accounts_in_scope() if currency_of(row) == "BRL"]

    assert [len(str(row["name"])) for row in too_long] == [130]
    assert names(too_long + in_reais) == {
        record.key
        for record in demo.planted_attention()
        if record.side is Side.CRM and record.outcome is not Outcome.UNDECIDED
    }


def test_the_number_without_its_leading_zero_belongs_to_another_company() -> None:
    assert [row["name"] for row in accounts_in_scope() if row["accountnumber"] == "1121212"] == [
        "Tailspin Toys"
    ]


@pytest.mark.parametrize(("customers", "expected"), [(40, 5), (400, 20)])
def test_one_company_in_twenty_exists_in_sales_only_and_fits_the_ledger(
    customers: int, expected: int
) -> None:
    planted = [record.key for record in demo.planted() if record.side is Side.CRM]
    rows = seed.demo_rows(customers=customers)["account"]
    ledger_emails = {c.email for c in ledger()}
    sales_only = [
        row
        for row in rows
        if row["emailaddress1"] not in ledger_emails and row["name"] not in planted
    ]

    assert len(sales_only) == expected
    assert all(len(str(row["name"])) <= 100 for row in sales_only)
    assert {row["accountnumber"] for row in sales_only} == {None}


def test_six_salespeople_have_a_user_whose_address_differs_in_letter_case_at_most() -> None:
    users = {folded(row["internalemailaddress"]) for row in demo_rows()["systemuser"]}
    sellers = {f"{code}@contoso.com" for code in ("bc", "eh", "hr", "jo", "of", "rb")}

    assert sellers < users
    assert "lt@contoso.com" not in users
    assert "RB@CONTOSO.COM" in {row["internalemailaddress"] for row in demo_rows()["systemuser"]}
    assert [row["fullname"] for row in demo_rows()["systemuser"] if row["isdisabled"]] == [
        "Terry Dodds"
    ]


def test_accounts_belong_to_users_who_are_enabled() -> None:
    enabled = {r["systemuserid"] for r in demo_rows()["systemuser"] if not r["isdisabled"]}

    assert {row["_ownerid_value"] for row in demo_rows()["account"]} <= enabled
    assert {row["_businessunitid_value"] for row in demo_rows()["systemuser"]} == {
        ROOT_BUSINESS_UNIT_ID
    }


@pytest.mark.parametrize("name", ["systemuser", "transactioncurrency", "account"])
def test_rows_have_columns_that_the_table_has_with_values_that_fit(name: str) -> None:
    table, rows = TABLES[name], demo_rows()[name]

    assert len({row[table.primary_id] for row in rows}) == len(rows)
    for row in rows:
        assert_fits(row, table)


def assert_fits(row: Row, table: Table) -> None:
    columns = {column.name: column for column in table.columns}
    type_columns = {column.type_column for column in table.columns}
    for name, value in row.items():
        if name not in type_columns and columns[name].kind is Kind.TEXT and value is not None:
            assert 0 < len(str(value)) <= columns[name].length


def test_the_same_number_of_customers_gives_the_same_rows() -> None:
    assert seed.demo_rows(customers=CUSTOMERS) == demo_rows()


@pytest.mark.parametrize("customers", [-5, 0, len(typed_in_customers()) - 1, capacity()])
def test_the_sandbox_refuses_the_sizes_that_the_ledger_refuses(customers: int) -> None:
    with pytest.raises(seed.CustomerCountError, match="ask for") as sandbox_refusal:
        seed.demo_rows(customers=customers)
    with pytest.raises(demo.CustomerCountError) as ledger_refusal:
        demo.plant(customers=customers, seed=1)

    assert str(sandbox_refusal.value) == str(ledger_refusal.value)


def names(rows: Iterable[Row]) -> set[object]:
    return {row["name"] for row in rows}
