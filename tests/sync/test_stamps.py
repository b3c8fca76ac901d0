"""An edit that forgot its stamp would be lost: every kind of edit changes it."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from crmsync.ledger import demo
from crmsync.ledger.models import (
    Currency,
    CurrencyExchangeRate,
    Customer,
    LedgerRecord,
    Salesperson,
)

TABLES = [Salesperson, Currency, Customer]


def by_save(row: Any) -> None:
    row.save()


def by_save_of_one_field(row: Any) -> None:
    row.save(update_fields=[row._meta.fields[2].name])


def by_update(row: Any) -> None:
    name = row._meta.fields[2].name
    type(row).objects.filter(pk=row.pk).update(**{name: getattr(row, name)})


def by_bulk_update(row: Any) -> None:
    type(row).objects.bulk_update([row], [row._meta.fields[2].name])


def by_upsert(row: Any) -> None:
    name = row._meta.fields[2].name
    type(row).objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["id"], update_fields=[name]
    )


def by_plain_sql(row: Any) -> None:
    table, column = row._meta.db_table, row._meta.fields[2].column
    key = row._meta.pk.get_db_prep_value(row.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = {column} WHERE id = %s", [key])  # noqa: S608


EDITS = [by_save, by_save_of_one_field, by_update, by_bulk_update, by_upsert, by_plain_sql]


@pytest.mark.parametrize("model", TABLES)
@pytest.mark.parametrize("edit", EDITS)
def test_every_way_to_edit_a_record_changes_its_stamp(
    books: demo.DemoCompany, model: type[LedgerRecord], edit: Callable[[Any], None]
) -> None:
    row, other = model._default_manager.order_by("pk")[:2]

    edit(model._default_manager.get(pk=row.pk))

    assert model._default_manager.get(pk=row.pk).stamp > row.stamp
    assert model._default_manager.get(pk=other.pk).stamp == other.stamp


def test_two_edits_give_two_stamps(books: demo.DemoCompany) -> None:
    row = Customer.objects.get(number="10000")

    stamps = [row.stamp]
    for city in ("Odense", "Aarhus"):
        Customer.objects.filter(pk=row.pk).update(city=city)
        stamps.append(Customer.objects.get(pk=row.pk).stamp)

    assert stamps == sorted(set(stamps))


def test_reading_changes_nothing(books: demo.DemoCompany) -> None:
    before = dict(Customer.objects.values_list("pk", "stamp"))

    list(Customer.objects.select_related("currency", "salesperson"))

    assert dict(Customer.objects.values_list("pk", "stamp")) == before


def new_rate(currency: Currency) -> None:
    CurrencyExchangeRate.objects.create(
        currency=currency,
        starting_date=date(2026, 1, 1),
        exchange_rate_amount=Decimal(100),
        relational_amount=Decimal("85.1"),
    )


def changed_rate(currency: Currency) -> None:
    currency.exchange_rates.update(relational_amount=Decimal("85.2"))


def deleted_rate(currency: Currency) -> None:
    currency.exchange_rates.all().delete()


@pytest.mark.parametrize("edit", [new_rate, changed_rate, deleted_rate])
def test_an_edit_of_a_rate_is_an_edit_of_its_currency(
    books: demo.DemoCompany, edit: Callable[[Currency], None]
) -> None:
    before = dict(Currency.objects.values_list("code", "stamp"))

    edit(Currency.objects.get(code="EUR"))

    after = dict(Currency.objects.values_list("code", "stamp"))
    assert {code for code in after if after[code] != before[code]} == {"EUR"}
