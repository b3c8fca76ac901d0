"""What people see and do on the list of a table; judged by the page and by raw rows."""

import base64
import itertools
import re
import time
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from coupling.actions import MOST_RECORDS
from coupling.liststate import Place, Tab, read_place
from coupling.queries import lists
from coupling.queries.lists import PAGE_ROWS, count_tabs
from crmsync.frame.people import Role
from crmsync.ledger.models import Customer
from crmsync.mapping.registry import all_mappings, get_mapping
from crmsync.sync.models import Coupling, Job, LeftOut, Obstacle
from crmsync.terms import Side
from tests.coupling import records
from tests.people import client_of

pytestmark = pytest.mark.django_db
LIST = "/tables/CUSTOMER/"


@pytest.fixture(autouse=True)
def _nothing_counted_before() -> None:
    cache.clear()


@pytest.fixture
def accountant(db: None) -> Client:
    return client_of(Role.ACCOUNTANTS)


@pytest.fixture
def operator(db: None) -> Client:
    return client_of(Role.OPERATIONS)


def page(client: Client, query: str = "", path: str = LIST) -> str:
    answer = client.get(f"{path}{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def numbers(html: str) -> list[str]:
    return re.findall(r'<th scope="row"[^>]*><a [^>]*>([^<]*)</a>', html)


def post(client: Client, action: str, **data: Any) -> Any:
    return client.post(f"{LIST}{action}/", {"next": LIST, **data}, follow=True)


# Looking


@pytest.mark.parametrize("mapping", [one.name for one in all_mappings()])
def test_every_mapped_table_has_its_list(accountant: Client, mapping: str) -> None:
    assert str(get_mapping(mapping).caption) in page(accountant, path=f"/tables/{mapping}/")


def test_a_table_that_is_not_mapped_is_not_found(accountant: Client) -> None:
    assert accountant.get("/tables/CUSTMER/").status_code == 404


def test_a_table_without_records_says_how_to_get_some(accountant: Client) -> None:
    assert "No Customers yet" in page(accountant)


def test_rows_show_how_they_are_coupled_and_with_whom(accountant: Client) -> None:
    records.coupled_customer("10000")
    records.customer("20000")

    html = page(accountant)

    assert numbers(html) == ["10000", "20000"]
    assert "Account 10000" in html
    assert "Not coupled" in html


def test_each_tab_holds_what_its_count_says(accountant: Client) -> None:
    records.coupled_customer("10000")
    failed = records.customer("20000")
    out = records.customer("30000")
    Obstacle.objects.create(
        mapping="CUSTOMER", side="ledger", record_id=failed.pk, outcome="failed", code="rejected"
    )
    LeftOut.objects.create(mapping="CUSTOMER", side="ledger", record_id=out.pk, reason="double")

    assert count_tabs(get_mapping("CUSTOMER")).by_tab == {
        Tab.ALL: 3,
        Tab.UNCOUPLED: 1,
        Tab.SUGGESTED: 0,
        Tab.COUPLED: 1,
        Tab.ATTENTION: 1,
        Tab.LEFT_OUT: 1,
    }
    assert numbers(page(accountant, "?tab=coupled")) == ["10000"]
    assert numbers(page(accountant, "?tab=uncoupled")) == ["20000"]
    assert numbers(page(accountant, "?tab=attention")) == ["20000"]
    assert numbers(page(accountant, "?tab=left-out")) == ["30000"]
    assert "No suggestions are open" in page(accountant, "?tab=suggested")


def test_while_somebody_else_counts_for_the_first_time_the_list_comes_without_numbers(
    accountant: Client,
) -> None:
    records.customer("10000")
    cache.set("coupling.counts.CUSTOMER.fresh", 1)

    html = page(accountant)
    assert numbers(html) == ["10000"]
    assert "Not coupled" in html
    assert 'class="count"' not in html
    assert "No Customers yet" not in page(accountant, "?tab=left-out")

    cache.clear()
    assert '<span class="count">1</span>' in page(accountant)


@pytest.mark.parametrize(("seconds", "shown"), [(0.001, 2), (0.2, 1), (5.0, 1)])
def test_the_longer_counting_takes_the_longer_its_numbers_are_kept(
    monkeypatch: pytest.MonkeyPatch, seconds: float, shown: int
) -> None:
    records.customer("10000")
    clock = itertools.count(0, seconds)
    monkeypatch.setattr(lists, "monotonic", lambda: next(clock))
    count_tabs(get_mapping("CUSTOMER"))

    Customer.objects.create(number="20000", name="Added behind the pages' back")
    time.sleep(0.1)

    assert count_tabs(get_mapping("CUSTOMER")).by_tab[Tab.ALL] == shown


def test_numbers_are_kept_for_ten_seconds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    records.customer("10000")
    clock = itertools.count(0, 5.0)
    monkeypatch.setattr(lists, "monotonic", lambda: next(clock))
    monkeypatch.setattr(lists, "COUNTS_SECONDS", 0.2)
    count_tabs(get_mapping("CUSTOMER"))

    Customer.objects.create(number="20000", name="Added behind the pages' back")
    time.sleep(0.3)

    assert count_tabs(get_mapping("CUSTOMER")).by_tab[Tab.ALL] == 2


def test_a_row_that_is_being_created_is_not_coupled_yet(accountant: Client) -> None:
    _ours, coupling = records.coupled_customer("10000")
    Coupling.objects.filter(pk=coupling.pk).update(is_intent=True)

    counts = count_tabs(get_mapping("CUSTOMER")).by_tab

    assert (counts[Tab.COUPLED], counts[Tab.UNCOUPLED]) == (0, 1)
    assert numbers(page(accountant, "?tab=coupled")) == []
    html = page(accountant, "?tab=uncoupled")
    assert numbers(html) == ["10000"]
    assert "Being created" in html


def test_rows_that_wait_in_sales_alone_are_named_beside_the_tab(accountant: Client) -> None:
    _ours, coupling = records.coupled_customer("10000")
    for row in (coupling.crm_id, uuid.uuid4()):
        Obstacle.objects.create(
            mapping="CUSTOMER", side="crm", record_id=row, outcome="undecided", code="likely_twin"
        )

    html = page(accountant, "?tab=attention")

    assert "1 row in Sales that belongs to no record here waits, too" in html
    assert f'href="{reverse("fullsync:errors")}?table=CUSTOMER"' in html
    assert "in Sales that belong" not in page(accountant)


def test_a_row_in_trouble_there_brings_its_record_to_attention(accountant: Client) -> None:
    _ours, coupling = records.coupled_customer("10000")
    Obstacle.objects.create(
        mapping="CUSTOMER",
        side="crm",
        record_id=coupling.crm_id,
        outcome="failed",
        code="value_too_long",
        details={},
        sentence="Too long.",
    )

    assert numbers(page(accountant, "?tab=attention")) == ["10000"]


@pytest.mark.parametrize("typed", ["søndergård", "SØNDERGÅRD", "ndergårD", "son of"])
def test_the_search_knows_the_letter_case_of_danish_letters(accountant: Client, typed: str) -> None:
    records.customer("10000", name="Søndergård & Søn")
    records.customer("20000", name="SON OF SØNDERGÅRD")
    records.customer("30000", name="Sondergard")

    found = numbers(page(accountant, f"?q={typed}"))

    assert found == (["20000"] if typed == "son of" else ["10000", "20000"])


@pytest.mark.parametrize("typed", ["%", "_", "a_b", "\\", "(", "[a-z]+"])
def test_signs_that_mean_something_to_a_database_are_letters_here(
    accountant: Client, typed: str
) -> None:
    records.customer("10000", name="Axb")
    records.customer("20000", name=f"Signs {typed}ø")

    for said in (typed, f"{typed}Ø"):
        assert numbers(page(accountant, f"?{urlencode({'q': said})}")) == ["20000"]


def test_the_search_finds_numbers_and_listed_columns(accountant: Client) -> None:
    records.customer("10000", city="Odense")
    records.customer("20000", phone_no="+45 1234")

    assert numbers(page(accountant, "?q=odens")) == ["10000"]
    assert numbers(page(accountant, "?q=1234")) == ["20000"]
    assert numbers(page(accountant, "?q=2000")) == ["20000"]
    assert "Nothing found" in page(accountant, "?q=nobody")


def test_a_column_sorts_and_turns_round(accountant: Client) -> None:
    records.customer("10000", name="B")
    records.customer("20000", name="A")

    html = page(accountant, "?sort=name")

    assert numbers(html) == ["20000", "10000"]
    assert 'aria-sort="ascending"' in html
    assert numbers(page(accountant, "?sort=-name")) == ["10000", "20000"]


@pytest.mark.parametrize("sort", ["number", "-number", "name", "-name", "city", "-city"])
def test_pages_follow_each_other_without_gap_or_double(accountant: Client, sort: str) -> None:
    total = 2 * PAGE_ROWS + 7
    for number in range(total):
        records.customer(f"{10000 + number}", name=f"Name {number % 3}", city=f"C{number % 2}")
    column = sort.removeprefix("-")
    order = [sort, "-pk" if sort.startswith("-") else "pk"]
    expected = list(Customer.objects.order_by(*order).values_list("number", flat=True))
    assert column in ("number", "name", "city")

    seen, back = [numbers(first := page(accountant, f"?sort={sort}"))], []
    html = first
    while link := re.search(r'href="(\?[^"]*)" rel="next"', html):
        html = page(accountant, link[1].replace("&amp;", "&"))
        seen.append(numbers(html))
    while link := re.search(r'href="(\?[^"]*)" rel="prev"', html):
        html = page(accountant, link[1].replace("&amp;", "&"))
        back.append(numbers(html))

    assert [number for rows in seen for number in rows] == expected
    assert back == seen[-2::-1]


@pytest.mark.parametrize(
    "query",
    ["after=%00", "before=x", "after=WzEsMl0", "after=bnVsbA", "sort=password", "tab=none",
     "selected=1", "selected=%00", "sort=-", "q=%00", "after=W10"],
)  # fmt: skip
def test_an_address_that_makes_no_sense_shows_the_first_page(
    accountant: Client, query: str
) -> None:
    records.customer("10000")

    assert numbers(page(accountant, f"?{query}")) == ["10000"]


@pytest.mark.parametrize("side", ["after", "before"])
@pytest.mark.parametrize(
    "said", [b'["\\ud800","' + b"0" * 32 + b'"]', b"[" * 60_000, b"[" * 1_400, b'["\\u0000","x"]']
)
def test_a_place_that_no_list_wrote_shows_the_first_page(
    accountant: Client, side: str, said: bytes
) -> None:
    records.customer("10000")
    place = base64.urlsafe_b64encode(said).decode().rstrip("=")

    assert numbers(page(accountant, f"?{side}={place}")) == ["10000"]


@given(said=st.one_of(st.text(), st.binary().map(lambda one: base64.urlsafe_b64encode(one))))
def test_no_text_breaks_the_reading_of_a_place(said: object) -> None:
    text = said.decode() if isinstance(said, bytes) else said

    place = read_place(text)

    assert place is None or read_place(str(place)) == place


@given(
    value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)
)
def test_every_place_that_a_list_writes_is_read_again(value: str) -> None:
    place = Place(value, uuid.UUID(int=1))

    assert read_place(str(place)) == place


def test_markup_in_names_is_text(accountant: Client) -> None:
    ours = records.customer("10000", name="<script>alert(1)</script>")
    records.couple(ours, records.account('"><img src=x onerror=alert(2)>'))

    html = page(accountant, f"?selected={ours.pk}")

    assert "<script>alert" not in html
    assert "<img" not in html


def test_a_list_asks_the_database_seven_times_at_most(
    accountant: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(PAGE_ROWS + 1):
        records.coupled_customer(f"{10000 + number}", salesperson=records.salesperson(f"S{number}"))
    chosen = records.customer("99999")

    with django_assert_max_num_queries(7):
        page(accountant, f"?selected={chosen.pk}&q=1")


# The panel


def test_the_panel_says_who_coupled_it_and_opens_the_counterpart(accountant: Client) -> None:
    records.connection()
    ours, coupling = records.coupled_customer("10000")

    html = page(accountant, f"?selected={ours.pk}")

    assert "anna, Set Up Coupling" in html
    address = f"{records.ORIGIN}/main.aspx?pagetype=entityrecord&amp;etn=account"
    assert f"{address}&amp;id={coupling.crm_id}" in html


def test_the_panel_names_what_stands_in_the_way_with_its_remedy(accountant: Client) -> None:
    ours, _coupling = records.coupled_customer("10000")
    Obstacle.objects.create(
        mapping="CUSTOMER",
        side="ledger",
        record_id=ours.pk,
        outcome="failed",
        code="required_value_missing",
        details={"field": "name"},
        sentence="name: It is empty.",
    )

    html = page(accountant, f"?selected={ours.pk}")

    assert "Name is empty." in html
    assert "Fill in the field" in html


def test_the_panel_leads_to_the_parent_that_is_not_coupled(accountant: Client) -> None:
    seller = records.salesperson("JR")
    ours = records.customer("10000", salesperson=seller)

    html = page(accountant, f"?selected={ours.pk}")

    assert "Salesperson Code JR is not coupled yet." in html
    assert f"/tables/SALESPEOPLE/{seller.pk}/coupling/" in html


def test_a_panel_alone_comes_without_the_frame(accountant: Client) -> None:
    ours, _coupling = records.coupled_customer("10000")

    answer = accountant.get(f"{LIST}?selected={ours.pk}", headers={"HX-Request": "true"})

    assert answer.content.decode().startswith('<div id="records">')


# Doing


def test_only_who_may_couple_is_offered_it(accountant: Client, operator: Client) -> None:
    ours, _coupling = records.coupled_customer("10000")

    assert "Delete Coupling" in page(accountant, f"?selected={ours.pk}")
    html = page(operator, f"?selected={ours.pk}")
    assert "Delete Coupling" not in html
    assert "Synchronize Now" in html


@pytest.mark.parametrize("action", ["delete-coupling", "undo", "leave-out", "take-back-in"])
def test_operations_may_not_couple(operator: Client, action: str) -> None:
    ours, _coupling = records.coupled_customer("10000")

    assert operator.post(f"{LIST}{action}/", {"ids": [ours.pk]}).status_code == 403
    assert operator.post(f"{LIST}{ours.pk}/delete-coupling/").status_code == 403
    assert Coupling.objects.filter(removed_at__isnull=True).count() == 1


@pytest.mark.parametrize("action", ["synchronize", "delete-coupling", "undo", "leave-out"])
def test_looking_changes_nothing(accountant: Client, action: str) -> None:
    assert accountant.get(f"{LIST}{action}/").status_code == 405


def test_a_deleted_coupling_can_be_taken_back_right_after(accountant: Client) -> None:
    ours, coupling = records.coupled_customer("10000")

    html = post(accountant, "delete-coupling", ids=[ours.pk]).content.decode()

    assert Coupling.objects.get().removed_at is not None
    assert "The coupling of 1 record was deleted" in html
    html = post(accountant, "undo").content.decode()
    assert "1 coupling is back." in html
    assert Coupling.objects.get(removed_at__isnull=True).pk == coupling.pk
    assert "Undo" not in html


@pytest.mark.parametrize("page_of", ["", "log/", "coupling/"])
def test_the_undo_is_offered_wherever_one_comes_from(accountant: Client, page_of: str) -> None:
    ours, _coupling = records.coupled_customer("10000")
    path = f"{LIST}{ours.pk}/{page_of}"

    html = accountant.post(f"{LIST}{ours.pk}/delete-coupling/", {"next": path}, follow=True)

    assert "The coupling of 1 record was deleted" in html.content.decode()
    accountant.post(f"{LIST}undo/", {"next": path})
    assert Coupling.objects.get().removed_at is None


def test_many_couplings_are_deleted_after_a_page_that_names_how_many(accountant: Client) -> None:
    ids = [records.coupled_customer(number)[0].pk for number in ("10000", "20000")]

    html = post(accountant, "delete-coupling", ids=ids).content.decode()
    assert "Delete the couplings of 2 records?" in html
    assert Coupling.objects.filter(removed_at__isnull=True).count() == 2

    html = post(accountant, "delete-coupling", ids=ids, confirmed="1").content.decode()
    assert "The couplings of 2 records were deleted" in html
    post(accountant, "undo")
    assert Coupling.objects.filter(removed_at__isnull=True).count() == 2


@pytest.mark.parametrize("coupled", [1, 2])
def test_a_record_without_a_coupling_is_named_when_others_are_uncoupled(
    accountant: Client, coupled: int
) -> None:
    ids = [records.coupled_customer(f"1000{place}")[0].pk for place in range(coupled)]
    uncoupled = records.customer("20000")

    html = post(accountant, "delete-coupling", ids=[*ids, uncoupled.pk]).content.decode()

    assert "Not coupled, and passed over: 1." in html


def test_what_cannot_come_back_says_why(accountant: Client) -> None:
    ours, coupling = records.coupled_customer("10000")
    post(accountant, "delete-coupling", ids=[ours.pk])
    other = records.customer("20000")
    Coupling.objects.create(
        mapping="CUSTOMER",
        ledger_id=other.pk,
        crm_table="account",
        crm_id=coupling.crm_id,
        origin="person",
    )

    html = post(accountant, "undo").content.decode()

    assert "20000" in html
    assert "back." not in html
    assert Coupling.objects.get(removed_at__isnull=True).ledger_id == other.pk


def test_an_undo_sent_for_another_table_leaves_the_offer_as_it_is(accountant: Client) -> None:
    ours, _coupling = records.coupled_customer("10000")
    post(accountant, "delete-coupling", ids=[ours.pk])

    html = accountant.post("/tables/SALESPEOPLE/undo/", follow=True).content.decode()
    assert "There is nothing to undo any more." in html

    post(accountant, "undo")
    assert Coupling.objects.get().removed_at is None


def test_what_could_not_come_back_can_be_tried_again(accountant: Client) -> None:
    pairs = [records.coupled_customer(number) for number in ("10000", "20000")]
    ids = [ours.pk for ours, _coupling in pairs]
    post(accountant, "delete-coupling", ids=ids, confirmed="1")
    LeftOut.objects.create(mapping="CUSTOMER", side="ledger", record_id=ids[1], reason="double")

    html = post(accountant, "undo").content.decode()
    assert "1 coupling is back." in html
    assert "The coupling of 1 record was deleted" in html

    LeftOut.objects.all().delete()
    post(accountant, "undo")
    assert Coupling.objects.filter(removed_at__isnull=True).count() == 2


def test_a_record_is_left_out_for_a_reason_and_taken_back_in(accountant: Client) -> None:
    ours = records.customer("10000")

    asking = post(accountant, "leave-out", ids=[ours.pk]).content.decode()
    assert "Leave 1 record out of synchronization" in asking
    assert not LeftOut.objects.exists()
    html = post(accountant, "leave-out", ids=[ours.pk], reason=" ").content.decode()
    assert "Say in a few words why" in html

    post(accountant, "leave-out", ids=[ours.pk], reason="Double of 20000")
    left_out = LeftOut.objects.get()
    assert (left_out.side, left_out.record_id) == (Side.LEDGER, ours.pk)
    assert (left_out.reason, left_out.left_out_by) == ("Double of 20000", "a-accountants")

    post(accountant, "take-back-in", ids=[ours.pk])
    assert not LeftOut.objects.exists()


def test_records_that_are_not_in_the_table_are_passed_over_and_said(accountant: Client) -> None:
    ours = records.customer("10000")
    seller = records.salesperson("JR")
    ids = [ours.pk, seller.pk, uuid.uuid4(), "nonsense"]

    html = post(accountant, "leave-out", ids=ids, reason="x").content.decode()

    assert "Records that are not in this table were passed over: 3." in html
    assert LeftOut.objects.get().record_id == ours.pk


def test_more_records_than_are_done_at_once_are_said_not_cut_silently(accountant: Client) -> None:
    made = [Customer(number=f"M-{number:04}", name="Many") for number in range(MOST_RECORDS + 2)]
    Customer.objects.bulk_create(made)

    html = post(accountant, "leave-out", ids=[one.pk for one in made], reason="x").content.decode()

    assert "At most 1000 records at once: the other 2 were passed over." in html
    assert "not in this table" not in html
    assert LeftOut.objects.count() == MOST_RECORDS


def test_nothing_ticked_is_said(accountant: Client) -> None:
    assert "tick the records first" in post(accountant, "synchronize").content.decode()


def test_synchronize_now_asks_for_those_records_alone(operator: Client) -> None:
    records.connection()
    ours, _coupling = records.coupled_customer("10000")
    uncoupled = records.customer("20000")

    answer = operator.post(f"{LIST}synchronize/", {"ids": [ours.pk, uncoupled.pk]})

    job = Job.objects.get()
    assert job.only == {"ledger": [str(ours.pk)], "crm": []}
    assert job.requested_by == "a-operations"
    assert job.retries_failed
    assert answer["Location"] == reverse("fullsync:job", args=[job.pk])


def test_over_a_disabled_connection_nothing_is_begun(accountant: Client) -> None:
    records.disabled_connection()
    ours, _coupling = records.coupled_customer("10000")

    html = post(accountant, "synchronize", ids=[ours.pk]).content.decode()

    assert "The secret was revoked. Have the administrator mend what disabled it" in html
    assert not Job.objects.exists()


@pytest.mark.parametrize("side", list(Side))
def test_synchronize_now_says_which_records_it_passed_over_as_left_out(
    accountant: Client, side: Side
) -> None:
    records.connection()
    ours, coupling = records.coupled_customer("10000")
    other, _coupling = records.coupled_customer("20000")
    record_id = ours.pk if side is Side.LEDGER else coupling.crm_id
    LeftOut.objects.create(mapping="CUSTOMER", side=side, record_id=record_id, reason="A test.")
    said = "Left out, and passed over: 1. Take them back in first."

    assert said in post(accountant, "synchronize", ids=[ours.pk]).content.decode()
    assert not Job.objects.exists()

    assert said in post(accountant, "synchronize", ids=[ours.pk, other.pk]).content.decode()
    assert Job.objects.get().only == {"ledger": [str(other.pk)], "crm": []}


def test_a_synchronization_under_way_is_not_doubled(accountant: Client) -> None:
    records.connection()
    ours, _coupling = records.coupled_customer("10000")
    accountant.post(f"{LIST}synchronize/", {"ids": [ours.pk]})

    accountant.post(f"{LIST}synchronize/", {"ids": [ours.pk]})

    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    "wanted", ["https://evil.test/", "//evil.test", "javascript:alert(1)", "foo", "", "?tab=all"]
)
def test_nobody_is_led_away(accountant: Client, wanted: str) -> None:
    answer = accountant.post(f"{LIST}undo/", {"next": wanted})

    assert answer["Location"] == LIST
