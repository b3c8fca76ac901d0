"""Values on their way: a format is no change, a length is counted as Sales counts it."""

import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.mapping.conversions import Code, Email, Lookup, Number, Owner, Phone, Text, clean
from crmsync.mapping.types import Conversion, ConversionError, LeftOut, ParentNotCoupled

BASE_CURRENCY = UUID("11111111-1111-4111-8111-111111111111")


@dataclass(slots=True)
class Parents:
    """A resolver that knows the couplings it was given."""

    couplings: dict[UUID, UUID] = field(default_factory=dict)
    base_currency_id: UUID = BASE_CURRENCY
    owners_follow: bool = True

    def crm_id(self, parent: str, ledger_id: UUID) -> UUID | None:
        return self.couplings.get(ledger_id)

    def ledger_id(self, parent: str, crm_id: UUID) -> UUID | None:
        return next((one for one, there in self.couplings.items() if there == crm_id), None)


NOBODY = Parents()
TEXTS: list[Conversion] = [Text(100, 100), Email(100, 80), Phone(50, 30), Code(80, 10)]


def canonical(conversion: Conversion, raw: Any) -> Any:
    return conversion.canonical(conversion.from_crm(raw, NOBODY))


@settings(deadline=None)
@given(st.sampled_from(TEXTS), st.text(max_size=30))
def test_the_canonical_form_of_a_canonical_form_is_itself(kind: Conversion, raw: str) -> None:
    once = canonical(kind, raw)

    assert canonical(kind, once) == once


@settings(deadline=None)
@given(st.sampled_from(TEXTS), st.text(max_size=30))
def test_both_sides_read_the_same_text_alike(kind: Conversion, raw: str) -> None:
    assert kind.from_ledger(raw, NOBODY) == kind.from_crm(raw, NOBODY)


@settings(deadline=None)
@given(st.sampled_from(TEXTS), st.text(max_size=20))
def test_spaces_around_a_value_and_unicode_forms_are_no_change(kind: Conversion, raw: str) -> None:
    decomposed = unicodedata.normalize("NFD", raw)

    assert canonical(kind, f"  {decomposed}\t") == canonical(kind, raw)


@settings(deadline=None)
@given(st.sampled_from([Text(100, 100), Email(100, 80), Code(80, 30)]), st.text(max_size=20))
def test_what_was_written_to_the_ledger_reads_back_as_the_same_value(
    kind: Conversion, raw: str
) -> None:
    common = kind.from_crm(raw, NOBODY)

    written = kind.to_ledger(common, NOBODY)

    assert kind.canonical(kind.from_ledger(written, NOBODY)) == kind.canonical(common)


@pytest.mark.parametrize("blank", [None, "", "   ", "\u00a0", "\t\n"])
@pytest.mark.parametrize("kind", TEXTS)
def test_every_kind_of_blank_text_is_no_value(kind: Conversion, blank: str | None) -> None:
    assert kind.from_crm(blank, NOBODY) is None
    assert kind.from_ledger(blank, NOBODY) is None
    assert kind.canonical(None) is None
    assert kind.to_ledger(None, NOBODY) == ""


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Phone(50, 30), "+45 12 34 56 78", "004512345678"),
        (Phone(50, 30), "(555) 010-0199", "555.010.0199"),
        (Phone(50, 30), "+45\u00a012345678", "+4512345678"),
        (Email(100, 80), "Info@Adatum.COM", "info@adatum.com "),
        (Code(80, 10), "dk", "DK"),
        (Text(100, 100), "Adatum  Corporation", "Adatum Corporation"),
        (Text(100, 100), "Sm\u00f8rrebr\u00f8d A\u030arhus", "Sm\u00f8rrebr\u00f8d \u00c5rhus"),
        (Number(2), "10.5", Decimal("10.500")),
        (Number(2), 0, Decimal("0.00")),
        (Number(2), -0.0, Decimal("0.00")),
        (Number(10), 1.1695906433, Decimal("1.16959064330")),
    ],
)
def test_a_format_is_not_a_change(kind: Conversion, one: Any, other: Any) -> None:
    assert canonical(kind, one) == canonical(kind, other)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (Phone(50, 30), "+45 12 34 56 78", "+45 12 34 56 79"),
        (Phone(50, 30), "+4512345678", "4512345678"),
        (Phone(50, 30), "extension", "other"),
        (Text(100, 100), "Adatum", "ADATUM"),
        (Text(100, 100), "O'Brien", "OBrien"),
        (Number(2), "10.50", "10.51"),
    ],
)
def test_another_value_is_a_change(kind: Conversion, one: Any, other: Any) -> None:
    assert canonical(kind, one) != canonical(kind, other)


def test_what_is_written_is_what_people_typed_and_not_what_is_compared() -> None:
    common = Email(100, 80).from_ledger(" Info@Adatum.com ", NOBODY)

    assert Email(100, 80).body("emailaddress1", common) == {"emailaddress1": "Info@Adatum.com"}


@pytest.mark.parametrize(("text", "units"), [("a", 1), ("\u00f8", 1), ("\U0001f980", 2)])
def test_a_length_is_counted_in_utf_16_units(text: str, units: int) -> None:
    kind = Text(10 * units, 10 * units)

    assert kind.body("name", text * 10) == {"name": text * 10}
    assert kind.to_ledger(text * 10, NOBODY) == text * 10
    with pytest.raises(ConversionError) as there:
        kind.body("name", text * 11)
    with pytest.raises(ConversionError) as here:
        kind.to_ledger(text * 11, NOBODY)
    assert there.value.code == here.value.code == "value_too_long"
    assert str(11 * units) in str(there.value)
    assert "Sales" in str(there.value)
    assert "Financials" in str(here.value)


@settings(deadline=None)
@given(st.decimals(-(10**10), 10**10, places=6), st.integers(0, 6))
def test_a_number_is_compared_to_its_decimals_and_no_further(value: Decimal, places: int) -> None:
    kind = Number(places)

    common = kind.from_ledger(value, NOBODY)

    assert kind.from_crm(str(common), NOBODY) == common
    assert abs(Decimal(str(common)) - value) <= Decimal(1).scaleb(-places) / 2


@settings(deadline=None)
@given(st.decimals(-(10**10), 10**10, places=2))
def test_a_number_that_went_there_and_came_back_is_the_same(value: Decimal) -> None:
    kind = Number(2)
    common = kind.from_ledger(value, NOBODY)

    (sent,) = kind.body("creditlimit", common).values()

    assert kind.from_crm(sent, NOBODY) == common
    assert kind.to_ledger(common, NOBODY) == value


@pytest.mark.parametrize("value", ["many", "NaN", float("nan"), float("inf"), "-Infinity", ""])
def test_what_is_not_a_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ConversionError) as caught:
        Number(2).from_crm(value, NOBODY)

    assert caught.value.code == "not_a_number"


def test_a_number_that_must_be_there_says_what_is_missing() -> None:
    with pytest.raises(ConversionError) as caught:
        Number(10, missing="exchange_rate_missing").from_ledger(None, NOBODY)

    assert caught.value.code == "exchange_rate_missing"
    assert Number(2).from_ledger(None, NOBODY) is None


CURRENCY = Lookup("CURRENCY", "transactioncurrencyid", "transactioncurrencies", True)
OWNER = Owner("SALESPEOPLE", "ownerid", "systemusers")
CONTACT = Lookup("CONTACT", "primarycontactid", "contacts")


def test_a_lookup_leads_to_the_counterpart_on_either_side() -> None:
    here, there = uuid4(), uuid4()
    parents = Parents({here: there})

    common = CURRENCY.from_ledger(here, parents)

    assert common == CURRENCY.from_crm(str(there).upper(), parents)
    assert CURRENCY.to_ledger(common, parents) == here
    assert CURRENCY.body("_transactioncurrencyid_value", common) == {
        "transactioncurrencyid@odata.bind": f"/transactioncurrencies({there})"
    }


def test_a_lookup_whose_parent_is_not_coupled_names_the_parent() -> None:
    unknown = uuid4()

    with pytest.raises(ParentNotCoupled) as going:
        CURRENCY.from_ledger(unknown, NOBODY)
    with pytest.raises(ParentNotCoupled) as coming:
        CURRENCY.to_ledger(str(unknown), NOBODY)

    assert going.value.record_id == coming.value.record_id == unknown
    assert going.value.parent == coming.value.parent == "CURRENCY"


def test_no_currency_here_is_the_base_currency_there() -> None:
    common = CURRENCY.from_ledger(None, NOBODY)

    assert common == str(BASE_CURRENCY) == CURRENCY.from_crm(None, NOBODY)
    assert CURRENCY.to_ledger(common, NOBODY) is None


def test_a_blank_owner_says_nothing_about_the_owner_there() -> None:
    with pytest.raises(LeftOut):
        OWNER.from_ledger(None, NOBODY)


def test_a_salesperson_says_nothing_about_the_owner_where_owners_do_not_follow() -> None:
    here, there = uuid4(), uuid4()

    assert OWNER.from_ledger(here, Parents({here: there})) == str(there)
    with pytest.raises(LeftOut):
        OWNER.from_ledger(here, Parents({here: there}, owners_follow=False))


def test_a_lookup_that_may_be_empty_is_cleared() -> None:
    assert CONTACT.from_ledger(None, NOBODY) is None
    assert CONTACT.to_ledger(None, NOBODY) is None
    assert CONTACT.body("_primarycontactid_value", None) == {"primarycontactid@odata.bind": None}


def test_a_value_is_cleaned_but_its_inner_spaces_are_kept_as_typed() -> None:
    assert clean("  Adatum  Corp ") == "Adatum  Corp"
    assert clean(17) == "17"
