"""Which record here is which record there: certain only beyond doubt, whatever the order."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from coupling.matching import Candidate, Certainty, Criteria, Proposal, propose

CRITERIA = Criteria(
    identifying=("number", "name", "email"),
    confirming=("phone_no", "post_code"),
    exact=frozenset({"number"}),
)
VALUES = {
    "number": st.sampled_from([None, "10000", "010000", "20000"]),
    "name": st.sampled_from([None, "Adatum", "ADATUM", "Adatum A/S", "Fabrikam"]),
    "email": st.sampled_from([None, "info@adatum.com", "mail@fabrikam.com"]),
    "phone_no": st.sampled_from([None, "+4511", "+4522"]),
    "post_code": st.sampled_from([None, "5000", "8000"]),
}


@st.composite
def candidates(draw: st.DrawFn, first: int) -> list[Candidate]:
    sets = draw(st.lists(st.fixed_dictionaries(VALUES), max_size=5))
    return [
        Candidate(UUID(int=first + n), str(values["name"] or ""), values)
        for n, values in enumerate(sets)
    ]


HERE, THERE = candidates(1000), candidates(2000)


def candidate(key: int, **values: str) -> Candidate:
    return Candidate(UUID(int=key), values.get("name", ""), values)


def certainties(here: list[Candidate], there: list[Candidate]) -> list[Certainty]:
    return [proposal.certainty for proposal in propose(here, there, CRITERIA)]


def certain(proposals: list[Proposal]) -> list[Proposal]:
    return [one for one in proposals if one.certainty is Certainty.CERTAIN]


def pairs(proposals: list[Proposal]) -> set[tuple[UUID, UUID, tuple[str, ...]]]:
    return {(one.ledger.record_id, one.crm.record_id, one.reasons) for one in proposals}


@settings(deadline=None)
@given(HERE, THERE, st.data())
def test_the_order_of_records_makes_no_difference_to_what_is_certain_or_likely(
    here: list[Candidate], there: list[Candidate], data: st.DataObject
) -> None:
    one = propose(here, there, CRITERIA)
    other = propose(data.draw(st.permutations(here)), data.draw(st.permutations(there)), CRITERIA)

    for certainty in (Certainty.CERTAIN, Certainty.LIKELY):
        assert pairs([p for p in one if p.certainty is certainty]) == pairs(
            [p for p in other if p.certainty is certainty]
        )
    assert {p.ledger.record_id for p in one} == {p.ledger.record_id for p in other}


@settings(deadline=None)
@given(HERE, THERE)
def test_the_two_sides_see_the_same_certain_pairs(
    here: list[Candidate], there: list[Candidate]
) -> None:
    one = {(p.ledger.record_id, p.crm.record_id) for p in certain(propose(here, there, CRITERIA))}
    other = {(p.crm.record_id, p.ledger.record_id) for p in certain(propose(there, here, CRITERIA))}

    assert one == other


@settings(deadline=None)
@given(HERE, THERE)
def test_certain_pairs_are_one_to_one_and_agree_twice(
    here: list[Candidate], there: list[Candidate]
) -> None:
    found = certain(propose(here, there, CRITERIA))

    assert len({one.ledger.record_id for one in found}) == len(found)
    assert len({one.crm.record_id for one in found}) == len(found)
    for one in found:
        assert len([reason for reason in one.reasons if reason.startswith("same ")]) >= 2
        assert set(one.reasons) & {"same number", "same name", "same email"}


@settings(deadline=None)
@given(HERE, THERE)
def test_a_record_is_proposed_once_at_most(here: list[Candidate], there: list[Candidate]) -> None:
    found = [one.ledger.record_id for one in propose(here, there, CRITERIA)]

    assert len(set(found)) == len(found)


@settings(deadline=None)
@given(HERE, THERE)
def test_a_further_record_with_the_same_values_takes_the_certainty_away(
    here: list[Candidate], there: list[Candidate]
) -> None:
    for one in certain(propose(here, there, CRITERIA)):
        rival = Candidate(UUID(int=9999), one.crm.label, one.crm.values)

        again = propose(here, [*there, rival], CRITERIA)

        assert one.ledger.record_id not in {p.ledger.record_id for p in certain(again)}


def test_a_name_alone_is_never_certain() -> None:
    here, there = [candidate(1, name="Adatum")], [candidate(2, name="ADATUM")]

    assert certainties(here, there) == [Certainty.LIKELY]


def test_a_name_and_a_post_code_are_certain() -> None:
    here = [candidate(1, name="Adatum", post_code="5000")]

    assert certainties(here, [candidate(2, name="Adatum", post_code="5000")]) == [Certainty.CERTAIN]
    assert certainties(here, [candidate(2, name="Adatum", post_code="8000")]) == [Certainty.LIKELY]


def test_two_confirmations_without_an_identification_propose_nothing() -> None:
    here = [candidate(1, name="Adatum", post_code="5000", phone_no="+4511")]
    there = [candidate(2, name="Fabrikam", post_code="5000", phone_no="+4511")]

    assert propose(here, there, CRITERIA) == []


def test_a_number_is_taken_as_it_stands() -> None:
    here = [candidate(1, number="01121212", name="Spotsmeyer's Furnishings")]
    there = [candidate(2, number="1121212", name="Tailspin Toys")]

    assert propose(here, there, CRITERIA) == []


def test_two_customers_with_the_name_of_one_account_are_both_ambiguous() -> None:
    here = [candidate(1, name="Fourth Coffee"), candidate(2, name="Fourth Coffee")]
    there = [candidate(3, name="Fourth Coffee")]

    assert certainties(here, there) == [Certainty.AMBIGUOUS, Certainty.AMBIGUOUS]


def test_blanks_agree_on_nothing() -> None:
    here = [candidate(1, number="", name=" ", email="")]
    there = [candidate(2, number="", name="", email="")]

    assert propose(here, there, CRITERIA) == []


def test_letter_case_and_punctuation_do_not_hide_a_name() -> None:
    here = [candidate(1, name="S\u00f8ren & Co. A/S", email="a@b.c")]
    there = [candidate(2, name="S\u00d8REN & CO A/S", email="A@B.C")]

    (found,) = propose(here, there, CRITERIA)

    assert found.certainty is Certainty.CERTAIN
    assert found.reasons == ("same email", "same name")


def test_a_similar_name_is_told_as_a_reason_and_is_not_an_agreement() -> None:
    here = [candidate(1, number="10000", name="Adatum Corporation")]
    there = [candidate(2, number="10000", name="Adatum")]

    (found,) = propose(here, there, CRITERIA)

    assert found.certainty is Certainty.LIKELY
    assert found.reasons == ("same number", "similar name")
