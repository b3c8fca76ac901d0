"""Which record here is which record there: certain only beyond doubt, whatever the order."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coupling.likeness import Candidate, Criteria, Evidence
from coupling.matching import Certainty, Proposal, propose
from coupling.meetings import MOST_ALIKE

EVIDENCE = Evidence(("number", "name", "email"), ("phone_no", "post_code"))
DECLARED = Criteria((("number",), ("name",), ("email",)))
VALUES = {
    "number": st.sampled_from(["", "10000", "010000", "20000"]),
    "name": st.sampled_from(["", "adatum", "adatum a s", "fabrikam"]),
    "email": st.sampled_from(["", "info@adatum.com", "mail@fabrikam.com"]),
    "phone_no": st.sampled_from(["", "+4511", "+4522"]),
    "post_code": st.sampled_from(["", "5000", "8000"]),
    "city": st.sampled_from(["", "odense", "aarhus"]),
}


@st.composite
def candidates(draw: st.DrawFn, first: int) -> list[Candidate]:
    sets = draw(st.lists(st.fixed_dictionaries(VALUES), max_size=5))
    return [candidate(first + n, **values) for n, values in enumerate(sets)]


@st.composite
def any_criteria(draw: st.DrawFn) -> Criteria:
    """Whatever a person may pick: any fields, together or alone, letter case or not."""
    names = st.sampled_from(sorted(VALUES))
    groups = draw(st.lists(st.sets(names, min_size=1, max_size=3), min_size=1, max_size=4))
    return Criteria(tuple(tuple(sorted(one)) for one in groups), draw(st.frozensets(names)))


def candidate(key: int, **values: str) -> Candidate:
    known = {name: value for name, value in values.items() if value.strip()}
    return Candidate(UUID(int=key), known.get("name", ""), known, known.get("name", ""), known)


HERE, THERE = candidates(1000), candidates(2000)


def found(here: list[Candidate], there: list[Candidate]) -> list[Proposal]:
    return propose(here, there, DECLARED, EVIDENCE)


def certainties(here: list[Candidate], there: list[Candidate]) -> list[Certainty]:
    return [proposal.certainty for proposal in found(here, there)]


def certain(proposals: list[Proposal]) -> list[Proposal]:
    return [one for one in proposals if one.certainty is Certainty.CERTAIN]


def pairs(proposals: list[Proposal]) -> set[tuple[UUID, UUID]]:
    return {(one.ledger.record_id, one.crm.record_id) for one in proposals}


@settings(deadline=None)
@given(HERE, THERE, any_criteria(), st.data())
def test_the_order_of_records_makes_no_difference(
    here: list[Candidate], there: list[Candidate], criteria: Criteria, data: st.DataObject
) -> None:
    one = propose(here, there, criteria, EVIDENCE)
    shuffled = data.draw(st.permutations(here)), data.draw(st.permutations(there))
    other = propose(*shuffled, criteria, EVIDENCE)

    assert set(map(told, one)) == set(map(told, other))


def told(proposal: Proposal) -> tuple[object, ...]:
    ids = proposal.ledger.record_id, proposal.crm.record_id
    return (*ids, proposal.certainty, proposal.reasons)


@settings(deadline=None)
@given(HERE, THERE)
def test_the_two_sides_see_the_same_certain_pairs(
    here: list[Candidate], there: list[Candidate]
) -> None:
    mirrored = {(ours, theirs) for theirs, ours in pairs(certain(found(there, here)))}

    assert pairs(certain(found(here, there))) == mirrored


@settings(deadline=None, max_examples=300)
@given(HERE, THERE, any_criteria())
def test_no_criteria_make_certain_what_the_declared_evidence_does_not(
    here: list[Candidate], there: list[Candidate], criteria: Criteria
) -> None:
    picked = certain(propose(here, there, criteria, EVIDENCE))

    assert pairs(picked) <= pairs(certain(found(here, there)))


@settings(deadline=None)
@given(HERE, THERE, any_criteria())
def test_certain_pairs_are_one_to_one_and_agree_twice(
    here: list[Candidate], there: list[Candidate], criteria: Criteria
) -> None:
    picked = certain(propose(here, there, criteria, EVIDENCE))

    assert len({one.ledger.record_id for one in picked}) == len(picked)
    assert len({one.crm.record_id for one in picked}) == len(picked)
    for one in picked:
        same = set(one.reasons.same)
        assert same & set(EVIDENCE.identifying)
        assert len(same & {*EVIDENCE.identifying, *EVIDENCE.confirming}) >= 2


@settings(deadline=None)
@given(HERE, THERE, any_criteria())
def test_a_record_is_proposed_once_at_most_and_only_by_a_group_that_agrees(
    here: list[Candidate], there: list[Candidate], criteria: Criteria
) -> None:
    proposals = propose(here, there, criteria, EVIDENCE)

    assert len({one.ledger.record_id for one in proposals}) == len(proposals)
    for one in proposals:
        assert any(set(group) <= set(one.reasons.same) for group in criteria.groups)


@settings(deadline=None)
@given(HERE, THERE)
def test_a_further_record_with_the_same_values_takes_the_certainty_away(
    here: list[Candidate], there: list[Candidate]
) -> None:
    for one in certain(found(here, there)):
        rival = Candidate(UUID(int=9999), one.crm.label, one.crm.values, one.crm.name)

        again = found(here, [*there, rival])

        assert one.ledger.record_id not in {p.ledger.record_id for p in certain(again)}


def test_a_name_alone_is_never_certain() -> None:
    assert certainties([candidate(1, name="adatum")], [candidate(2, name="adatum")]) == [
        Certainty.LIKELY
    ]


def test_a_name_and_a_post_code_are_certain() -> None:
    here = [candidate(1, name="adatum", post_code="5000")]

    assert certainties(here, [candidate(2, name="adatum", post_code="5000")]) == [Certainty.CERTAIN]
    assert certainties(here, [candidate(2, name="adatum", post_code="8000")]) == [Certainty.LIKELY]


def test_two_confirmations_without_an_identification_propose_nothing() -> None:
    here = [candidate(1, name="adatum", post_code="5000", phone_no="+4511")]
    there = [candidate(2, name="fabrikam", post_code="5000", phone_no="+4511")]

    assert found(here, there) == []


def test_two_customers_with_the_name_of_one_account_are_rivals_of_each_other() -> None:
    here = [candidate(1, name="fourth coffee"), candidate(2, name="fourth coffee")]

    one, other = found(here, [candidate(3, name="fourth coffee")])

    assert (one.certainty, other.certainty) == (Certainty.AMBIGUOUS, Certainty.AMBIGUOUS)
    assert one.ledger_rivals == (other.ledger,)
    assert other.ledger_rivals == (one.ledger,)
    assert one.crm_rivals == ()


def test_blanks_agree_on_nothing() -> None:
    assert found([candidate(1, number="", name=" ")], [candidate(2, number="", name=" ")]) == []


def test_as_much_speaking_for_another_row_leaves_it_to_a_person() -> None:
    here = [candidate(1, number="1", email="a@b", name="adatum", post_code="5000")]
    there = [candidate(2, number="1", email="a@b"), candidate(3, name="adatum", post_code="5000")]

    (one,) = found(here, there)

    assert one.certainty is Certainty.AMBIGUOUS


def test_a_similar_name_is_told_as_a_reason_and_is_not_an_agreement() -> None:
    here = [candidate(1, number="10000", name="adatum corporation")]

    (one,) = found(here, [candidate(2, number="10000", name="adatum")])

    assert one.certainty is Certainty.LIKELY
    assert one.reasons.is_similar_name
    assert one.reasons.same == ("number",)


def test_fields_of_one_priority_must_all_agree() -> None:
    together = Criteria((("name", "city"),))
    here = [candidate(1, name="adatum", city="odense")]

    assert propose(here, [candidate(2, name="adatum", city="aarhus")], together, EVIDENCE) == []
    assert len(propose(here, [candidate(2, name="adatum", city="odense")], together, EVIDENCE)) == 1


def test_the_higher_priority_says_which_of_two_equal_rows_is_shown() -> None:
    here = [candidate(1, number="1", email="a@b")]
    there = [candidate(2, number="1"), candidate(3, email="a@b")]

    by_email = Criteria((("email",), ("number",)))
    (one,) = propose(here, there, by_email, EVIDENCE)

    assert one.crm.record_id == UUID(int=3)
    assert one.certainty is Certainty.AMBIGUOUS
    assert [rival.record_id for rival in one.crm_rivals] == [UUID(int=2)]


def test_letter_case_counts_where_a_person_says_so() -> None:
    here = Candidate(UUID(int=1), "", {"name": "adatum"}, "adatum", {"name": "Adatum"})
    there = Candidate(UUID(int=2), "", {"name": "adatum"}, "adatum", {"name": "ADATUM"})
    strict = Criteria((("name",),), frozenset({"name"}))

    assert propose([here], [there], strict, EVIDENCE) == []
    assert len(propose([here], [here], strict, EVIDENCE)) == 1


def test_a_rival_remains_one_though_its_letter_case_differs() -> None:
    values = {"email": "a@b", "post_code": "5000"}
    here = Candidate(UUID(int=1), "", values, "", {"email": "a@b"})
    there = [
        Candidate(UUID(int=2), "", values, "", {"email": "a@b"}),
        Candidate(UUID(int=3), "", values, "", {"email": "A@B"}),
    ]
    strict = Criteria((("email",),), frozenset({"email"}))

    (one,) = propose([here], there, strict, EVIDENCE)

    assert one.certainty is Certainty.AMBIGUOUS


def test_a_dismissed_pair_is_not_there_and_gives_way_to_the_next() -> None:
    here = [candidate(1, name="adatum", email="a@b")]
    there = [candidate(2, name="adatum", email="a@b"), candidate(3, name="adatum")]
    dismissed = {(UUID(int=1), UUID(int=2))}

    (one,) = propose(here, there, DECLARED, EVIDENCE, dismissed=dismissed)

    assert one.crm.record_id == UUID(int=3)
    assert one.certainty is Certainty.LIKELY


def crowd(first: int, size: int, **values: str) -> list[Candidate]:
    return [candidate(first + n, **values) for n in range(size)]


def test_a_value_that_many_share_is_no_lead_but_what_agrees_besides_is() -> None:
    size = MOST_ALIKE + 1
    here = [*crowd(100, size, name="smith"), candidate(1, name="smith", email="a@b")]
    there = [*crowd(500, size, name="smith"), candidate(2, name="smith", email="a@b")]

    (one,) = found(here, there)

    assert (one.ledger.record_id, one.crm.record_id) == (UUID(int=1), UUID(int=2))
    assert one.certainty is Certainty.CERTAIN


def test_nobody_is_certain_in_a_crowd_that_agrees_twice() -> None:
    size = MOST_ALIKE + 1
    alike = {"name": "smith", "post_code": "5000"}
    here = [*crowd(100, size, **alike), candidate(1, number="1", **alike)]
    there = [*crowd(500, size, **alike), candidate(2, number="1", **alike)]

    assert certain(found(here, there)) == []


def test_a_crowd_is_matched_in_time_that_grows_with_its_size_only() -> None:
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1

    here, there = crowd(10_000, 5000, name="smith"), crowd(90_000, 5000, name="smith")

    assert propose(here, there, DECLARED, EVIDENCE, tick=tick) == []
    assert len(propose(here, there[:1], DECLARED, EVIDENCE, tick=tick)) == 5000
    assert ticks > 5


def test_whoever_waits_can_end_the_work() -> None:
    class Stop(Exception):
        """Told by the caller."""

    def tick() -> None:
        raise Stop

    with pytest.raises(Stop):
        propose(crowd(1, 2, name="a"), crowd(5, 2, name="a"), DECLARED, EVIDENCE, tick=tick)
