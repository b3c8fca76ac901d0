"""Match-Based Coupling as an accountant meets it: found, reviewed, ticked, coupled."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.html import strip_tags

from coupling import services
from coupling.match_forms import place_of
from coupling.matching import Certainty
from coupling.models import Matching, Suggestion
from crmsync.connections.models import Connection
from crmsync.frame.people import Role
from crmsync.sync.models import Coupling, Job, NotTheSame
from crmsync.terms import FirstWinner
from tests.people import client_of
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.django_db

MATCH = "/tables/CUSTOMER/match/"
DECIDE = f"{MATCH}decide/"


@pytest.fixture
def accountant(connected: None) -> Client:
    cache.clear()
    services.match_now(mapping="SALESPEOPLE", by="test")
    services.match_now(mapping="CUSTOMER", by="test")
    return client_of(Role.ACCOUNTANTS)


DISABLED = "The secret was revoked. Have the administrator mend what disabled it"


def disable() -> None:
    Connection.objects.update(is_enabled=False, disabled_because="The secret was revoked.")


def form_of(page: Any, **said: object) -> dict[str, Any]:
    """What a browser sends when nothing on the page was changed."""
    rows, form = page.context["review"].rows, page.context["form"]
    pairs = [f"{row.ledger_id}:{row.crm_id}" for row in rows]
    ticked = [pair for pair, row in zip(pairs, rows, strict=True) if row.is_chosen]
    hidden = {field.name: field.value() for field in form.hidden_fields()}
    tab = page.context["review"].tab.name
    return hidden | {"shown": pairs, "chosen": ticked, "tab": tab} | said


def match_again(mapping: str = "CUSTOMER") -> None:
    services.match_now(mapping=mapping, by="somebody else")


def other_rows_are_suggested() -> None:
    """Two records change their counterparts, as when Sales changed between two runs."""
    first, other = Suggestion.objects.filter(mapping="CUSTOMER", certainty="certain")[:2]
    Suggestion.objects.filter(pk=first.pk).update(crm_id=other.crm_id)
    Suggestion.objects.filter(pk=other.pk).update(crm_id=first.crm_id)


def live() -> int:
    return Coupling.objects.filter(mapping="CUSTOMER", removed_at__isnull=True).count()


def test_finding_matches_couples_nothing(accountant: Client) -> None:
    page = accountant.get(MATCH)
    assert page.context["review"].tab.name == Certainty.CERTAIN
    assert page.context["review"].tab.count == page.context["review"].tab.chosen > 0
    assert live() == 0


def test_a_button_couples_what_is_ticked_and_nothing_else(accountant: Client) -> None:
    page = accountant.get(MATCH)
    rows = page.context["review"].rows
    kept = [f"{row.ledger_id}:{row.crm_id}" for row in rows[1:]]
    form = form_of(page, chosen=kept, first_winner="fill_blanks", accept="1")
    answer = accountant.post(DECIDE, form, follow=True)
    assert f"{len(kept)} pairs are coupled." in answer.content.decode()
    coupled = Coupling.objects.filter(mapping="CUSTOMER").values_list("ledger_id", "crm_id")
    assert {f"{here}:{there}" for here, there in coupled} == set(kept)
    assert set(Coupling.objects.values_list("coupled_by", "origin")) == {("a-accountants", "match")}


def test_ticks_of_a_page_are_kept_when_going_on(accountant: Client) -> None:
    accountant.post(DECIDE, form_of(accountant.get(MATCH), chosen=[], next="1"))
    assert not Suggestion.objects.filter(mapping="CUSTOMER", is_chosen=True).exists()
    assert live() == 0


def test_two_that_are_not_the_same_are_not_suggested_again(accountant: Client) -> None:
    page = accountant.get(MATCH)
    row = page.context["review"].rows[0]
    accountant.post(DECIDE, form_of(page, dismiss=f"{row.ledger_id}:{row.crm_id}"))
    assert NotTheSame.objects.filter(ledger_id=row.ledger_id, crm_id=row.crm_id).exists()
    assert all(
        one.ledger_id != row.ledger_id for one in accountant.get(MATCH).context["review"].rows
    )


def test_nobody_couples_without_saying_who_wins(accountant: Client) -> None:
    form = form_of(accountant.get(MATCH), accept="1")
    answer = accountant.post(DECIDE, form, follow=True)
    assert "Say who wins at the first synchronization." in answer.content.decode()
    assert live() == 0


def test_pairs_that_a_newer_run_ticked_are_not_coupled_before_anybody_saw_them(
    accountant: Client,
) -> None:
    form = form_of(accountant.get(MATCH), first_winner="fill_blanks", accept="1")
    match_again()
    other_rows_are_suggested()
    answer = accountant.post(DECIDE, form, follow=True)
    assert "New suggestions came meanwhile, so nothing was coupled." in answer.content.decode()
    assert live() == 0
    accountant.post(DECIDE, form_of(answer, first_winner="fill_blanks", accept="1"))
    assert live() == len(form["chosen"])


def test_not_the_same_is_said_of_the_pair_that_was_shown_only(accountant: Client) -> None:
    page = accountant.get(MATCH)
    row = Suggestion.objects.filter(mapping="CUSTOMER", certainty="certain")[0]
    form = form_of(page, dismiss=f"{row.ledger_id}:{row.crm_id}")
    other_rows_are_suggested()
    answer = accountant.post(DECIDE, form, follow=True).content.decode()
    assert "not suggested to each other any more" in answer
    assert not NotTheSame.objects.exists()


def test_a_page_whose_pairs_changed_says_how_many(accountant: Client) -> None:
    form = form_of(accountant.get(MATCH), next="1")
    other_rows_are_suggested()
    answer = accountant.post(DECIDE, form, follow=True).content.decode()
    assert "2 pairs of the page are not suggested any more" in answer


def test_all_certain_ones_are_coupled_from_a_page_that_shows_a_few(
    accountant: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coupling.queries.match.ROWS_A_PAGE", 3)
    page = accountant.get(MATCH)
    ticked = page.context["review"].chosen
    form = form_of(page, first_winner="fill_blanks", accept="1")
    assert (len(form["shown"]), form["certain"]) == (3, ticked - 3)
    accountant.post(DECIDE, form)
    assert live() == ticked


def test_what_somebody_else_ticked_meanwhile_is_not_coupled_with_it(accountant: Client) -> None:
    form = form_of(accountant.get(MATCH), first_winner="fill_blanks", accept="1")
    services.choose_all(mapping="CUSTOMER", certainty=Certainty.AMBIGUOUS, is_chosen=True)
    answer = accountant.post(DECIDE, form, follow=True)
    assert "Ticks on other pages changed meanwhile" in answer.content.decode()
    assert live() == 0
    assert [tab.name for tab in answer.context["review"].ticked] == ["certain", "ambiguous"]
    accountant.post(DECIDE, form_of(answer, first_winner="fill_blanks", accept="1"))
    assert live() > len(form["chosen"])


def test_the_button_says_how_many_of_each_kind_it_couples(accountant: Client) -> None:
    services.choose_all(mapping="CUSTOMER", certainty=Certainty.AMBIGUOUS, is_chosen=True)
    page = accountant.get(MATCH)
    certain = page.context["review"].tab.chosen
    text = " ".join(strip_tags(page.content.decode()).split())
    assert f"Ticked on all pages: Certain {certain}, Ambiguous 2." in text


@pytest.mark.parametrize("after", ["\0", "10000\0", "9" * 5000])
def test_a_place_that_is_no_number_leads_to_the_first_page(accountant: Client, after: str) -> None:
    first = accountant.get(MATCH).context["review"].rows
    assert accountant.get(MATCH, {"after": after}).context["review"].rows == first
    answer = accountant.post(DECIDE, {"tab": after, "after": after, "shown": after})
    assert answer.headers["Location"] == MATCH


def test_halves_of_characters_are_no_place() -> None:
    assert (place_of("\ud800"), place_of("10\udfff"), place_of("10000")) == ("", "", "10000")


def test_a_suggested_pair_leads_to_its_comparison(accountant: Client) -> None:
    page = accountant.get(MATCH)
    row = page.context["review"].rows[0]
    links = re.findall(r'href="([^"]+/coupling/\?[^"]+)"', page.content.decode())
    comparison = accountant.get(unescape(links[0]))
    assert str(row.ledger_id) in links[0]
    assert comparison.context["pair"].crm_id == row.crm_id


def test_counts_are_kept_until_something_changes(
    accountant: Client, django_assert_max_num_queries: Any
) -> None:
    accountant.get(MATCH)
    with django_assert_max_num_queries(6):
        before = accountant.get(MATCH).context["review"].tabs
    services.choose_all(mapping="CUSTOMER", certainty=Certainty.CERTAIN, is_chosen=False)
    assert before[0].chosen > 0
    assert accountant.get(MATCH).context["review"].tabs[0].chosen == 0


def test_the_page_recommends_to_overwrite_nothing_unseen(accountant: Client) -> None:
    assert accountant.get(MATCH).context["form"].initial["first_winner"] == "fill_blanks"
    page = accountant.get("/tables/SALESPEOPLE/match/")
    assert page.context["form"].initial["first_winner"] == "crm"


def test_the_page_leads_to_salespeople_first(accountant: Client) -> None:
    assert "First couple: Salespeople" in accountant.get(MATCH).content.decode()
    salespeople = "/tables/SALESPEOPLE/match/"
    form = form_of(accountant.get(salespeople), first_winner=FirstWinner.CRM, accept="1")
    accountant.post(f"{salespeople}decide/", form)
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


@pytest.mark.parametrize("door", ["find", "criteria"])
def test_over_a_disabled_connection_no_match_is_looked_for(accountant: Client, door: str) -> None:
    disable()
    known = Matching.objects.count()
    form = {"city-is_matched": "on"}

    answer = accountant.post(f"{MATCH}{door}/", form, follow=True)

    assert DISABLED in unescape(answer.content.decode())
    assert Matching.objects.count() == known


def test_over_a_disabled_connection_pairs_are_coupled_and_not_synchronized(
    accountant: Client,
) -> None:
    disable()
    known = Job.objects.count()
    said = {"accept": "1", "first_winner": "ledger", "synchronize": "on"}

    answer = accountant.post(DECIDE, form_of(accountant.get(MATCH), **said), follow=True)

    assert DISABLED in unescape(answer.content.decode())
    assert live() > 0
    assert Job.objects.count() == known
