"""Match-Based Coupling as an accountant meets it: found, reviewed, ticked, coupled."""

import pytest
from django.test import Client

from coupling import services
from coupling.matching import Certainty
from coupling.models import Suggestion
from crmsync.frame.people import Role
from crmsync.sync.models import Coupling, NotTheSame
from crmsync.terms import FirstWinner
from tests.people import client_of
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.django_db

MATCH = "/tables/CUSTOMER/match/"
DECIDE = f"{MATCH}decide/"


@pytest.fixture
def accountant(connected: None) -> Client:
    services.match_now(mapping="SALESPEOPLE", by="test")
    services.match_now(mapping="CUSTOMER", by="test")
    return client_of(Role.ACCOUNTANTS)


def live() -> int:
    return Coupling.objects.filter(mapping="CUSTOMER", removed_at__isnull=True).count()


def test_finding_matches_couples_nothing(accountant: Client) -> None:
    page = accountant.get(MATCH)
    assert page.context["review"].tab.name == Certainty.CERTAIN
    assert page.context["review"].tab.count == page.context["review"].tab.chosen > 0
    assert live() == 0


def test_a_button_couples_what_is_ticked_and_nothing_else(accountant: Client) -> None:
    rows = accountant.get(MATCH).context["review"].rows
    kept = [str(row.ledger_id) for row in rows[1:]]
    shown = [str(row.ledger_id) for row in rows]
    form = {"shown": shown, "chosen": kept, "first_winner": "fill_blanks", "accept": "1"}
    answer = accountant.post(DECIDE, form, follow=True)
    assert f"{len(kept)} pairs are coupled." in answer.content.decode()
    coupled = Coupling.objects.filter(mapping="CUSTOMER").values_list("ledger_id", flat=True)
    assert {str(one) for one in coupled} == set(kept)
    assert set(Coupling.objects.values_list("coupled_by", "origin")) == {("a-accountants", "match")}


def test_ticks_of_a_page_are_kept_when_going_on(accountant: Client) -> None:
    rows = accountant.get(MATCH).context["review"].rows
    shown = [str(row.ledger_id) for row in rows]
    accountant.post(DECIDE, {"tab": "certain", "shown": shown, "chosen": [], "next": "1"})
    assert not Suggestion.objects.filter(mapping="CUSTOMER", is_chosen=True).exists()
    assert live() == 0


def test_two_that_are_not_the_same_are_not_suggested_again(accountant: Client) -> None:
    row = accountant.get(MATCH).context["review"].rows[0]
    form = {"shown": [str(row.ledger_id)], "chosen": [], "dismiss": str(row.ledger_id)}
    accountant.post(DECIDE, form)
    assert NotTheSame.objects.filter(ledger_id=row.ledger_id, crm_id=row.crm_id).exists()
    assert all(
        one.ledger_id != row.ledger_id for one in accountant.get(MATCH).context["review"].rows
    )


def test_nobody_couples_without_saying_who_wins(accountant: Client) -> None:
    row = accountant.get(MATCH).context["review"].rows[0]
    ids = [str(row.ledger_id)]
    answer = accountant.post(DECIDE, {"shown": ids, "chosen": ids, "accept": "1"}, follow=True)
    assert "Say who wins at the first synchronization." in answer.content.decode()
    assert live() == 0


def test_the_page_leads_to_salespeople_first(accountant: Client) -> None:
    assert "First couple: Salespeople" in accountant.get(MATCH).content.decode()
    services.accept_chosen(mapping="SALESPEOPLE", first_winner=FirstWinner.CRM, by="test")
    assert "First couple: Salespeople" not in accountant.get(MATCH).content.decode()


def test_criteria_of_a_person_are_kept_until_they_are_reset(accountant: Client) -> None:
    page = f"{MATCH}criteria/"
    assert accountant.post(page, {"city-is_matched": "on", "city-priority": "3"}).status_code == 302
    kept = {one.field: one.priority for one in services.criteria_of(mapping="CUSTOMER")}
    matched = [one.field for one in services.criteria_of(mapping="CUSTOMER") if one.is_matched]
    assert (matched, kept["city"]) == (["city"], 3)
    accountant.post(page, {"reset": "1"})
    assert not services.is_changed(mapping="CUSTOMER")


def test_criteria_without_a_field_are_refused_with_what_to_do(accountant: Client) -> None:
    page = accountant.post(f"{MATCH}criteria/", {}).content.decode()
    assert "No field is chosen to match on." in page
    assert "Choose at least one field" in page


def test_every_kind_of_suggestion_has_its_page_in_few_queries(
    accountant: Client, sandbox: Sandbox, django_assert_max_num_queries: object
) -> None:
    for tab in ("certain", "likely", "ambiguous", "none"):
        with django_assert_max_num_queries(7):  # type: ignore[operator]
            assert accountant.get(MATCH, {"tab": tab}).status_code == 200


def test_a_table_that_is_not_matched_has_no_such_page(accountant: Client) -> None:
    assert accountant.get("/tables/CURRENCY/match/").status_code == 404
    assert accountant.get("/tables/NOTHING/match/").status_code == 404
