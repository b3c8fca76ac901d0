"""Coupled Data Synchronization Errors: read why, act, and see on both sides that it worked."""

import re
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import translation

from crmsync.connections.models import Connection
from crmsync.frame.people import Role
from crmsync.ledger.models import Currency, Customer
from crmsync.sync import jobs
from crmsync.sync.models import Coupling, Job, LeftOut, Obstacle
from crmsync.terms import JobState, Side
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.sync.pairs import live_coupling, pair
from tests.sync.runs import run


@pytest.fixture
def accountant(db: None) -> Client:
    return client_of(Role.ACCOUNTANTS)


def _text(client: Client, url: str = "/errors/") -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def _post(client: Client, url: str, **values: object) -> str:
    answer = client.post(url, values, follow=True)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def _obstacle(number: str) -> Obstacle:
    return Obstacle.objects.get(record_id=Customer.objects.get(number=number).pk)


def _conflict(sandbox: Sandbox, place: int = 0) -> tuple[str, Obstacle]:
    coupled = Coupling.objects.filter(mapping="CUSTOMER", removed_at=None, is_intent=False)
    customer = Customer.objects.get(pk=coupled.order_by("pk")[place].ledger_id)
    both = pair(sandbox, customer.number)
    both.edit_here(city="Here")
    both.edit_there(address1_city="There")
    run("CUSTOMER")
    coupling = live_coupling(customer.number)
    found = Obstacle.objects.filter(record_id__in=[coupling.ledger_id, coupling.crm_id])
    return customer.number, found[0]


def _finish(mapping: str = "CUSTOMER") -> Job:
    job = Job.objects.filter(mapping=mapping).latest("pk")
    return jobs.drive(job_id=job.pk, worker="test", most_breaks=10)


def test_causes_come_first_with_their_count_and_what_to_do(
    settled: Sandbox, accountant: Client
) -> None:
    page = _text(accountant)

    assert page.index("<caption>Causes") < page.index('id="records"')
    assert "Retry All" in page
    assert "60030" in page


def test_tabs_and_filters_leave_the_others_out(settled: Sandbox, accountant: Client) -> None:
    undecided = _text(accountant, "/errors/?outcome=undecided&table=CUSTOMER")

    assert "60010" in undecided
    assert "60030" not in undecided
    assert "60030" in _text(accountant, "/errors/?outcome=nonsense&table=%00&after=x")
    assert "No such record" in _text(accountant, "/errors/?code=nothing-like-it")


def test_a_retried_record_is_tried_alone_and_written(settled: Sandbox, accountant: Client) -> None:
    obstacle = _obstacle("60030")
    mark = settled.mark()
    Customer.objects.filter(number="60030").update(name="Named at last")

    page = _post(accountant, "/errors/retry/", one=obstacle.pk)

    job = _finish()
    assert f"Job {job.pk} of Customers is asked for" in page
    assert (job.requested_by, job.only is not None) == ("a-accountants", True)
    rows = [row for row in settled.dump("accounts") if row["accountnumber"] == "60030"]
    assert [row["name"] for row in rows] == ["Named at last"]
    assert len(settled.writes(mark)) == 1
    assert not Obstacle.objects.filter(pk=obstacle.pk).exists()


def test_all_records_of_a_cause_are_retried_at_once(settled: Sandbox, accountant: Client) -> None:
    _post(accountant, "/errors/retry-cause/", mapping="CUSTOMER", code="likely_twin")

    job = _finish()
    twins = Obstacle.objects.filter(mapping="CUSTOMER", code="likely_twin")
    assert job.only is not None
    named = {*job.only["ledger"], *job.only["crm"]}
    assert named == {str(one.record_id) for one in twins}


def test_over_a_disabled_connection_nothing_is_retried_and_no_answer_is_kept(
    settled: Sandbox, accountant: Client
) -> None:
    obstacle = _obstacle("60030")
    _number, conflict = _conflict(settled)
    answer = _answer(_text(accountant), conflict)
    Connection.objects.update(is_enabled=False, disabled_because="The secret was revoked.")
    known = Job.objects.count()

    for door, form in (
        ("retry", {"one": obstacle.pk}),
        ("retry-cause", {"mapping": "CUSTOMER", "code": obstacle.code}),
        ("use-financials", {"answer": answer}),
    ):
        page = _post(accountant, f"/errors/{door}/", **form)
        assert "The secret was revoked. Have the administrator mend what disabled it" in page
    with pytest.raises(CommandError, match="The secret was revoked"):
        _command("retry", "--all")
    assert Job.objects.count() == known
    assert Coupling.objects.filter(settled_at__isnull=False).count() == 0


def test_a_job_under_way_is_named_and_whether_it_tries_the_record(
    settled: Sandbox, accountant: Client
) -> None:
    obstacle = _obstacle("60030")
    under_way = jobs.request(mapping="CUSTOMER", by="anna")
    plain = _post(accountant, "/errors/retry/", one=obstacle.pk)
    jobs.cancel(job_id=under_way.pk)
    retrying = jobs.request(mapping="CUSTOMER", by="anna", retries_failed=True)

    walking = _post(accountant, "/errors/retry/", one=obstacle.pk)

    assert f"Job {under_way.pk} of Customers is under way, and does not try" in plain
    assert f"Job {retrying.pk} of Customers is under way and walks these records" in walking


@pytest.mark.parametrize(("door", "city"), [("use-financials", "Here"), ("use-sales", "There")])
def test_an_answer_to_a_conflict_is_written_on_both_sides(
    settled: Sandbox, accountant: Client, door: str, city: str
) -> None:
    number, obstacle = _conflict(settled)
    page = _text(accountant)
    assert "Here" in page
    assert "There" in page

    said = _post(accountant, f"/errors/{door}/", answer=_answer(page, obstacle))
    job = _finish()
    assert "Your answer is kept." in said
    assert f"Job {job.pk} of Customers is asked for; it writes what you answered." in said

    assert pair(settled, number).sides("city", "address1_city") == (city, city)
    assert not Obstacle.objects.filter(pk=obstacle.pk).exists()


def test_records_in_a_conflict_are_called_what_people_call_them(
    settled: Sandbox, accountant: Client
) -> None:
    coupled = Coupling.objects.filter(mapping="CUSTOMER", removed_at=None, is_intent=False)
    customer = Customer.objects.get(pk=coupled.order_by("pk")[0].ledger_id)
    currencies = {one["isocurrencycode"]: one for one in settled.dump("transactioncurrencies")}
    theirs = currencies["USD"]["transactioncurrencyid"]
    both = pair(settled, customer.number)
    both.edit_here(currency=Currency.objects.get(code="EUR"))
    both.edit_there(_transactioncurrencyid_value=theirs)
    run("CUSTOMER")

    page = _text(accountant)

    assert "<td>EUR Euro</td><td>USD US dollar</td>" in page
    assert theirs not in page


def _answer(page: str, obstacle: Obstacle) -> str:
    """What the buttons beside the conflict send."""
    found = re.search(rf'name="answer" value="({obstacle.pk}:[0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def test_an_answer_to_values_that_nobody_was_shown_is_refused_and_the_new_ones_stand_there(
    settled: Sandbox, accountant: Client
) -> None:
    number, obstacle = _conflict(settled)
    answer = _answer(_text(accountant), obstacle)
    pair(settled, number).edit_there(address1_city="Elsewhere")
    run("CUSTOMER")
    before = Job.objects.count()

    page = _post(accountant, "/errors/use-financials/", answer=answer)

    assert "The values are not those that were shown any more." in page
    assert "Elsewhere" in page
    assert "Your answer is kept" not in page
    assert Job.objects.count() == before
    run("CUSTOMER")
    assert pair(settled, number).sides("city", "address1_city") == ("Here", "Elsewhere")


def test_of_several_answers_each_is_taken_or_refused_by_itself(
    settled: Sandbox, accountant: Client
) -> None:
    (number, good), (other, stale) = _conflict(settled), _conflict(settled, place=1)
    page = _text(accountant)
    answers = [_answer(page, stale), _answer(page, good)]
    pair(settled, other).edit_there(address1_city="Elsewhere")
    run("CUSTOMER")

    page = _post(accountant, "/errors/use-sales/", answer=answers)
    job = _finish()

    assert "Your answer is kept." in page
    assert re.search(rf"{other} [^:]*: The values are not those that were shown", page)
    assert job.only is not None
    assert {*job.only["ledger"], *job.only["crm"]} == {str(good.record_id)}
    assert pair(settled, number).sides("city", "address1_city") == ("There", "There")
    assert pair(settled, other).sides("city", "address1_city") == ("Here", "Elsewhere")


def test_an_answer_while_a_job_is_under_way_promises_no_job(
    settled: Sandbox, accountant: Client
) -> None:
    _, obstacle = _conflict(settled)
    answer = _answer(_text(accountant), obstacle)
    under_way = jobs.request(mapping="CUSTOMER", by="anna")

    page = _post(accountant, "/errors/use-sales/", answer=answer)

    assert f"Job {under_way.pk} of Customers is under way. If it had passed the record" in page
    assert "is asked for" not in page


def test_leaving_out_asks_for_a_reason_and_keeps_it(settled: Sandbox, accountant: Client) -> None:
    obstacle = _obstacle("60030")

    asked = _post(accountant, "/errors/leave-out/", record=obstacle.pk)
    unsaid = _post(accountant, "/errors/leave-out/", record=obstacle.pk, reason=" ")
    unseen = _post(
        accountant, "/errors/leave-out/", record=obstacle.pk, reason="\N{ZERO WIDTH SPACE}"
    )
    assert "Leave 1 record out of synchronization?" in asked
    assert "There is a problem" in unsaid
    assert "There is a problem" in unseen
    assert not LeftOut.objects.exists()
    _post(accountant, "/errors/leave-out/", record=obstacle.pk, reason="Only for tests")

    left_out = LeftOut.objects.get()
    assert (left_out.reason, left_out.left_out_by) == ("Only for tests", "a-accountants")
    assert "Left out because: Only for tests" in _text(accountant, "/errors/search/?q=60030")


def test_a_coupling_with_a_deleted_row_is_deleted_here(
    settled: Sandbox, accountant: Client
) -> None:
    both = pair(settled, Customer.objects.get(pk=_coupled()).number)
    coupling = live_coupling(both.number)
    both.delete_there()
    run("CUSTOMER")
    obstacle = Obstacle.objects.get(record_id=coupling.ledger_id, side=Side.LEDGER)
    assert obstacle.code == "deleted_in_sales"

    page = _post(accountant, "/errors/uncouple/", one=obstacle.pk)

    coupling.refresh_from_db()
    assert coupling.removed_at is not None
    assert "The coupling is deleted. No record was changed." in page
    assert "/errors/undo/" not in page


def _merged(sandbox: Sandbox) -> tuple[Coupling, Obstacle]:
    """A coupling whose row was merged into that of another record: both rows are still there."""
    merged, master = Coupling.objects.filter(mapping="CUSTOMER", removed_at=None).order_by("pk")[:2]
    values = {"merged": True, "_masterid_value": str(master.crm_id), "statecode": 1}
    row = {"set": "accounts", "id": str(merged.crm_id), "values": {**values, "statuscode": 2}}
    sandbox.edit(row)
    run("CUSTOMER")
    return merged, Obstacle.objects.get(record_id=merged.ledger_id, code="merged_in_sales")


def test_a_deleted_coupling_is_taken_back_right_after(settled: Sandbox, accountant: Client) -> None:
    coupling, obstacle = _merged(settled)

    offered = _post(accountant, "/errors/uncouple/", one=obstacle.pk)
    live = Coupling.objects.filter(pk=coupling.pk, removed_at=None)
    assert not live.exists()
    assert 'action="/errors/undo/"' in offered
    page = _post(accountant, "/errors/undo/")

    assert live.exists()
    assert "The coupling is back." in page
    assert 'action="/errors/undo/"' not in page
    assert "There is nothing to undo any more." in _post(accountant, "/errors/undo/")


def test_one_post_deletes_the_coupling_of_one_record(settled: Sandbox, accountant: Client) -> None:
    before = Coupling.objects.filter(removed_at=None).count()
    _, obstacle = _merged(settled)

    page = _post(accountant, "/errors/uncouple/", record=[obstacle.pk, _obstacle("60030").pk])

    assert "takes one record at a time" in page
    assert Coupling.objects.filter(removed_at=None).count() == before


def _coupled() -> UUID:
    coupled = Coupling.objects.filter(mapping="CUSTOMER", removed_at=None, is_intent=False)
    return coupled.order_by("pk")[0].ledger_id


@pytest.mark.parametrize("door", ["use-financials", "leave-out", "uncouple"])
def test_operations_retry_but_do_not_decide(settled: Sandbox, door: str) -> None:
    operator = client_of(Role.OPERATIONS)
    obstacle = _obstacle("60030")

    assert operator.post(f"/errors/{door}/", {"one": obstacle.pk}).status_code == 403
    assert operator.post("/errors/retry/", {"one": obstacle.pk}).status_code == 302


def test_choosing_nothing_or_something_gone_is_said_plainly(
    settled: Sandbox, accountant: Client
) -> None:
    before = Job.objects.count()

    for values in ({}, {"record": "999999"}, {"record": "x"}, {"one": str(10**30)}):
        assert "Choose records first" in _post(accountant, "/errors/retry/", **values)

    assert Job.objects.count() == before


def test_the_way_back_never_leads_to_another_site(settled: Sandbox, accountant: Client) -> None:
    values = {"one": _obstacle("60030").pk, "back": "https://elsewhere.example/"}

    answer = accountant.post("/errors/retry/", values)

    assert answer.headers["Location"] == "/errors/"


@pytest.mark.parametrize(
    ("text", "answer"), [("60030", "Needs attention"), ("no such thing", "No record found")]
)
def test_a_record_is_found_with_why_it_was_not_synchronized(
    settled: Sandbox, accountant: Client, text: str, answer: str
) -> None:
    assert answer in _text(accountant, f"/errors/search/?q={text}")


def _customers(names: list[str]) -> None:
    Customer.objects.bulk_create(
        Customer(number=f"7{place:04}", name=name) for place, name in enumerate(names)
    )


def _shown(page: str) -> list[str]:
    return re.findall(r'<a href="/tables/CUSTOMER/[^"]+">(\d+) ', page)


@pytest.mark.parametrize(("text", "number"), [("er", "70100"), ("ER", "70100"), ("70007", "70007")])
def test_that_very_name_or_number_comes_first_however_many_hold_it(
    accountant: Client, text: str, number: str
) -> None:
    _customers([f"Berg 70007 {place}" for place in range(100)] + ["Er", "Zehnder"])

    page = _text(accountant, f"/errors/search/?q={text}")

    assert _shown(page)[0] == number
    assert "The first 20 records. There are more: type more of the number or name." in page
    assert len(_shown(page)) == 20


def test_as_many_records_as_are_shown_are_all_there_are(accountant: Client) -> None:
    _customers(["Berg"] * 20)

    assert "20 records found" in _text(accountant, "/errors/search/?q=berg")


def test_a_synchronized_record_says_when_and_by_which_job(
    settled: Sandbox, accountant: Client
) -> None:
    coupling = Coupling.objects.filter(mapping="CUSTOMER", to_crm_outcome="inserted")[0]
    number = Customer.objects.get(pk=coupling.ledger_id).number

    page = _text(accountant, f"/errors/search/?q={number}")

    assert "Synchronized" in page
    assert f'href="/jobs/{coupling.to_crm_job}/"' in page
    assert "main.aspx?pagetype=entityrecord&amp;etn=account" in page


def _command(*arguments: str) -> str:
    out = StringIO()
    call_command("errors", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_terminal_lists_shows_and_retries_the_same(settled: Sandbox) -> None:
    obstacle = _obstacle("60030")
    Customer.objects.filter(number="60030").update(name="Named at last")

    with translation.override("da"):
        listed, shown = _command("list", "--table", "CUSTOMER"), _command("show", "60030")
    retried = _command("retry", str(obstacle.pk))

    assert f"{obstacle.pk}  CUSTOMER ledger 60030: failed." in listed
    assert "needs attention" not in shown
    assert "attention" in shown
    assert "is asked for" in retried
    assert _finish().state == JobState.FINISHED
    assert not Obstacle.objects.filter(pk=obstacle.pk).exists()


def test_the_terminal_settles_what_it_shows_and_nothing_else(settled: Sandbox) -> None:
    number, obstacle = _conflict(settled)
    seen = re.search(rf"settle ({obstacle.pk}:[0-9a-f]+) ", _command("list", "--code", "conflict"))
    assert seen is not None
    pair(settled, number).edit_there(address1_city="Elsewhere")
    run("CUSTOMER")
    with pytest.raises(CommandError, match="Answers refused: 1"):
        _command("settle", seen[1], "--use", "crm")

    listed = _command("list", "--code", "conflict")
    now = re.search(rf"settle ({obstacle.pk}:[0-9a-f]+) ", listed)
    assert now is not None
    said = _command("settle", now[1], "--use", "crm")
    _finish()

    assert "Here in Financials, Elsewhere in Sales" in listed
    assert "Answers kept: 1." in said
    assert pair(settled, number).sides("city", "address1_city") == ("Elsewhere", "Elsewhere")


def test_the_terminal_refuses_a_retry_of_nothing(settled: Sandbox) -> None:
    with pytest.raises(CommandError, match="--table, --code or --all"):
        _command("retry")
    with pytest.raises(CommandError, match="Choose records first"):
        _command("retry", "999999")
    with pytest.raises(CommandError, match="Nothing is called"):
        _command("show", "no such thing")
