"""Who owns the rows that we create: the salesperson's user with a fallback, or a team."""

from typing import Any
from uuid import UUID

import pytest

from crmsync.connections.models import Connection
from crmsync.ledger.models import Customer, Salesperson
from crmsync.sync import jobs, phases, working
from crmsync.sync.models import Coupling, Obstacle, Restoration
from crmsync.sync.pairs import compare_pair
from crmsync.terms import Fate, JobState, Side
from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import administrator
from tests.sync.pairs import Pair, in_the_way, live_coupling, pair
from tests.sync.runs import run
from tests.sync.test_rare_moments import drive_without_waiting

OWNER, TEAM_COLUMN = "_ownerid_value", "_owningteam_value"
WITHOUT_USER = "LT"


def user_of(code: str) -> str:
    """The user in Sales of a coupled salesperson."""
    person = Salesperson.objects.get(code=code)
    return str(Coupling.objects.get(mapping="SALESPEOPLE", ledger_id=person.pk).crm_id)


def owners(**choice: Any) -> None:
    Connection.objects.update(**choice)


def team(sandbox: Sandbox, name: str = "Sales Office") -> str:
    (row,) = [row for row in sandbox.dump("teams") if row["name"] == name]
    return str(row["teamid"])


def by_team(sandbox: Sandbox) -> str:
    team_id = team(sandbox)
    owners(ownership="team", owner_id=UUID(team_id))
    return team_id


def synchronized(sandbox: Sandbox, number: str, salesperson: str = "") -> Pair:
    """A new customer of this salesperson, brought to Sales."""
    person = Salesperson.objects.filter(code=salesperson).first()
    Customer.objects.create(number=number, name=f"Customer {number}", salesperson=person)
    run("CUSTOMER")
    return pair(sandbox, number)


def owner_of(found: Pair) -> str:
    row = found.account
    assert row is not None
    return str(row[OWNER])


def follow(found: Pair, code: str | None) -> None:
    person = Salesperson.objects.get(code=code) if code else None
    found.edit_here(salesperson=person)
    run("CUSTOMER")


def test_a_new_row_belongs_to_the_salespersons_user(settled: Sandbox) -> None:
    assert owner_of(synchronized(settled, "80001", "JO")) == user_of("JO")


@pytest.mark.parametrize("salesperson", ["", WITHOUT_USER])
def test_without_a_coupled_salesperson_it_belongs_to_the_fallback(
    settled: Sandbox, salesperson: str
) -> None:
    fallback = user_of("EH")
    owners(owner_id=UUID(fallback))

    found = synchronized(settled, "80001", salesperson)

    assert owner_of(found) == fallback


def test_without_a_fallback_it_belongs_to_the_integration_user(settled: Sandbox) -> None:
    found = synchronized(settled, "80001")

    assert owner_of(found) == str(Connection.objects.get().integration_user_id)


def test_the_owner_follows_the_salesperson_and_stays_when_it_is_cleared(settled: Sandbox) -> None:
    owners(owner_id=UUID(user_of("EH")))
    found = synchronized(settled, "80001")

    follow(found, "JO")
    assert owner_of(found) == user_of("JO")
    follow(found, WITHOUT_USER)
    assert owner_of(found) == user_of("JO")
    follow(found, None)
    assert owner_of(found) == user_of("JO")


@pytest.mark.parametrize("fallback", ["EH", None])
def test_an_owner_whom_we_set_ourselves_is_not_put_on_record_as_overwritten(
    settled: Sandbox, fallback: str | None
) -> None:
    owners(owner_id=UUID(user_of(fallback)) if fallback else None)
    found = synchronized(settled, "80001")

    follow(found, "JO")

    assert owner_of(found) == user_of("JO")
    kept = Restoration.objects.filter(record_id=found.customer.pk, field="salesperson_id")
    assert not kept.exists()


def test_an_owner_changed_in_sales_is_set_back_and_kept_on_record(settled: Sandbox) -> None:
    found = synchronized(settled, "80001", "JO")
    found.edit_there(**{"ownerid@odata.bind": f"/systemusers({user_of('EH')})"})

    run("CUSTOMER")

    assert owner_of(found) == user_of("JO")
    (kept,) = Restoration.objects.filter(record_id=found.customer.pk, field="salesperson_id")
    assert kept.stood == user_of("EH")


@pytest.mark.parametrize("salesperson", ["JO", "", WITHOUT_USER])
def test_a_new_row_belongs_to_the_team_whoever_the_salesperson_is(
    settled: Sandbox, salesperson: str
) -> None:
    team_id = by_team(settled)

    found = synchronized(settled, "80001", salesperson)

    row = found.account
    assert row is not None
    assert (row[OWNER], row[TEAM_COLUMN]) == (team_id, team_id)
    assert not live_coupling("80001").has_unresolved


def test_rows_of_a_team_keep_their_owner_whatever_changes_on_either_side(settled: Sandbox) -> None:
    team_id = by_team(settled)
    found = synchronized(settled, "80001", "JO")

    follow(found, "EH")
    assert owner_of(found) == team_id
    found.edit_there(**{"ownerid@odata.bind": f"/systemusers({user_of('JO')})"}, telephone1="1")
    run("CUSTOMER")
    assert owner_of(found) == user_of("JO")
    assert found.customer.phone_no == "1"
    assert not Restoration.objects.filter(record_id=found.customer.pk).exists()


def test_rows_that_are_coupled_already_are_not_given_to_the_team(settled: Sandbox) -> None:
    before = {row["accountid"]: row[OWNER] for row in settled.dump("accounts")}
    by_team(settled)
    Customer.objects.filter(blocked="").update(contact="Somebody else")

    run("CUSTOMER")

    rows = {row["accountid"]: row for row in settled.dump("accounts")}
    assert {row_id: rows[row_id][OWNER] for row_id in before} == before
    assert any(row["address1_primarycontactname"] == "Somebody else" for row in rows.values())


def test_a_page_that_compares_says_nothing_of_the_owner_where_a_team_owns(
    settled: Sandbox,
) -> None:
    found = synchronized(settled, "80001", "JO")
    by_team(settled)
    found.edit_here(salesperson=Salesperson.objects.get(code="EH"))

    compared = compare_pair(
        mapping="CUSTOMER", ledger_id=found.customer.pk, crm_id=UUID(found.crm_id)
    )

    (field,) = [one for one in compared.fields if one.field == "salesperson_id"]
    assert field.fate is Fate.LEFT_ALONE


def test_an_intended_create_keeps_its_owner_whatever_is_chosen_meanwhile(
    settled: Sandbox,
) -> None:
    """The very body is sent again: nobody knows whether the first one arrived."""
    fallback = user_of("EH")
    owners(owner_id=UUID(fallback))
    settled.fault({"path": "CreateMultiple"}, {"drop": "before"}, times=1)
    Customer.objects.create(number="80001", name="Customer 80001")
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(is_intent=True).exists():
        for part in job.parts.exclude(state=JobState.FINISHED):
            working.run_slice(part_id=part.pk, worker="test")
        phases.advance(job_id=job.pk)
        job.refresh_from_db()
    by_team(settled)

    drive_without_waiting(job)

    assert owner_of(pair(settled, "80001")) == fallback


def test_a_user_who_may_not_own_the_row_stops_that_record_alone(settled: Sandbox) -> None:
    administrator(settled).channel.send(
        "PATCH",
        f"systemusers({user_of('JO')})",
        headers={"Content-Type": "application/json"},
        body=b'{"isdisabled": true}',
    )
    for number, code in (("80001", "JO"), ("80002", "EH")):
        person = Salesperson.objects.get(code=code)
        Customer.objects.create(number=number, name=f"Customer {number}", salesperson=person)

    job = run("CUSTOMER")

    numbers = {row["accountnumber"] for row in settled.dump("accounts")}
    assert "80002" in numbers
    assert "80001" not in numbers
    refused = Customer.objects.get(number="80001").pk
    assert in_the_way(refused, Side.LEDGER) == ("failed", "owner_refused")
    assert job.state == JobState.FINISHED


def test_a_team_without_a_role_is_said_once_for_the_table(settled: Sandbox) -> None:
    owners(ownership="team", owner_id=UUID(team(settled, "cronus")))
    for number in range(80001, 80006):
        Customer.objects.create(number=str(number), name=f"Customer {number}")

    job = run("CUSTOMER")

    assert (job.state, job.error_code) == (JobState.STOPPED, "team_refused")
    assert not Obstacle.objects.filter(code="owner_refused").exists()
    assert not [row for row in settled.dump("accounts") if row["accountnumber"] == "80001"]


def test_once_the_team_may_own_rows_those_that_waited_are_created(settled: Sandbox) -> None:
    owners(ownership="team", owner_id=UUID(team(settled, "cronus")))
    Customer.objects.create(number="80001", name="Customer 80001")
    run("CUSTOMER")
    team_id = by_team(settled)

    for _ in range(2):
        assert run("CUSTOMER", retries_failed=True).state == JobState.FINISHED

    assert owner_of(pair(settled, "80001")) == team_id
