"""Values on pages: numbers as the reader writes them, everything else as it is."""

from decimal import Decimal

import pytest
from django.utils.translation import override

from crmsync.mapping.registry import get_mapping
from crmsync.mapping.values import in_words, is_number, number_in_words


@pytest.mark.parametrize(("language", "shown"), [("en", "1.953125"), ("da", "1,953125")])
def test_a_number_that_is_kept_as_text_reads_as_people_write_it(language: str, shown: str) -> None:
    mapping = get_mapping("CURRENCY")
    field = next(one.ledger for one in mapping.fields if is_number(mapping, one.ledger))

    with override(language):
        assert in_words(mapping, field, "1.953125") == shown


@pytest.mark.parametrize(
    ("number", "shown"), [("1.950", "1,95"), ("7.00", "7"), ("1000", "1000"), ("1E+3", "1000")]
)
def test_decimals_that_say_nothing_are_not_shown(number: str, shown: str) -> None:
    with override("da"):
        assert number_in_words(Decimal(number)) == shown


def test_texts_stay_as_they_are_and_nothing_is_blank() -> None:
    mapping = get_mapping("CUSTOMER")

    with override("da"):
        assert in_words(mapping, "name", "1.5") == "1.5"
        assert in_words(mapping, "name", None) == ""


def test_what_is_no_number_is_shown_as_it_is() -> None:
    mapping = get_mapping("CURRENCY")
    field = next(one.ledger for one in mapping.fields if is_number(mapping, one.ledger))

    assert in_words(mapping, field, "many") == "many"
