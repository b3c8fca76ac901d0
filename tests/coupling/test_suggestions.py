"""Suggestions over the demo company: what a person may accept in one click, and what not."""

import pytest

from coupling import services
from coupling.matching import Certainty, Proposal
from crmsync.ledger.models import Customer
from crmsync.sync import jobs
from crmsync.sync.models import Coupling
from crmsync.sync.services import UnableToCouple
from crmsync.terms import FirstWinner
from tests.sandboxes import Sandbox

NOT_CERTAIN = ("60010", "60020", "60060", "60090", "60100", "01121212", "O'B/50")


@pytest.fixture
def read(connected: Sandbox) -> Sandbox:
    """Sales was read, nothing is coupled."""
    for mapping in ("SALESPEOPLE", "CUSTOMER"):
        jobs.read_sales(mapping=mapping, by="test")
    return connected


def test_planted_lookalikes_are_not_certain(read: Sandbox) -> None:
    found = services.certain(services.suggest(mapping="CUSTOMER"))

    numbers = {one.ledger.label.split(" ", 1)[0] for one in found}
    assert len(found) > 20
    assert not numbers & set(NOT_CERTAIN)


def test_certain_pairs_agree_in_the_raw_rows_of_both_sides(read: Sandbox) -> None:
    rows = {row["accountid"]: row for row in read.dump("accounts")}

    for one in services.certain(services.suggest(mapping="CUSTOMER")):
        customer, row = Customer.objects.get(pk=one.ledger.record_id), rows[str(one.crm.record_id)]
        same = [
            customer.number == row["accountnumber"],
            customer.name.lower() == str(row["name"]).lower(),
            customer.email.lower() == str(row["emailaddress1"]).lower(),
        ]
        assert sum(same) >= 2, (customer, row["name"])
        assert (row["statecode"], row["customertypecode"]) == (0, 3)


def test_suggesting_asks_sales_nothing_and_couples_nothing(read: Sandbox) -> None:
    mark = read.mark()

    services.suggest(mapping="CUSTOMER")

    assert read.journal(mark) == []
    assert not Coupling.objects.exists()


def test_accepting_twice_refuses_every_pair_and_names_the_reason(read: Sandbox) -> None:
    chosen = services.certain(services.suggest(mapping="CUSTOMER"))
    first = accept_all(chosen)

    second = accept_all(chosen)

    assert (first.coupled, first.refused) == (len(chosen), ())
    assert second.coupled == 0
    assert [one for one, _ in second.refused] == chosen
    assert {why for _, why in second.refused} == {"One of the two is coupled already."}
    assert Coupling.objects.count() == len(chosen)


def accept_all(chosen: list[Proposal]) -> services.Accepted:
    return services.accept(
        mapping="CUSTOMER", proposals=chosen, first_winner=FirstWinner.LEDGER, by="test"
    )


def test_what_was_coupled_is_not_suggested_again(read: Sandbox) -> None:
    chosen = services.certain(services.suggest(mapping="CUSTOMER"))
    accept_all(chosen)

    again = services.suggest(mapping="CUSTOMER")

    done = {one.ledger.record_id for one in chosen} | {one.crm.record_id for one in chosen}
    assert not {one.ledger.record_id for one in again} & done
    assert not {one.crm.record_id for one in again} & done
    assert Certainty.CERTAIN not in {one.certainty for one in again}


def test_salespeople_are_matched_by_e_mail_whatever_its_letter_case(read: Sandbox) -> None:
    found = services.certain(services.suggest(mapping="SALESPEOPLE"))

    assert {"BC", "EH", "HR"} <= {one.ledger.label.split(" ", 1)[0] for one in found}


def test_a_number_that_nobody_has_cannot_be_coupled(read: Sandbox) -> None:
    (row, *_) = read.dump("accounts")

    with pytest.raises(UnableToCouple, match="no customers record 99999"):
        services.couple_pair(
            mapping="CUSTOMER",
            number="99999",
            crm_id=row["accountid"],
            first_winner=FirstWinner.CRM,
            by="test",
        )
    assert not services.remove(mapping="CUSTOMER", number="99999")
