"""What a person sees of a pair before deciding on it: both sides, and what would become of it."""

from uuid import UUID, uuid4

import pytest

from crmsync.ledger.models import Customer
from crmsync.sync import jobs, services
from crmsync.sync.pairs import FieldComparison, PairComparison, compare_pair
from crmsync.sync.refusals import UnableToCompare
from crmsync.terms import CouplingOrigin, Fate, FirstWinner
from tests.sandboxes import Sandbox
from tests.sync.pairs import Pair, live_coupling, pair
from tests.sync.runs import run

TOO_LONG = "https://" + "x" * 212


@pytest.fixture
def uncoupled(settled: Sandbox) -> tuple[Customer, UUID]:
    customer = Customer.objects.create(
        number="70000", name="Litware", city="Odense", phone_no="+45 86 12 34 56"
    )
    (row,) = settled.edit(
        {
            "set": "accounts",
            "create": {
                "name": "Litware Inc.",
                "customertypecode": 3,
                "telephone1": "0045 86123456",
                "emailaddress1": "info@litware.example",
            },
        }
    )
    jobs.read_sales(mapping="CUSTOMER", by="test")
    return customer, UUID(row)


def look(
    ledger_id: UUID, crm_id: UUID, winner: FirstWinner = FirstWinner.FILL_BLANKS
) -> PairComparison:
    return compare_pair(mapping="CUSTOMER", ledger_id=ledger_id, crm_id=crm_id, first_winner=winner)


def of(found: PairComparison, name: str) -> FieldComparison:
    return next(one for one in found.fields if one.field == name)


@pytest.mark.parametrize(
    ("winner", "name", "city", "email"),
    [
        (FirstWinner.FILL_BLANKS, Fate.WAITS, Fate.TO_CRM, Fate.TO_LEDGER),
        (FirstWinner.LEDGER, Fate.TO_CRM, Fate.TO_CRM, Fate.TO_CRM),
        (FirstWinner.CRM, Fate.TO_LEDGER, Fate.TO_LEDGER, Fate.TO_LEDGER),
    ],
)
def test_a_pair_not_coupled_yet_shows_what_the_winner_would_make_of_it(
    settled: Sandbox,
    uncoupled: tuple[Customer, UUID],
    winner: FirstWinner,
    name: Fate,
    city: Fate,
    email: Fate,
) -> None:
    mark, stamp = settled.mark(), uncoupled[0].stamp

    found = look(uncoupled[0].pk, uncoupled[1], winner)

    assert [of(found, one).fate for one in ("name", "city", "email")] == [name, city, email]
    phone = of(found, "phone_no")
    assert (phone.ledger, phone.crm, phone.is_equal) == ("+45 86 12 34 56", "0045 86123456", True)
    assert (of(found, "name").caption, of(found, "name").crm) == ("Name", "Litware Inc.")
    assert (found.coupling_id, found.refusals) == (None, ())
    assert settled.journal(mark) == []
    assert Customer.objects.get(number="70000").stamp == stamp


@pytest.mark.parametrize("winner", list(FirstWinner))
def test_what_is_foretold_is_what_happens(
    settled: Sandbox, uncoupled: tuple[Customer, UUID], winner: FirstWinner
) -> None:
    customer, crm_id = uncoupled
    found = look(customer.pk, crm_id, winner)
    services.couple(
        mapping="CUSTOMER",
        ledger_id=customer.pk,
        crm_id=crm_id,
        first_winner=winner,
        origin=CouplingOrigin.PERSON,
        by="test",
    )

    run("CUSTOMER")

    one = Pair(settled, "70000", str(crm_id))
    sides = {"name": "name", "city": "address1_city", "email": "emailaddress1"}
    for name, column in sides.items():
        here, there = (value or None for value in one.sides(name, column))
        told = of(found, name)
        if told.fate is Fate.TO_CRM:
            assert (here, there) == (told.ledger, told.ledger)
        elif told.fate is Fate.TO_LEDGER:
            assert (here, there) == (told.crm, told.crm)
        else:
            assert (here, there) == (told.ledger, told.crm)


def test_a_coupled_pair_is_shown_as_it_stands_and_as_it_would_be_settled(settled: Sandbox) -> None:
    one, coupling = pair(settled, "10000"), live_coupling("10000")
    one.edit_here(city="Odense", county="Fyn")
    one.edit_there(address1_city="Aarhus")
    jobs.read_sales(mapping="CUSTOMER", by="test")
    ids = (coupling.ledger_id, coupling.crm_id)

    stands, settled_so = look(*ids), look(*ids, FirstWinner.CRM)

    assert stands.coupling_id == coupling.pk
    assert [of(stands, name).fate for name in ("city", "county")] == [Fate.WAITS, Fate.TO_CRM]
    assert [of(settled_so, name).fate for name in ("city", "county")] == [
        Fate.TO_LEDGER,
        Fate.TO_CRM,
    ]


def test_lookups_are_shown_as_people_know_them(settled: Sandbox) -> None:
    one, coupling = pair(settled, "10000"), live_coupling("10000")
    row, people = one.account, settled.dump("systemusers")
    assert row is not None

    found = of(look(coupling.ledger_id, coupling.crm_id), "salesperson_id")

    owner = next(user for user in people if user["systemuserid"] == row["_ownerid_value"])
    assert one.customer.salesperson is not None
    assert found.caption == "Salesperson Code"
    assert (found.ledger, found.crm) == (one.customer.salesperson.code, owner["fullname"])


def test_what_would_refuse_the_pair_is_said_in_sentences(
    settled: Sandbox, uncoupled: tuple[Customer, UUID]
) -> None:
    customer, crm_id = uncoupled
    Customer.objects.filter(pk=customer.pk).update(home_page=TOO_LONG)
    other = live_coupling("10000")

    long = look(customer.pk, crm_id, FirstWinner.LEDGER)
    taken = look(customer.pk, other.crm_id)

    sentence = "Home Page has 220 characters; Sales takes at most 200."
    assert (of(long, "home_page").problem, long.refusals) == (sentence, (sentence,))
    assert any("is coupled with customer 10000 already." in one for one in taken.refusals)


def test_a_record_or_row_that_is_not_there_cannot_be_compared(settled: Sandbox) -> None:
    coupling = live_coupling("10000")

    with pytest.raises(UnableToCompare, match="not in Financials"):
        look(uuid4(), coupling.crm_id)
    with pytest.raises(UnableToCompare, match="not in Sales"):
        look(coupling.ledger_id, uuid4())
