"""People edit on both sides: no edit is lost, no edit is overwritten unseen."""

import pytest
from django.db import connection

from crmsync.ledger.models import Customer, Salesperson
from crmsync.sync import jobs, working
from crmsync.sync.models import Obstacle
from crmsync.terms import JobState, PhaseName, Side
from tests.sandboxes import Sandbox
from tests.sync.pairs import Pair, in_the_way, live_coupling, pair
from tests.sync.runs import run


@pytest.fixture
def one(settled: Sandbox) -> Pair:
    return pair(settled, "10000")


def read_only() -> int:
    """Begin a pass and read Sales; the id of the job, which has written nothing yet."""
    job = jobs.request(mapping="CUSTOMER", by="test")
    for part in job.parts.filter(phase=PhaseName.REFRESH):
        working.run_slice(part_id=part.pk, worker="test")
    job.refresh_from_db()
    assert job.phase == PhaseName.FROM_CRM
    return job.pk


def finish(job_id: int) -> None:
    assert jobs.drive(job_id=job_id, worker="test").state == JobState.FINISHED


def test_a_change_on_one_side_goes_to_the_other(one: Pair) -> None:
    one.edit_here(city="Odense")
    one.edit_there(address1_line1="1 New Street")

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Odense")
    assert one.sides("address", "address1_line1") == ("1 New Street", "1 New Street")


def test_a_value_taken_away_is_taken_away_on_the_other_side(one: Pair) -> None:
    one.edit_here(contact="")
    one.edit_there(websiteurl=None)

    run("CUSTOMER")

    assert one.sides("contact", "address1_primarycontactname") == ("", None)
    assert one.sides("home_page", "websiteurl") == ("", None)


def test_the_same_field_changed_on_both_sides_is_kept_as_it_is_on_both(one: Pair) -> None:
    one.edit_here(city="Odense")
    one.edit_there(address1_city="Aarhus")
    mark = one.sandbox.mark()

    run("CUSTOMER")
    run("CUSTOMER")

    assert one.sandbox.writes(mark) == []
    assert one.sides("city", "address1_city") == ("Odense", "Aarhus")
    (obstacle,) = Obstacle.objects.filter(record_id__in=[one.customer.pk, one.crm_id])
    assert (obstacle.outcome, obstacle.code) == ("undecided", "conflict")
    assert obstacle.details == {"fields": {"city": {"ledger": "Odense", "crm": "Aarhus"}}}


def test_a_conflict_does_not_hold_up_the_other_fields(one: Pair) -> None:
    one.edit_here(city="Odense", phone_no="+45 1111")
    one.edit_there(address1_city="Aarhus", fax="+45 2222")

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Aarhus")
    assert one.sides("phone_no", "telephone1") == ("+45 1111", "+45 1111")
    assert one.sides("fax_no", "fax") == ("+45 2222", "+45 2222")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "conflict")


@pytest.mark.parametrize("side", Side)
def test_making_the_values_equal_on_either_side_ends_the_conflict(one: Pair, side: Side) -> None:
    one.edit_here(city="Odense")
    one.edit_there(address1_city="Aarhus")
    run("CUSTOMER")
    if side is Side.LEDGER:
        one.edit_here(city="Aarhus")
    else:
        one.edit_there(address1_city="Odense")

    run("CUSTOMER")

    here, there = one.sides("city", "address1_city")
    assert here == there
    assert not Obstacle.objects.filter(record_id__in=[one.customer.pk, one.crm_id]).exists()
    assert live_coupling("10000").agreed["city"] == here


def test_taking_back_one_of_the_two_changes_lets_the_other_win(one: Pair) -> None:
    one.edit_here(city="Odense")
    one.edit_there(address1_city="Aarhus")
    run("CUSTOMER")
    one.edit_here(city="Cambridge")

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Aarhus", "Aarhus")


def test_the_same_change_on_both_sides_is_agreed_on_without_a_write(one: Pair) -> None:
    one.edit_here(city="Odense")
    one.edit_there(address1_city="Odense ")
    mark, stamp = one.sandbox.mark(), one.customer.stamp

    run("CUSTOMER")

    assert one.sandbox.writes(mark) == []
    assert one.customer.stamp == stamp
    assert live_coupling("10000").agreed["city"] == "Odense"


def test_another_format_of_the_same_value_writes_nothing(one: Pair) -> None:
    one.edit_there(
        telephone1="(0044) 554-000.0001",
        emailaddress1="Robert.Townes@Contoso.COM",
        address1_country="gb",
        address1_city=" Cambridge ",
    )
    mark, stamp = one.sandbox.mark(), one.customer.stamp

    run("CUSTOMER")

    assert one.sandbox.writes(mark) == []
    assert one.customer.stamp == stamp


def test_an_edit_that_was_undone_writes_nothing(one: Pair) -> None:
    one.edit_here(city="Odense")
    one.edit_here(city="Cambridge")
    mark = one.sandbox.mark()

    run("CUSTOMER")

    assert one.sandbox.writes(mark) == []


def test_a_one_way_field_edited_in_the_ledger_is_restored_here(one: Pair) -> None:
    person = Salesperson.objects.get(code="BC")
    there = person.name
    Salesperson.objects.filter(code="BC").update(name="Somebody Else")
    mark = one.sandbox.mark()

    run("SALESPEOPLE")

    person.refresh_from_db()
    assert person.name == there
    assert one.sandbox.writes(mark) == []


def test_an_edit_in_sales_between_reading_and_writing_survives(one: Pair) -> None:
    one.edit_here(city="Odense")
    job_id = read_only()
    one.edit_there(telephone1="+45 9999")

    finish(job_id)
    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Odense")
    assert one.sides("phone_no", "telephone1") == ("+45 9999", "+45 9999")


def test_the_same_field_edited_in_sales_between_reading_and_writing_is_a_conflict(
    one: Pair,
) -> None:
    one.edit_here(city="Odense")
    job_id = read_only()
    one.edit_there(address1_city="Aarhus")

    finish(job_id)

    assert one.sides("city", "address1_city") == ("Odense", "Aarhus")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "conflict")


def test_a_row_deleted_between_reading_and_writing_is_not_created_again(one: Pair) -> None:
    one.edit_here(city="Odense")
    job_id = read_only()
    one.delete_there()

    finish(job_id)

    assert one.account is None
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "deleted_in_sales")


def test_a_row_deactivated_between_reading_and_writing_is_left_alone(one: Pair) -> None:
    one.edit_here(city="Odense")
    job_id = read_only()
    one.edit_there(statecode=1, statuscode=2)

    finish(job_id)

    assert one.sides("city", "address1_city") == ("Odense", "Cambridge")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("skipped", "out_of_scope_in_sales")


def test_an_edit_in_the_ledger_between_reading_and_writing_survives(one: Pair) -> None:
    one.edit_there(telephone1="+45 9999")
    job_id = read_only()
    one.edit_here(city="Odense")

    finish(job_id)

    assert one.sides("city", "address1_city") == ("Odense", "Odense")
    assert one.sides("phone_no", "telephone1") == ("+45 9999", "+45 9999")


def test_a_customer_blocked_meanwhile_is_left_as_it_is_on_both_sides(one: Pair) -> None:
    one.edit_here(city="Odense", blocked=Customer.Blocked.ALL)
    one.edit_there(telephone1="+45 9999")

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Cambridge")
    assert one.customer.phone_no != "+45 9999"

    one.edit_here(blocked="")
    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Odense")
    assert one.sides("phone_no", "telephone1") == ("+45 9999", "+45 9999")


def test_plain_sql_is_an_edit_like_any_other(one: Pair) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_customer SET city = 'Odense' WHERE number = '10000'")

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Odense")
