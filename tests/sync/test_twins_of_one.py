"""The look-alikes of one record are those for which synchronization refuses to create it."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from crmsync.ledger.models import Customer
from crmsync.mapping.conversions import clean
from crmsync.mapping.registry import get_mapping
from crmsync.sync import twins
from crmsync.sync.models import CrmRecord, NotTheSame
from tests.coupling import records

ACCOUNT = {"statecode": 0, "customertypecode": 3}
# Letters that fold to plain ones, to two of them, to nothing, or only with their neighbour.
LETTERS = "aAsSkKzß\u212a\u017fﬁﬀ\uff21\uff53²2\u0301åÅøØ .-&_'\"\\%\u00a0\u200b"
NAMES = st.text(st.sampled_from(LETTERS), max_size=6)
NAMESAKES = [
    ("Straße 1", "STRASSE 1"),
    ("Nordic Boats", "\uff2e\uff2f\uff32\uff24\uff29\uff23 \uff42\uff4f\uff41\uff54\uff53"),
    ("ﬁne oﬀice", "Fine Office"),
    ("Kelvin", "\u212aelvin"),
    ("Café", "CAFE\u0301"),
    ("Søren & Co. A/S", "SØREN \u2013 CO A/S"),
    ('"Nordic" Boats', "\u201cnordic\u201d boats"),
    ("Ærø", "ærØ"),
    ("2 m", "² m"),
]


def row(name: str, **values: object) -> UUID:
    record = CrmRecord.objects.create(
        table="account",
        crm_id=uuid4(),
        etag="1",
        title=name[:200],
        values={**ACCOUNT, "name": name, **values},
    )
    return record.crm_id


def by_the_engine(customer: Customer) -> set[UUID]:
    """What *to CRM* looks at, from all the rows there are."""
    mapping = get_mapping("CUSTOMER")
    common = {name: clean(getattr(customer, name)) for name in mapping.match_on}
    index = twins.uncoupled_rows_there(mapping)
    return {crm_id for _, crm_id in twins.find(mapping, common, index)}


def by_the_page(customer: Customer) -> set[UUID]:
    return {one.crm_id for one in twins.twins_of(mapping="CUSTOMER", ledger_id=customer.pk)}


class TestWhateverPeopleCallThem(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(ours=st.tuples(NAMES, NAMES, NAMES), theirs=st.lists(st.tuples(NAMES, NAMES, NAMES)))
    def test_the_page_finds_what_synchronization_finds(
        self, ours: tuple[str, str, str], theirs: list[tuple[str, str, str]]
    ) -> None:
        number, name, email = ours
        customer = Customer.objects.create(number=number, name=name, email=email)
        for there in [*theirs, (number, name.swapcase(), email.upper())]:
            row(there[1], accountnumber=there[0] or None, emailaddress1=there[2] or None)

        assert by_the_page(customer) == by_the_engine(customer)


@pytest.mark.django_db
@pytest.mark.parametrize(("ours", "theirs"), [*NAMESAKES, *((b, a) for a, b in NAMESAKES)])
def test_letters_that_fold_alike_are_alike(ours: str, theirs: str) -> None:
    customer = Customer.objects.create(number="70000", name=ours)
    by_name, by_email = row(theirs), row("Wingtip", emailaddress1=theirs)
    Customer.objects.filter(pk=customer.pk).update(email=ours)
    customer.refresh_from_db()

    assert by_the_page(customer) == {by_name, by_email} == by_the_engine(customer)


@pytest.mark.django_db
def test_a_title_too_long_to_be_kept_is_compared_in_full() -> None:
    customer = Customer.objects.create(number="70000", name="Nordic Boats")
    same = row(f"Nordic{'.' * 200}Boats")
    row(f"Nordic{'.' * 200}Bikes")

    assert by_the_page(customer) == {same} == by_the_engine(customer)


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["10000", "ÅB-1", "--", "%", "_", '"', "\\u"])
def test_a_number_is_the_same_letter_by_letter(number: str) -> None:
    customer = Customer.objects.create(number=number, name="Wingtip")
    same = row("Fabrikam", accountnumber=f" {number} ")
    row("Litware", accountnumber=f"{number}0")

    assert by_the_page(customer) == {same} == by_the_engine(customer)


@pytest.mark.django_db
def test_rows_that_are_somebody_s_or_out_of_it_are_no_twins() -> None:
    customer = records.customer("70000", name="Nordic Boats")
    records.couple(records.customer("10000"), records.account("Nordic Boats"))
    records.account("Nordic Boats", statecode=1)
    gone = records.account("Nordic Boats")
    CrmRecord.objects.filter(pk=gone.pk).update(is_deleted=True)
    dismissed, free = records.account("Nordic Boats"), records.account("Nordic Boats")
    NotTheSame.objects.create(mapping="CUSTOMER", ledger_id=customer.pk, crm_id=dismissed.crm_id)

    assert by_the_page(customer) == {free.crm_id}


@pytest.mark.django_db
def test_three_questions_are_enough(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    customer = records.customer("70000", name="Nordic Boats", email="a@nordic.test")
    for _ in range(5):
        records.account("Nordic Boats", emailaddress1="a@nordic.test")

    with django_assert_max_num_queries(3):
        found = by_the_page(customer)

    assert len(found) == 5
