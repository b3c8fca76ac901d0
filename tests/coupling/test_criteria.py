"""What a person may set to match on, what is kept of it, and what is compared then."""

import pytest

from coupling import services
from coupling.candidates import comparable
from coupling.criteria import stored, to_match_by
from coupling.errors import FieldNotMatchable, NothingToMatchOn, PriorityOutOfRange
from coupling.services import FieldCriterion
from crmsync.mapping.registry import get_mapping

pytestmark = pytest.mark.django_db


def matched() -> list[tuple[str, int, bool]]:
    fields = services.criteria_of(mapping="CUSTOMER")
    return [(one.field, one.priority, one.is_case_sensitive) for one in fields if one.is_matched]


def save(*fields: FieldCriterion) -> None:
    services.save_criteria(mapping="CUSTOMER", fields=fields, by="Ann")


def test_without_a_choice_the_declaration_holds_each_field_its_own_priority() -> None:
    assert matched() == [("number", 1, False), ("name", 2, False), ("email", 3, False)]
    assert not services.is_changed(mapping="CUSTOMER")


def test_every_text_is_offered_and_no_lookup_or_amount() -> None:
    offered = {one.field for one in services.criteria_of(mapping="CUSTOMER")}

    assert {"number", "name", "email", "phone_no", "city", "country_code"} <= offered
    assert not offered & {"currency_id", "salesperson_id", "credit_limit"}


def test_a_table_with_a_unique_key_is_matched_by_it() -> None:
    fields = services.criteria_of(mapping="CURRENCY")

    assert [one.field for one in fields if one.is_matched] == ["iso_code"]


def test_what_a_person_sets_is_kept_and_reset_brings_the_declaration_back() -> None:
    save(
        FieldCriterion("email", is_matched=True, is_case_sensitive=True, priority=2),
        FieldCriterion("name", is_matched=False),
    )

    assert matched() == [("email", 2, True)]
    assert services.is_changed(mapping="CUSTOMER")
    services.reset_criteria(mapping="CUSTOMER")
    assert matched()[0] == ("number", 1, False)


def test_a_blank_priority_comes_first_and_equal_ones_belong_together() -> None:
    save(
        FieldCriterion("number", is_matched=True, priority=5),
        FieldCriterion("name", is_matched=True, priority=2),
        FieldCriterion("city", is_matched=True, priority=2),
        FieldCriterion("email", is_matched=True),
    )

    fields = stored(services.criteria_of(mapping="CUSTOMER"))
    criteria = to_match_by(get_mapping("CUSTOMER"), fields)

    assert criteria.groups == (("email",), ("name", "city"), ("number",))


@pytest.mark.parametrize(
    ("fields", "error", "names"),
    [
        ([FieldCriterion("currency_id", is_matched=True)], FieldNotMatchable, "currency_id"),
        ([FieldCriterion("nonsense", is_matched=True)], FieldNotMatchable, "nonsense"),
        ([FieldCriterion("city", is_matched=True, priority=-1)], PriorityOutOfRange, "city"),
        ([FieldCriterion("city", is_matched=True, priority=100)], PriorityOutOfRange, "city"),
        ([FieldCriterion("city", is_matched=False)], NothingToMatchOn, "No field"),
        ([], NothingToMatchOn, "No field"),
    ],
)
def test_criteria_that_lead_nowhere_are_refused_and_the_old_ones_stay(
    fields: list[FieldCriterion], error: type[Exception], names: str
) -> None:
    before = matched()

    with pytest.raises(error, match=names):
        save(*fields)

    assert matched() == before


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("name", "S\u00f8ren & Co. A/S", "S\u00d8REN  & CO A/S"),
        ("email", "A@B.C", "a@b.c"),
        ("phone_no", "0045 55 40", "+45 (55) 40"),
        ("country_code", "dk", "DK"),
    ],
)
def test_a_way_of_writing_is_not_a_difference(field: str, one: str, other: str) -> None:
    mapping = get_mapping("CUSTOMER")

    assert comparable(mapping, field, one) == comparable(mapping, field, other) != ""


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("number", "01121212", "1121212"),
        ("number", "O'B/50", "OB50"),
        ("email", "jo.e@b.example", "jo-e@b.example"),
        ("phone_no", "+45 55", "45 55"),
    ],
)
def test_a_sign_that_tells_two_apart_is_one(field: str, one: str, other: str) -> None:
    mapping = get_mapping("CUSTOMER")

    assert comparable(mapping, field, one) != comparable(mapping, field, other)
