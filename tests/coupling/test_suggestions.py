"""Suggestions over the demo company: what a person may accept in one click, and what not."""

import pytest

from coupling import services
from coupling.errors import NoSuggestion
from coupling.matching import Certainty, Proposal
from coupling.models import Suggestion
from crmsync.ledger.models import Customer
from crmsync.sync import jobs
from crmsync.sync import services as sync
from crmsync.sync.models import Coupling, CrmRecord, NotTheSame
from crmsync.sync.services import UnableToCouple
from crmsync.terms import FirstWinner, Side
from tests.sandboxes import Sandbox

NOT_CERTAIN = ("60010", "60020", "60060", "60090", "60100", "01121212", "O'B/50")


@pytest.fixture
def read(connected: Sandbox) -> Sandbox:
    """Sales was read, nothing is coupled."""
    for mapping in ("SALESPEOPLE", "CUSTOMER"):
        jobs.read_sales(mapping=mapping, by="test")
    return connected


@pytest.fixture
def matched(read: Sandbox) -> Sandbox:
    """Customers were matched, nothing is coupled."""
    match()
    return read


def match(mapping: str = "CUSTOMER") -> None:
    matching = services.request_matching(mapping=mapping, by="test", reads_sales=False)
    services.run_matching(matching_id=matching.pk, worker="test")


def suggested(certainty: Certainty) -> Suggestion:
    found = services.open_suggestions("CUSTOMER").filter(certainty=certainty).order_by("number")
    first = found.first()
    assert first is not None
    return first


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


def test_accepting_what_is_chosen_couples_it_and_leaves_the_rest(matched: Sandbox) -> None:
    chosen = services.open_suggestions("CUSTOMER").filter(is_chosen=True)
    pairs = set(chosen.values_list("ledger_id", "crm_id"))

    accepted = services.accept_chosen(
        mapping="CUSTOMER", first_winner=FirstWinner.FILL_BLANKS, by="Ann"
    )

    assert (accepted.coupled, accepted.refused, accepted.left) == (len(pairs), (), 0)
    assert set(Coupling.objects.values_list("ledger_id", "crm_id")) == pairs
    assert set(Coupling.objects.values_list("origin", "first_winner", "coupled_by")) == {
        ("match", "fill_blanks", "Ann")
    }
    assert {one.certainty for one in services.open_suggestions("CUSTOMER")} == {"ambiguous"}


def test_accepting_a_limited_number_says_how_many_are_left(matched: Sandbox) -> None:
    chosen = services.open_suggestions("CUSTOMER").filter(is_chosen=True).count()

    accepted = services.accept_chosen(
        mapping="CUSTOMER", first_winner=FirstWinner.LEDGER, by="test", limit=5
    )

    assert (accepted.coupled, accepted.left) == (5, chosen - 5)


def test_a_tick_taken_away_holds_and_outlives_the_next_matching(matched: Sandbox) -> None:
    one = suggested(Certainty.CERTAIN)

    services.choose(mapping="CUSTOMER", ledger_ids_on=[], ledger_ids_off=[one.ledger_id])
    match()
    services.accept_chosen(mapping="CUSTOMER", first_winner=FirstWinner.LEDGER, by="test")

    assert Coupling.objects.exists()
    assert not Coupling.objects.filter(ledger_id=one.ledger_id).exists()


def test_all_of_a_kind_are_ticked_and_unticked_together(matched: Sandbox) -> None:
    count = services.open_suggestions("CUSTOMER").filter(certainty=Certainty.CERTAIN).count()

    off = services.choose_all(mapping="CUSTOMER", certainty=Certainty.CERTAIN, is_chosen=False)
    on = services.choose_all(mapping="CUSTOMER", certainty=Certainty.CERTAIN, is_chosen=True)

    assert (off, on) == (count, count)


def test_a_row_that_two_customers_would_take_goes_to_one_and_the_other_says_why(
    matched: Sandbox,
) -> None:
    services.choose_all(mapping="CUSTOMER", certainty=Certainty.AMBIGUOUS, is_chosen=True)

    accepted = services.accept_chosen(
        mapping="CUSTOMER",
        first_winner=FirstWinner.LEDGER,
        by="test",
        certainty=Certainty.AMBIGUOUS,
    )

    assert (accepted.coupled, len(accepted.refused), accepted.left) == (1, 1, 0)
    refused = Suggestion.objects.get(ledger_id=accepted.refused[0].ledger_id)
    assert refused.refusal == accepted.refused[0].sentence
    assert not refused.is_chosen


def test_one_suggestion_is_accepted_alone_and_only_once(matched: Sandbox) -> None:
    one = suggested(Certainty.CERTAIN)
    accept(one)

    assert Coupling.objects.get().crm_id == one.crm_id
    with pytest.raises(NoSuggestion):
        accept(one)


def accept(one: Suggestion) -> int:
    return services.accept_one(
        mapping="CUSTOMER", ledger_id=one.ledger_id, first_winner=FirstWinner.CRM, by="test"
    )


def test_dismissed_records_are_not_suggested_to_each_other_any_more(matched: Sandbox) -> None:
    one = suggested(Certainty.CERTAIN)

    services.dismiss(mapping="CUSTOMER", ledger_id=one.ledger_id, by="Ann")

    assert NotTheSame.objects.get().said_by == "Ann"
    still_open = services.open_suggestions("CUSTOMER")
    assert not still_open.filter(ledger_id=one.ledger_id).exists()
    match()
    assert not Suggestion.objects.filter(ledger_id=one.ledger_id, crm_id=one.crm_id).exists()


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
    services.accept_chosen(mapping="SALESPEOPLE", first_winner=FirstWinner.CRM, by="test")

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
