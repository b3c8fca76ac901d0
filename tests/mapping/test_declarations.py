"""What is declared is true of the models, and a wrong declaration is named by ``check``."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command

from crmsync.mapping.checks import problems
from crmsync.mapping.conversions import Lookup, Text
from crmsync.mapping.registry import all_mappings, discover, get_mapping
from crmsync.mapping.types import Condition, Conversion, FieldMapping, Group, TableMapping
from crmsync.terms import Direction

CUSTOMER, CURRENCY, SALESPEOPLE = (
    get_mapping(name) for name in ("CUSTOMER", "CURRENCY", "SALESPEOPLE")
)
CITY, TOWN = Text(80, 30), Lookup("CURRENCY", "town", "towns")


def text(
    ledger: str = "city",
    crm: str = "address1_city",
    conversion: Conversion = CITY,
    direction: Direction = Direction.BIDIRECTIONAL,
) -> FieldMapping:
    return FieldMapping(ledger=ledger, crm=crm, conversion=conversion, direction=direction)


def with_customer(**changes: Any) -> tuple[TableMapping, ...]:
    return SALESPEOPLE, CURRENCY, replace(CUSTOMER, **changes)


def test_the_declarations_are_well() -> None:
    assert problems(discover()) == []
    call_command("check")


def test_every_table_is_walked_after_those_it_needs() -> None:
    names = [mapping.name for mapping in all_mappings()]

    assert sorted(names) == sorted(mapping.name for mapping in discover())
    for mapping in all_mappings():
        assert {*mapping.needs} <= {*names[: names.index(mapping.name)]}


def test_a_mapping_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(LookupError, match=r"CUSTMER.*CUSTOMER"):
        get_mapping("CUSTMER")


@pytest.mark.parametrize("mapping", discover(), ids=lambda mapping: mapping.name)
def test_every_column_is_read_once_with_the_key_first(mapping: TableMapping) -> None:
    columns = mapping.crm_columns

    assert columns[0] == mapping.crm.primary_key
    assert len(set(columns)) == len(columns)
    assert {mapped.crm for mapped in mapping.fields} <= set(columns)
    assert {condition.field for condition in mapping.crm_scope} <= set(columns)
    assert "modifiedon" in columns


@pytest.mark.parametrize("mapping", discover(), ids=lambda mapping: mapping.name)
@pytest.mark.django_db
def test_every_attribute_can_be_read_from_the_ledger(mapping: TableMapping) -> None:
    rows = mapping.ledger._default_manager.annotate(**mapping.computed)

    assert list(rows.values(*mapping.ledger_columns)) == []


TWO_NAMED_ALIKE = (SALESPEOPLE, CURRENCY, replace(SALESPEOPLE, name="CURRENCY"))
BROKEN = {
    "two mappings of one name": (TWO_NAMED_ALIKE, "mapping.E001"),
    "a need that is not there": (
        with_customer(needs=("SALESPEOPLE", "CURRENCY", "PAYMENT TERMS")),
        "mapping.E002",
    ),
    "a circle": (
        (SALESPEOPLE, replace(CURRENCY, needs=("CUSTOMER",)), CUSTOMER),
        "mapping.E003",
    ),
    "a record that needs itself": (
        with_customer(needs=("SALESPEOPLE", "CURRENCY", "CUSTOMER")),
        "mapping.E003",
    ),
    "an attribute the model does not have": (
        with_customer(
            fields=(*CUSTOMER.fields, text("town", "town", conversion=Lookup("CURRENCY", "n", "s")))
        ),
        "mapping.E004",
    ),
    "a column mapped twice": (
        with_customer(fields=(*CUSTOMER.fields, text("blocked", conversion=Text(80, 10)))),
        "mapping.E005",
    ),
    "an attribute mapped twice": (
        with_customer(fields=(*CUSTOMER.fields, text(crm="address2_city"))),
        "mapping.E005",
    ),
    "a field that moves where its table does not": (
        (
            replace(
                SALESPEOPLE,
                fields=(
                    *SALESPEOPLE.fields,
                    text("job_title", "title", direction=Direction.TO_CRM),
                ),
            ),
        ),
        "mapping.E006",
    ),
    "a two-way field of a one-way table": (
        (replace(SALESPEOPLE, fields=(*SALESPEOPLE.fields, text("job_title", "title"))),),
        "mapping.E006",
    ),
    "a computed field that would be written": (
        (
            replace(
                CURRENCY,
                direction=Direction.BIDIRECTIONAL,
                fields=tuple(
                    replace(one, direction=Direction.BIDIRECTIONAL) for one in CURRENCY.fields
                ),
            ),
        ),
        "mapping.E006",
    ),
    "a lookup to a table that may run later": (with_customer(needs=("CURRENCY",)), "mapping.E007"),
    "a number the model does not have": (with_customer(number="no"), "mapping.E008"),
    "a title the model does not have": (with_customer(title="caption"), "mapping.E008"),
    "a scope over what the model does not have": (
        with_customer(ledger_scope=(Condition("is_active", value=True),)),
        "mapping.E008",
    ),
    "matching on what is not mapped": (with_customer(match_on=("vat_no",)), "mapping.E008"),
    "confirmation by what is not mapped": (
        with_customer(match_confirmed_by=("vat_no",)),
        "mapping.E008",
    ),
    "a unique key that is not mapped": (with_customer(unique_key="vat_no"), "mapping.E008"),
    "a length the model does not keep": (
        with_customer(
            fields=tuple(
                replace(one, conversion=Text(80, 80)) if one.ledger == "city" else one
                for one in CUSTOMER.fields
            )
        ),
        "mapping.E009",
    ),
    "new records without a number": (with_customer(number_series=""), "mapping.E010"),
    "new records where the table does not write": (
        (replace(CURRENCY, creates_in_ledger=True, number_series="CURRENCY"),),
        "mapping.E011",
    ),
    "a listed column that nobody has": (with_customer(listed=("vat_no",)), "mapping.E012"),
    "a number that is listed twice": (with_customer(listed=("number",)), "mapping.E012"),
    "a card that shows what nobody has": (
        with_customer(groups=(Group("General", ("vat_no",)),)),
        "mapping.E012",
    ),
    "a card that shows a field twice": (
        with_customer(groups=(Group("General", ("city",)), Group("Address", ("city",)))),
        "mapping.E012",
    ),
    "rows there without a name": (with_customer(crm_caption=""), "mapping.E013"),
}


@pytest.mark.parametrize(("mappings", "code"), BROKEN.values(), ids=BROKEN.keys())
def test_a_wrong_declaration_is_an_error_with_a_remedy(
    mappings: tuple[TableMapping, ...], code: str
) -> None:
    found = problems(mappings)

    assert {problem.id for problem in found} == {code}
    assert all(problem.hint for problem in found)
