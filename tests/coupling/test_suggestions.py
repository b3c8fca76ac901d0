"""Suggestions over the demo company: what is found, and what stays open."""

import pytest

from coupling import services
from coupling.matching import Certainty, Proposal
from coupling.models import Suggestion
from crmsync.ledger.models import Customer
from crmsync.sync import services as sync
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.sync.services import UnableToCouple
from crmsync.terms import FirstWinner, Side
from tests.coupling.suggested import accept_chosen, match, suggested
from tests.sandboxes import Sandbox

NOT_CERTAIN = ("60010", "60020", "60060", "60090", "60100", "01121212", "O'B/50")


def test_planted_lookalikes_are_not_certain(read: Sandbox) -> None:
    found = services.certain(services.suggest(mapping="CUSTOMER"))

    numbers = {one.ledger.number for one in found}
    assert len(found) > 20
    assert not numbers & set(NOT_CERTAIN)


def test_certain_pairs_agree_in_the_raw_rows_of_both_sides(matched: Sandbox) -> None:
    rows = {row["accountid"]: row for row in matched.dump("accounts")}
    chosen = services.open_suggestions("CUSTOMER").filter(is_chosen=True)

    assert chosen.count() > 20
    for one in chosen:
        customer, row = Customer.objects.get(pk=one.ledger_id), rows[str(one.crm_id)]
        same = [
            customer.number == row["accountnumber"],
            customer.name.lower() == str(row["name"]).lower(),
            customer.email.lower() == str(row["emailaddress1"]).lower(),
        ]
        assert sum(same) >= 2, (customer, row["name"])
        assert (row["statecode"], row["customertypecode"]) == (0, 3)


def test_suggesting_asks_sales_nothing_and_couples_nothing(read: Sandbox) -> None:
    mark = read.mark()

    match()

    assert Suggestion.objects.exists()
    assert read.journal(mark) == []
    assert not Coupling.objects.exists()


def test_accepting_twice_refuses_every_pair_and_names_the_reason(read: Sandbox) -> None:
    chosen = services.certain(services.suggest(mapping="CUSTOMER"))
    first = accept_all(chosen)

    second = accept_all(chosen)

    assert (first.coupled, first.refused) == (len(chosen), ())
    assert second.coupled == 0
    assert len(second.refused) == len(chosen)
    assert all("is coupled with" in one.sentence for one in second.refused)
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

    assert {"BC", "EH", "HR"} <= {one.ledger.number for one in found}


def test_two_customers_and_one_account_name_each_other_as_rivals(matched: Sandbox) -> None:
    galway, cork = Suggestion.objects.filter(certainty=Certainty.AMBIGUOUS).order_by("number")

    assert (galway.number, cork.number) == ("60010", "60020")
    assert not galway.is_chosen
    assert galway.rivals == [
        {"side": "ledger", "id": str(cork.ledger_id), "label": "60020 Fourth Coffee"}
    ]


@pytest.mark.parametrize("side", list(Side))
def test_a_left_out_record_is_neither_open_nor_matched(matched: Sandbox, side: Side) -> None:
    one = suggested(Certainty.CERTAIN)
    record_id = one.ledger_id if side is Side.LEDGER else one.crm_id

    sync.leave_out(
        mapping="CUSTOMER", side=side, record_ids=[record_id], reason="A test.", by="Ann"
    )

    assert not services.open_suggestions("CUSTOMER").filter(pk=one.pk).exists()
    match()
    assert not Suggestion.objects.filter(ledger_id=one.ledger_id).exists()


def test_a_suggestion_closes_when_its_record_goes_out_of_scope_or_its_row_away(
    matched: Sandbox,
) -> None:
    one = suggested(Certainty.CERTAIN)
    services_open = services.open_suggestions("CUSTOMER").filter(pk=one.pk)
    assert services_open.exists()

    Customer.objects.filter(pk=one.ledger_id).update(blocked="all")
    assert not services_open.all().exists()
    Customer.objects.filter(pk=one.ledger_id).update(blocked="")
    CrmRecord.objects.filter(crm_id=one.crm_id).update(is_deleted=True)
    assert not services_open.all().exists()


def test_reasons_are_sentences_with_the_captions_of_the_fields() -> None:
    codes = {"same": ["email", "number"], "similar": "name"}

    assert services.reason_sentences("CUSTOMER", codes) == [
        "Same No.",
        "Same Email",
        "Similar Name",
    ]


def test_salespeople_are_to_be_coupled_before_customers_as_long_as_any_can_be(
    read: Sandbox,
) -> None:
    before = dict(services.parents_to_couple("CUSTOMER"))
    match("SALESPEOPLE")
    accept_chosen("SALESPEOPLE")

    assert before["SALESPEOPLE"] == 6
    assert "SALESPEOPLE" not in dict(services.parents_to_couple("CUSTOMER"))
    assert services.parents_to_couple("SALESPEOPLE") == []


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
