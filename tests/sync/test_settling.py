"""A person's answer to a conflict: what was shown is settled, and nothing else."""

from uuid import UUID

import pytest

from crmsync.ledger.models import Customer
from crmsync.mapping.overlay import Change, Setting
from crmsync.sync import jobs, services
from crmsync.sync.models import Coupling, Obstacle
from crmsync.sync.services import NotTheValuesShown, UnableToSettle
from crmsync.terms import CouplingOrigin, FirstWinner, Side
from tests.sandboxes import Sandbox
from tests.setup_wizard.remapped import change, of_table, off, restore, way
from tests.sync.pairs import Pair, in_the_way, live_coupling, pair
from tests.sync.runs import run


@pytest.fixture
def conflict(settled: Sandbox) -> Pair:
    """A customer whose city was changed on both sides."""
    one = pair(settled, "10000")
    one.edit_here(city="Odense")
    one.edit_there(address1_city="Aarhus")
    run("CUSTOMER")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "conflict")
    return one


def shown(number: str = "10000") -> str:
    """What a page shows of the conflict now, as an answer names it."""
    coupling = live_coupling(number)
    both = [coupling.ledger_id, coupling.crm_id]
    found = Obstacle.objects.filter(record_id__in=both).first()
    return services.fingerprint(found) if found else ""


def answer(winner: FirstWinner, number: str = "10000", *, expected: str | None = None) -> None:
    services.settle_conflict(
        coupling_id=live_coupling(number).pk,
        winner=winner,
        expected=shown(number) if expected is None else expected,
        by="anna",
    )


@pytest.mark.parametrize(
    ("winner", "city"), [(FirstWinner.LEDGER, "Odense"), (FirstWinner.CRM, "Aarhus")]
)
def test_the_next_pass_writes_the_side_that_is_right(
    conflict: Pair, winner: FirstWinner, city: str
) -> None:
    answer(winner)
    assert in_the_way(conflict.customer.pk, Side.LEDGER) is None

    run("CUSTOMER")

    assert conflict.sides("city", "address1_city") == (city, city)
    assert in_the_way(conflict.customer.pk, Side.LEDGER) is None
    coupling = live_coupling("10000")
    assert (coupling.settled_by, coupling.settled_at is None) == ("anna", False)


@pytest.mark.parametrize("winner", [FirstWinner.LEDGER, FirstWinner.CRM])
def test_what_was_changed_after_the_answer_is_not_overwritten(
    conflict: Pair, winner: FirstWinner
) -> None:
    answer(winner)
    if winner is FirstWinner.LEDGER:
        conflict.edit_there(address1_city="Ribe")
    else:
        conflict.edit_here(city="Ribe")

    run("CUSTOMER")

    assert "Ribe" in conflict.sides("city", "address1_city")
    assert in_the_way(conflict.customer.pk, Side.LEDGER) == ("undecided", "conflict")


def test_an_answer_to_values_that_a_pass_has_replaced_is_refused(conflict: Pair) -> None:
    seen = shown()
    conflict.edit_there(address1_city="Ribe")
    run("CUSTOMER")

    with pytest.raises(NotTheValuesShown, match="not those that were shown"):
        answer(FirstWinner.LEDGER, expected=seen)

    run("CUSTOMER")
    assert conflict.sides("city", "address1_city") == ("Odense", "Ribe")
    assert in_the_way(conflict.customer.pk, Side.LEDGER) == ("undecided", "conflict")
    answer(FirstWinner.LEDGER)
    run("CUSTOMER")
    assert conflict.sides("city", "address1_city") == ("Odense", "Odense")


def test_a_pass_that_finds_the_same_values_keeps_the_answer_good(conflict: Pair) -> None:
    seen = shown()
    run("CUSTOMER")

    answer(FirstWinner.CRM, expected=seen)


def test_other_fields_that_differ_go_their_own_way(conflict: Pair) -> None:
    conflict.edit_there(telephone1="+45 86 12 34 56")
    answer(FirstWinner.LEDGER)

    run("CUSTOMER")

    assert conflict.sides("phone_no", "telephone1") == ("+45 86 12 34 56", "+45 86 12 34 56")
    assert conflict.sides("city", "address1_city") == ("Odense", "Odense")


def test_first_values_that_differ_are_settled_likewise(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware", city="Odense")
    (crm_id,) = settled.edit(
        {
            "set": "accounts",
            "create": {"name": "Litware Inc.", "customertypecode": 3, "address1_city": "Aarhus"},
        }
    )
    jobs.read_sales(mapping="CUSTOMER", by="test")
    services.couple(
        mapping="CUSTOMER",
        ledger_id=customer.pk,
        crm_id=UUID(crm_id),
        first_winner=FirstWinner.FILL_BLANKS,
        origin=CouplingOrigin.PERSON,
        by="test",
    )
    run("CUSTOMER")
    assert in_the_way(customer.pk, Side.LEDGER) == ("undecided", "first_values_differ")

    answer(FirstWinner.CRM, "70000")
    run("CUSTOMER")

    customer.refresh_from_db()
    assert (customer.name, customer.city) == ("Litware Inc.", "Aarhus")
    assert in_the_way(customer.pk, Side.LEDGER) is None


def test_filling_blanks_is_no_answer_and_neither_is_one_to_a_question_nobody_asks(
    conflict: Pair,
) -> None:
    before = Coupling.objects.get(pk=live_coupling("10000").pk).agreed
    with pytest.raises(UnableToSettle, match="filling blanks"):
        answer(FirstWinner.FILL_BLANKS)
    with pytest.raises(UnableToSettle, match="Nothing about these two"):
        answer(FirstWinner.LEDGER, "20000")
    services.remove_coupling(coupling_id=live_coupling("10000").pk)
    with pytest.raises(UnableToSettle, match="not coupled any more"):
        services.settle_conflict(
            coupling_id=Coupling.objects.get(ledger_id=conflict.customer.pk).pk,
            winner=FirstWinner.LEDGER,
            expected="",
            by="anna",
        )

    assert Coupling.objects.get(ledger_id=conflict.customer.pk).agreed == before
    assert not Obstacle.objects.filter(record_id=conflict.customer.pk).exists()


TO_SALES_ALONE = [of_table(Setting.DIRECTION, "to_crm"), way("city", "to_crm")]


@pytest.mark.parametrize("narrowed", TO_SALES_ALONE)
def test_a_question_about_a_field_whose_way_was_closed_is_withdrawn(
    conflict: Pair, narrowed: Change
) -> None:
    seen = shown()
    change(narrowed)

    with pytest.raises(UnableToSettle):
        answer(FirstWinner.CRM, expected=seen)

    assert in_the_way(conflict.customer.pk, Side.LEDGER) is None
    run("CUSTOMER")
    assert conflict.sides("city", "address1_city") == ("Odense", "Odense")


@pytest.mark.parametrize(("way_left", "winner"), [("to_crm", "crm"), ("from_crm", "ledger")])
def test_an_answer_that_the_mapping_does_not_bring_over_is_refused(
    conflict: Pair, way_left: str, winner: str
) -> None:
    """As if the question had stayed, and the fingerprint were of the ways in force."""
    question = Obstacle.objects.get(record_id=conflict.customer.pk)
    change(way("city", way_left))
    question.save(force_insert=True)
    before = live_coupling("10000").agreed

    with pytest.raises(UnableToSettle, match="does not bring City that way"):
        answer(FirstWinner(winner))

    assert live_coupling("10000").agreed == before


def test_what_a_person_saw_is_another_question_once_a_way_has_changed(conflict: Pair) -> None:
    question = Obstacle.objects.get(record_id=conflict.customer.pk)
    seen = services.fingerprint(question)

    change(way("city", "to_crm"))
    assert services.fingerprint(question) != seen
    change(off("city"))
    assert services.fingerprint(question) != seen
    restore()
    assert services.fingerprint(question) == seen


def test_a_question_about_another_field_stays(conflict: Pair) -> None:
    change(way("phone_no", "to_crm"))

    answer(FirstWinner.CRM)
    run("CUSTOMER")

    assert conflict.sides("city", "address1_city") == ("Aarhus", "Aarhus")


def test_a_way_that_is_opened_again_brings_the_question_back(conflict: Pair) -> None:
    change(off("city"))
    restore()

    run("CUSTOMER")

    assert in_the_way(conflict.customer.pk, Side.LEDGER) == ("undecided", "first_values_differ")
