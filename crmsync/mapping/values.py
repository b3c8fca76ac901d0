"""How values of mapped fields read on a page: numbers as the reader writes them."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.formats import localize

from crmsync.mapping.conversions import Number
from crmsync.mapping.types import TableMapping


def is_number(mapping: TableMapping, field: str) -> bool:
    """Whether the field, by its name in the ledger, is mapped as a decimal number."""
    return any(one.ledger == field and isinstance(one.conversion, Number) for one in mapping.fields)


def in_words(mapping: TableMapping, field: str, value: Any) -> str:
    """A common or canonical value of a field; blank for nothing.

    Both hold numbers as text with a point, whatever the reader's language.
    """
    if value is None:
        return ""
    if not is_number(mapping, field):
        return str(value)
    try:
        return number_in_words(Decimal(str(value)))
    except InvalidOperation:
        return str(value)


def number_in_words(number: Decimal) -> str:
    """Every decimal that says something: 1.950 is 1,95 in Danish."""
    text = format(number, "f")
    trimmed = text.rstrip("0").rstrip(".") if "." in text else text
    return str(localize(Decimal(trimmed)))
