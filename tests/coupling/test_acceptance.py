"""Accepting suggestions: what a person saw is coupled, and nothing else."""

import pytest

from coupling import services
from coupling.errors import NewSuggestions, NoSuggestion, OthersTicked
from coupling.matching import Certainty
from coupling.models import Suggestion
from crmsync.sync.models import Coupling, CrmRecord, NotTheSame
from crmsync.terms import FirstWinner
from tests.coupling.suggested import accept_chosen, all_seen, match, suggested
from tests.sandboxes import Sandbox


def test_accepting_what_is_chosen_couples_it_and_leaves_the_rest(matched: Sandbox) -> None:
    chosen = services.open_suggestions("CUSTOMER").filter(is_chosen=True)
    pairs = set(chosen.values_list("ledger_id", "crm_id"))

    accepted = services.accept_chosen(
        mapping="CUSTOMER", first_winner=FirstWinner.FILL_BLANKS, by="Ann", seen=all_seen()
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
        mapping="CUSTOMER",
        first_winner=FirstWinner.LEDGER,
        by="test",
        seen=all_seen(),
        limit=5,
    )

    assert (accepted.coupled, accepted.left) == (5, chosen - 5)


def test_a_tick_taken_away_holds_and_outlives_the_next_matching(matched: Sandbox) -> None:
    one = suggested(Certainty.CERTAIN)

    services.choose(mapping="CUSTOMER", shown=[(one.ledger_id, one.crm_id)], chosen=[])
    match()
    accept_chosen()

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
    services.choose_all(mapping="CUSTOMER", certainty=Certainty.CERTAIN, is_chosen=False)
    services.choose_all(mapping="CUSTOMER", certainty=Certainty.AMBIGUOUS, is_chosen=True)

    accepted = accept_chosen()

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
        mapping="CUSTOMER",
        ledger_id=one.ledger_id,
        crm_id=one.crm_id,
        first_winner=FirstWinner.CRM,
        by="test",
    )


def test_a_row_that_replaced_the_one_shown_is_neither_coupled_nor_dismissed(
    matched: Sandbox,
) -> None:
    shown = suggested(Certainty.CERTAIN)
    replaced_by_another(shown)

    with pytest.raises(NoSuggestion):
        accept(shown)
    with pytest.raises(NoSuggestion):
        services.dismiss(
            mapping="CUSTOMER", ledger_id=shown.ledger_id, crm_id=shown.crm_id, by="Ann"
        )
    assert not Coupling.objects.exists()
    assert not NotTheSame.objects.exists()


def replaced_by_another(shown: Suggestion) -> None:
    """What a run does that finds another row for the record."""
    suggested_rows = Suggestion.objects.values("crm_id")
    free = CrmRecord.objects.filter(table="account", is_deleted=False).exclude(
        crm_id__in=suggested_rows
    )
    Suggestion.objects.filter(pk=shown.pk).update(crm_id=free.values_list("crm_id", flat=True)[0])


def test_pairs_that_are_suggested_no_more_are_refused_among_others(matched: Sandbox) -> None:
    first, other = services.open_suggestions("CUSTOMER").filter(certainty="certain")[:2]
    pairs = [(one.ledger_id, one.crm_id) for one in (first, other)]
    replaced_by_another(first)

    accepted = services.accept_these(
        mapping="CUSTOMER", pairs=pairs, first_winner=FirstWinner.CRM, by="test"
    )

    assert accepted.coupled == 1
    assert [(one.ledger_id, one.crm_id) for one in accepted.refused] == pairs[:1]
    assert Coupling.objects.get().crm_id == other.crm_id


def test_nothing_is_coupled_that_a_newer_run_suggested(matched: Sandbox) -> None:
    seen = all_seen()
    match()

    with pytest.raises(NewSuggestions):
        accept_chosen(seen=seen)
    assert not Coupling.objects.exists()


def test_nothing_is_coupled_when_others_ticked_more_than_was_told(matched: Sandbox) -> None:
    seen = all_seen()
    services.choose_all(mapping="CUSTOMER", certainty=Certainty.AMBIGUOUS, is_chosen=True)

    with pytest.raises(OthersTicked):
        accept_chosen(seen=seen)
    assert not Coupling.objects.exists()


def test_a_tick_is_for_the_pair_that_was_shown(matched: Sandbox) -> None:
    shown = suggested(Certainty.AMBIGUOUS)
    pair = (shown.ledger_id, shown.crm_id)
    replaced_by_another(shown)

    gone = services.choose(mapping="CUSTOMER", shown=[pair], chosen=[pair])

    assert gone == 1
    assert not Suggestion.objects.get(ledger_id=shown.ledger_id).is_chosen


def test_dismissed_records_are_not_suggested_to_each_other_any_more(matched: Sandbox) -> None:
    one = suggested(Certainty.CERTAIN)

    services.dismiss(mapping="CUSTOMER", ledger_id=one.ledger_id, crm_id=one.crm_id, by="Ann")

    assert NotTheSame.objects.get().said_by == "Ann"
    still_open = services.open_suggestions("CUSTOMER")
    assert not still_open.filter(ledger_id=one.ledger_id).exists()
    match()
    assert not Suggestion.objects.filter(ledger_id=one.ledger_id, crm_id=one.crm_id).exists()
