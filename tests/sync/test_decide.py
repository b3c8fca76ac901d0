"""What to write where: properties that hold for any two sides and whatever they agreed on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.sync.decide import Conflict, Decision, FieldRule, Value, decide
from crmsync.terms import ConflictPolicy, Direction, FirstWinner, Side

NAMES = ("name", "city", "phone", "limit", "currency")
VALUES: st.SearchStrategy[Value] = st.sampled_from([None, "a", "b", "c", 1, 0, True, False])
VALUE_SETS = st.dictionaries(st.sampled_from(NAMES), VALUES)
WHOLE_SETS = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two sides, what they agreed on, and by which rules they are compared."""

    rules: tuple[FieldRule, ...]
    ledger: dict[str, Value]
    crm: dict[str, Value]
    agreed: dict[str, Value]
    first_winner: FirstWinner = FirstWinner.FILL_BLANKS
    policy: ConflictPolicy = ConflictPolicy.ASK

    def decide(self) -> Decision:
        return decide(
            self.rules,
            ledger=self.ledger,
            crm=self.crm,
            agreed=self.agreed,
            first_winner=self.first_winner,
            policy=self.policy,
        )

    def direction(self, name: str) -> Direction:
        return next(rule.direction for rule in self.rules if rule.name == name)

    def carried_out(self) -> "Pair":
        """The pair after the decision was written to both sides and agreed on."""
        decision = self.decide()
        to_crm = {name: self.ledger[name] for name in decision.to_crm}
        to_ledger = {name: self.crm[name] for name in decision.to_ledger}
        return replace(
            self,
            ledger=self.ledger | to_ledger,
            crm=self.crm | to_crm,
            agreed=self.agreed | dict(decision.equal) | to_crm | to_ledger,
        )


RULES = st.tuples(
    *(st.builds(FieldRule, st.just(name), st.sampled_from(Direction)) for name in NAMES)
)
TWO_WAY = tuple(FieldRule(name, Direction.BIDIRECTIONAL) for name in NAMES)
PAIRS = st.builds(
    Pair,
    rules=RULES,
    ledger=VALUE_SETS,
    crm=VALUE_SETS,
    agreed=VALUE_SETS,
    first_winner=st.sampled_from(FirstWinner),
    policy=st.sampled_from(ConflictPolicy),
)


def for_every_pair(test: Callable[[Pair], None]) -> Callable[[], None]:
    return settings(deadline=None, max_examples=100)(given(PAIRS)(test))


@for_every_pair
def test_a_field_is_never_written_against_its_direction(pair: Pair) -> None:
    decision = pair.decide()

    assert all(pair.direction(name).writes_crm for name in decision.to_crm)
    assert all(pair.direction(name).writes_ledger for name in decision.to_ledger)


@for_every_pair
def test_a_field_that_one_side_does_not_show_takes_no_part(pair: Pair) -> None:
    decision = pair.decide()

    named = decision.to_crm | decision.to_ledger | set(decision.equal)
    named |= {conflict.field for conflict in decision.conflicts}
    assert named == pair.ledger.keys() & pair.crm.keys()


@for_every_pair
def test_every_field_gets_exactly_one_verdict(pair: Pair) -> None:
    decision = pair.decide()

    named = [*decision.to_crm, *decision.to_ledger, *decision.equal]
    named += [conflict.field for conflict in decision.conflicts]
    assert len(named) == len(set(named))


@for_every_pair
def test_equal_values_are_agreed_on_and_never_written(pair: Pair) -> None:
    decision = pair.decide()

    same = {
        name: pair.ledger[name]
        for name in pair.ledger.keys() & pair.crm.keys()
        if pair.ledger[name] == pair.crm[name]
    }
    assert decision.equal == same


@for_every_pair
def test_carrying_it_out_makes_both_sides_equal_except_for_conflicts(pair: Pair) -> None:
    conflicts = {conflict.field for conflict in pair.decide().conflicts}

    after = pair.carried_out()

    for name in (after.ledger.keys() & after.crm.keys()) - conflicts:
        assert after.ledger[name] == after.crm[name] == after.agreed[name]


@for_every_pair
def test_deciding_again_afterwards_writes_nothing(pair: Pair) -> None:
    decision = pair.carried_out().decide()

    assert (decision.to_crm, decision.to_ledger) == (frozenset(), frozenset())
    assert decision.conflicts == pair.decide().conflicts
    assert decision.restored == ()


@for_every_pair
def test_a_conflict_keeps_both_values_and_touches_neither(pair: Pair) -> None:
    after = pair.carried_out()

    for conflict in pair.decide().conflicts:
        assert conflict == Conflict(
            conflict.field, pair.ledger[conflict.field], pair.crm[conflict.field]
        )
        assert after.ledger[conflict.field] == conflict.ledger
        assert after.crm[conflict.field] == conflict.crm
        assert after.agreed.get(conflict.field) == pair.agreed.get(conflict.field)


@for_every_pair
def test_only_a_two_way_field_is_ever_in_conflict(pair: Pair) -> None:
    for conflict in pair.decide().conflicts:
        assert pair.direction(conflict.field) is Direction.BIDIRECTIONAL


@settings(deadline=None)
@given(WHOLE_SETS, VALUE_SETS, st.sampled_from(Side), st.sampled_from(FirstWinner))
def test_the_side_that_changed_alone_wins(
    agreed: dict[str, Value], edits: dict[str, Value], side: Side, winner: FirstWinner
) -> None:
    here = agreed | edits if side is Side.LEDGER else agreed
    there = agreed | edits if side is Side.CRM else agreed

    decision = Pair(TWO_WAY, here, there, agreed, winner).decide()

    changed = {name for name, value in edits.items() if value != agreed[name]}
    assert decision.to_crm == (changed if side is Side.LEDGER else set())
    assert decision.to_ledger == (changed if side is Side.CRM else set())
    assert decision.conflicts == ()


@settings(deadline=None)
@given(WHOLE_SETS, VALUE_SETS, VALUE_SETS)
def test_different_fields_changed_on_both_sides_are_both_kept(
    agreed: dict[str, Value], here: dict[str, Value], there: dict[str, Value]
) -> None:
    there = {name: value for name, value in there.items() if name not in here}

    after = Pair(TWO_WAY, agreed | here, agreed | there, agreed).carried_out()

    assert after.ledger == after.crm == agreed | here | there


def test_the_same_field_changed_on_both_sides_goes_by_the_policy() -> None:
    pair = Pair(TWO_WAY[:1], {"name": "ours"}, {"name": "theirs"}, {"name": "old"})

    asked = pair.decide()
    ours = replace(pair, policy=ConflictPolicy.LEDGER_WINS).decide()
    theirs = replace(pair, policy=ConflictPolicy.CRM_WINS).decide()

    assert asked == Decision(conflicts=(Conflict("name", "ours", "theirs"),))
    assert ours == Decision(to_crm=frozenset({"name"}))
    assert theirs == Decision(to_ledger=frozenset({"name"}))


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    pair = Pair(TWO_WAY[:1], {"name": "new"}, {"name": "new"}, {"name": "old"})

    assert pair.decide() == Decision(equal={"name": "new"})


@settings(deadline=None)
@given(WHOLE_SETS, WHOLE_SETS, st.sampled_from(ConflictPolicy))
def test_nothing_agreed_the_first_winner_wins_whatever_the_policy(
    here: dict[str, Value], there: dict[str, Value], policy: ConflictPolicy
) -> None:
    ours = Pair(TWO_WAY, here, there, {}, FirstWinner.LEDGER, policy).carried_out()
    theirs = Pair(TWO_WAY, here, there, {}, FirstWinner.CRM, policy).carried_out()

    assert ours.ledger == ours.crm == here
    assert theirs.ledger == theirs.crm == there


@settings(deadline=None)
@given(WHOLE_SETS, WHOLE_SETS)
def test_filling_blanks_overwrites_nothing(here: dict[str, Value], there: dict[str, Value]) -> None:
    pair = Pair(TWO_WAY, here, there, {}, FirstWinner.FILL_BLANKS)

    after = pair.carried_out()

    for name in NAMES:
        filled = here[name] if there[name] is None else there[name]
        assert after.ledger[name] == (filled if here[name] is None else here[name])
        assert after.crm[name] == (here[name] if there[name] is None else there[name])


def test_a_value_was_taken_away_and_that_is_a_change_like_any_other() -> None:
    pair = Pair(TWO_WAY[:1], {"name": None}, {"name": "old"}, {"name": "old"})

    assert pair.decide() == Decision(to_crm=frozenset({"name"}))


def test_a_one_way_field_edited_on_its_wrong_side_is_restored_and_named() -> None:
    to_crm = Pair(
        (FieldRule("name", Direction.TO_CRM),), {"name": "ours"}, {"name": "x"}, {"name": "ours"}
    )
    from_crm = Pair(
        (FieldRule("name", Direction.FROM_CRM),),
        {"name": "x"},
        {"name": "theirs"},
        {"name": "theirs"},
    )

    assert to_crm.decide() == Decision(to_crm=frozenset({"name"}), restored=("name",))
    assert from_crm.decide() == Decision(to_ledger=frozenset({"name"}), restored=("name",))


def test_a_one_way_field_edited_on_its_own_side_only_is_not_called_restored() -> None:
    pair = Pair(
        (FieldRule("name", Direction.TO_CRM),), {"name": "new"}, {"name": "old"}, {"name": "old"}
    )

    assert pair.decide() == Decision(to_crm=frozenset({"name"}))


def test_zero_is_a_value_and_not_a_blank() -> None:
    pair = Pair(TWO_WAY[:1], {"name": 0}, {"name": None}, {}, FirstWinner.FILL_BLANKS)

    assert pair.decide() == Decision(to_crm=frozenset({"name"}))
