"""What administrators change of mappings, judged by the rows of both sides."""

import pytest

from crmsync.audit.actors import INSTALLATION
from crmsync.audit.models import Entry
from crmsync.frame.people import Role
from crmsync.ledger.models import Currency, Customer
from crmsync.mapping import in_force
from crmsync.mapping.errors import NotTheSettingsShown, NotWithinDeclaration, TableBusy
from crmsync.mapping.models import ChangedSetting
from crmsync.mapping.overlay import OFF, Change, Setting
from crmsync.mapping.registry import all_mappings, declared
from crmsync.sync import jobs, services, working
from crmsync.sync.models import Coupling, CrmTable, Job, Obstacle, Part, Restoration
from crmsync.terms import FirstWinner, JobState, Side
from setup_wizard import integration_solution
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.remapped import change, held, of_table, off, restore, way
from tests.sync.pairs import Pair, accounts, in_the_way, live_coupling, pair
from tests.sync.runs import run, run_all


@pytest.fixture
def one(settled: Sandbox) -> Pair:
    return pair(settled, "10000")


def new_account(sandbox: Sandbox, **values: object) -> str:
    row = {"name": "Brand New Ltd.", "customertypecode": 3, "statecode": 0, **values}
    return sandbox.edit({"set": "accounts", "create": row})[0]


def new_customer(**values: object) -> Customer:
    return Customer.objects.create(
        number="N0001", name="Nowhere Else Ltd.", email="mail@nowhere-else.example", **values
    )


def uncoupled(record: Customer) -> bool:
    return not Coupling.objects.filter(ledger_id=record.pk).exists()


def by_another_process(wanted: Change) -> None:
    """Kept, and not taken up by this process yet."""
    ChangedSetting.objects.create(
        mapping=wanted.mapping, field=wanted.field, setting=wanted.setting, value=wanted.value
    )


# Who wins where both sides changed


@pytest.mark.parametrize(("policy", "city"), [("ledger_wins", "Odense"), ("crm_wins", "Aarhus")])
def test_a_conflict_is_settled_by_the_policy(one: Pair, policy: str, city: str) -> None:
    one.edit_here(city="Odense")
    one.edit_there(address1_city="Aarhus")
    run("CUSTOMER")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "conflict")

    change(of_table(Setting.CONFLICT_POLICY, policy))
    assert one.sides("city", "address1_city") == ("Odense", "Aarhus")
    run("CUSTOMER")

    assert one.sides("city", "address1_city") == (city, city)
    assert in_the_way(one.customer.pk, Side.LEDGER) is None


def test_the_policy_says_nothing_of_a_pair_that_never_agreed(one: Pair) -> None:
    Coupling.objects.filter(pk=live_coupling("10000").pk).update(
        agreed={}, first_winner=FirstWinner.FILL_BLANKS, has_unresolved=True
    )
    one.edit_here(city="Odense")
    one.edit_there(address1_city="Aarhus")
    change(of_table(Setting.CONFLICT_POLICY, "ledger_wins"))

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Odense", "Aarhus")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "first_values_differ")


# Which way


def test_a_table_that_only_goes_to_sales_writes_nothing_here(one: Pair) -> None:
    change(of_table(Setting.DIRECTION, "to_crm"))
    one.edit_here(city="Odense")
    one.edit_there(address1_line1="1 New Street")
    there_alone = new_account(one.sandbox)
    stamp, street = one.customer.stamp, one.customer.address
    count = Customer.objects.count()

    job = run("CUSTOMER")

    assert job.phases == ["refresh", "to_crm", "absorb"]
    assert one.sides("city", "address1_city") == ("Odense", "Odense")
    assert one.sides("address", "address1_line1") == (street, street)
    assert (one.customer.stamp, Customer.objects.count()) == (stamp, count)
    assert not Coupling.objects.filter(crm_id=there_alone).exists()
    (kept,) = Restoration.objects.filter(field="address")
    assert (kept.side, kept.stood, kept.becomes) == ("crm", "1 New Street", street)


def test_a_table_that_only_comes_from_sales_writes_nothing_there(one: Pair) -> None:
    change(of_table(Setting.DIRECTION, "from_crm"))
    one.edit_here(city="Odense", credit_limit=77)
    one.edit_there(address1_line1="1 New Street")
    here_alone = new_customer()
    there_alone = new_account(one.sandbox)
    mark, city = one.sandbox.mark(), one.account["address1_city"]  # type: ignore[index]

    job = run("CUSTOMER")

    assert job.phases == ["refresh", "from_crm"]
    assert one.sandbox.writes(mark) == []
    assert one.sides("city", "address1_city") == (city, city)
    assert one.sides("address", "address1_line1") == ("1 New Street", "1 New Street")
    assert one.customer.credit_limit == 77
    assert uncoupled(here_alone)
    made = Coupling.objects.get(crm_id=there_alone)
    assert Customer.objects.filter(pk=made.ledger_id, name="Brand New Ltd.").exists()


def test_a_likely_twin_is_still_found_by_its_number_where_numbers_take_no_part(one: Pair) -> None:
    ours = new_customer()
    theirs = new_account(one.sandbox, accountnumber=ours.number)
    change(of_table(Setting.DIRECTION, "from_crm"))
    count = Customer.objects.count()

    run("CUSTOMER")

    assert Customer.objects.count() == count
    assert in_the_way(theirs, Side.CRM) == ("undecided", "likely_twin")


def test_a_field_that_only_goes_to_sales_is_written_back_there(one: Pair) -> None:
    change(way("city", "to_crm"))
    here = one.customer.city
    one.edit_there(address1_city="Aarhus", address1_line1="1 New Street")

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == (here, here)
    assert one.sides("address", "address1_line1") == ("1 New Street", "1 New Street")


def test_what_waits_on_a_closed_way_waits_no_more(one: Pair) -> None:
    waiting = new_account(one.sandbox, accountnumber=new_customer().number)
    run("CUSTOMER")
    assert in_the_way(waiting, Side.CRM) == ("undecided", "likely_twin")

    change(of_table(Setting.DIRECTION, "to_crm"))

    assert not Obstacle.objects.filter(mapping="CUSTOMER", side=Side.CRM).exists()
    restore()
    run("CUSTOMER")
    assert in_the_way(waiting, Side.CRM) == ("undecided", "likely_twin")


# Fields that are switched off, and on again


def test_a_field_that_is_switched_off_is_neither_read_into_nor_written(one: Pair) -> None:
    change(off("fax_no"))
    one.edit_here(fax_no="+45 1111", city="Odense")
    one.edit_there(fax="+45 2222", address1_line1="1 New Street")
    here_alone = new_customer(fax_no="+45 3333")
    there_alone = new_account(one.sandbox, fax="+45 4444")

    run("CUSTOMER")

    assert one.sides("fax_no", "fax") == ("+45 1111", "+45 2222")
    assert one.sides("city", "address1_city") == ("Odense", "Odense")
    assert one.sides("address", "address1_line1") == ("1 New Street", "1 New Street")
    made_here = Coupling.objects.get(crm_id=there_alone)
    assert Customer.objects.get(pk=made_here.ledger_id).fax_no == ""
    made_there = Coupling.objects.get(ledger_id=here_alone.pk)
    (row,) = [row for row in accounts(one.sandbox) if row["accountid"] == str(made_there.crm_id)]
    assert row["fax"] is None
    mark = one.sandbox.mark()
    run("CUSTOMER")
    assert one.sandbox.writes(mark) == []


def test_a_conflict_in_a_field_ends_when_it_is_switched_off(one: Pair) -> None:
    one.edit_here(fax_no="+45 1111")
    one.edit_there(fax="+45 2222")
    run("CUSTOMER")
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "conflict")
    change(off("fax_no"))

    run("CUSTOMER")

    assert in_the_way(one.customer.pk, Side.LEDGER) is None
    assert one.sides("fax_no", "fax") == ("+45 1111", "+45 2222")


def test_a_field_that_is_switched_on_again_is_compared_as_the_first_time(one: Pair) -> None:
    assert live_coupling("10000").first_winner == FirstWinner.LEDGER
    other = pair(one.sandbox, "20000")
    there = one.account["address1_city"]  # type: ignore[index]
    assert live_coupling("10000").agreed["city"] == there
    change(off("city"))
    one.edit_here(city="Odense")
    other.edit_here(city="")
    other.edit_there(address1_city="Aarhus")
    run("CUSTOMER")

    restore()
    run("CUSTOMER")

    # Only one side changed since they agreed, and yet nobody's value is overwritten unseen.
    assert one.sides("city", "address1_city") == ("Odense", there)
    assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "first_values_differ")
    assert other.sides("city", "address1_city") == ("Aarhus", "Aarhus")


def test_a_pair_that_was_never_compared_keeps_who_wins(one: Pair) -> None:
    change(off("fax_no"))
    Coupling.objects.filter(pk=live_coupling("10000").pk).update(agreed={}, has_unresolved=True)
    one.edit_here(fax_no="+45 1111")
    one.edit_there(fax="+45 2222")

    restore()
    run("CUSTOMER")

    assert one.sides("fax_no", "fax") == ("+45 1111", "+45 1111")


def test_a_record_created_without_a_field_overwrites_nothing_when_it_is_switched_on(
    one: Pair,
) -> None:
    change(off("fax_no"))
    ours = new_customer(fax_no="+45 1111")
    run("CUSTOMER")
    made = pair(one.sandbox, ours.number)
    made.edit_there(fax="+45 2222")

    restore()
    run("CUSTOMER")

    assert made.sides("fax_no", "fax") == ("+45 1111", "+45 2222")


def test_a_field_that_stays_on_is_not_touched_by_switching_another(one: Pair) -> None:
    change(off("fax_no"))
    restore()
    one.edit_there(address1_city="Aarhus")

    run("CUSTOMER")

    assert one.sides("city", "address1_city") == ("Aarhus", "Aarhus")


def test_an_owner_that_is_switched_off_stays_whoever_the_salesperson_is(one: Pair) -> None:
    owner = one.account["_ownerid_value"]  # type: ignore[index]
    change(off("salesperson_id"))
    coupled = Coupling.objects.filter(mapping="SALESPEOPLE", removed_at__isnull=True)
    others = coupled.exclude(ledger_id=str(one.customer.salesperson_id))
    one.edit_here(salesperson_id=others.values_list("ledger_id", flat=True).first())

    run("CUSTOMER")

    assert one.account["_ownerid_value"] == owner  # type: ignore[index]


# Missing records that are not created


def test_without_creation_in_sales_a_record_stays_here_alone_and_is_no_error(one: Pair) -> None:
    change(of_table(Setting.CREATES_IN_CRM, OFF))
    ours = new_customer()
    there = len(accounts(one.sandbox))

    job = run("CUSTOMER")

    assert len(accounts(one.sandbox)) == there
    assert uncoupled(ours)
    assert job.state == JobState.FINISHED
    assert in_the_way(ours.pk, Side.LEDGER) is None
    restore()
    run("CUSTOMER")
    assert not uncoupled(ours)


def test_without_creation_here_a_row_stays_there_alone(one: Pair) -> None:
    change(of_table(Setting.CREATES_IN_LEDGER, OFF))
    theirs = new_account(one.sandbox)
    count = Customer.objects.count()

    run("CUSTOMER")

    assert Customer.objects.count() == count
    assert in_the_way(theirs, Side.CRM) is None


def test_currencies_that_are_not_created_are_still_found_by_their_code(connected: Sandbox) -> None:
    change(of_table(Setting.CREATES_IN_CRM, OFF, "CURRENCY"), mapping="CURRENCY")
    there = len(connected.dump("transactioncurrencies"))

    run("CURRENCY")

    assert len(connected.dump("transactioncurrencies")) == there
    coupled = Coupling.objects.filter(mapping="CURRENCY", removed_at__isnull=True).count()
    assert 0 < coupled < Currency.objects.count()


def test_a_creation_that_was_interrupted_is_not_sent_once_creation_is_off(one: Pair) -> None:
    ours = new_customer()
    one.sandbox.fault({"method": "POST", "path": "accounts"}, {"status": 503}, times=3)
    one.sandbox.fault({"method": "POST", "path": "$batch"}, {"status": 503}, times=3)
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(ledger_id=ours.pk, is_intent=True).exists():
        for part in Part.objects.filter(job=job, phase=_phase(job.pk)):
            working.run_slice(part_id=part.pk, worker="test")
    jobs.cancel(job_id=job.pk)
    one.sandbox.clear_faults()
    change(of_table(Setting.CREATES_IN_CRM, OFF))
    there = len(accounts(one.sandbox))

    run("CUSTOMER")

    assert len(accounts(one.sandbox)) == there
    restore()
    run("CUSTOMER")
    assert len(accounts(one.sandbox)) == there + 1
    assert not live_coupling(ours.number).is_intent


def _phase(job_id: int) -> str:
    return str(Job.objects.get(pk=job_id).phase)


# Changing itself


def test_switching_costs_no_full_read(one: Pair) -> None:
    before = CrmTable.objects.get(pk="account")
    change(off("fax_no"), way("city", "to_crm"))
    mark = one.sandbox.mark()

    run("CUSTOMER")

    after = CrmTable.objects.get(pk="account")
    assert (after.columns, after.reading) == (before.columns, before.reading)
    asked = [entry["url"] for entry in one.sandbox.journal(mark) if "/accounts" in entry["url"]]
    assert all("deltatoken" in url or "$deltatoken" in url for url in asked)


def test_the_default_is_as_declared_and_makes_both_sides_equal_again(one: Pair) -> None:
    change(off("fax_no"), way("city", "to_crm"), of_table(Setting.CONFLICT_POLICY, "crm_wins"))
    assert all_mappings() != declared()

    restore()

    assert all_mappings() == declared()
    assert not ChangedSetting.objects.exists()
    mark = one.sandbox.mark()
    run_all()
    assert one.sandbox.writes(mark) == []
    assert not live_coupling("10000").has_unresolved


def test_while_a_job_of_the_table_is_under_way_nothing_changes(settled: Sandbox) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")

    with pytest.raises(TableBusy, match="Customers"):
        change(off("fax_no"))

    change(of_table(Setting.CREATES_IN_CRM, OFF, "CURRENCY"), mapping="CURRENCY")
    jobs.cancel(job_id=job.pk)
    change(off("fax_no"))
    assert ChangedSetting.objects.count() == 2


def test_what_was_changed_since_it_was_shown_is_not_overwritten(settled: Sandbox) -> None:
    seen = held()
    change(off("fax_no"))

    with pytest.raises(NotTheSettingsShown):
        services.change_mapping(
            mapping="CUSTOMER", wanted=[off("home_page")], expected=seen, by=INSTALLATION
        )
    with pytest.raises(NotTheSettingsShown):
        services.restore_default_mappings(expected=seen, by=INSTALLATION)

    assert [row.field for row in ChangedSetting.objects.all()] == ["fax_no"]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (off("number"), "No.: Enabled cannot be switched off"),
        (way("credit_limit", "from_crm"), "does not go that way"),
        (way("name", "to_crm"), "must go both ways"),
        (off("shoe_size"), "no such setting"),
    ],
)
def test_what_the_declaration_does_not_allow_is_refused(
    settled: Sandbox, wanted: Change, sentence: str
) -> None:
    with pytest.raises(NotWithinDeclaration, match=sentence):
        change(wanted)

    assert not ChangedSetting.objects.exists()


def test_a_worker_goes_by_what_another_process_changed_from_its_next_slice_on(one: Pair) -> None:
    one.edit_here(fax_no="+45 1111", city="Odense")
    job = jobs.request(mapping="CUSTOMER", by="test")
    by_another_process(off("fax_no"))

    jobs.drive(job_id=job.pk, worker="test")

    assert one.sides("fax_no", "fax") == ("+45 1111", None)
    assert one.sides("city", "address1_city") == ("Odense", "Odense")


def test_a_job_that_is_asked_for_goes_by_what_another_process_changed(one: Pair) -> None:
    by_another_process(of_table(Setting.DIRECTION, "to_crm"))

    assert run("CUSTOMER").phases == ["refresh", "to_crm", "absorb"]


def test_a_page_shows_what_another_process_changed(
    settled: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_force, "PAGE_SECONDS", 0.0)
    accountant = client_of(Role.ACCOUNTANTS)
    path = f"/tables/CUSTOMER/{Customer.objects.get(number='10000').pk}/"
    assert "Bidirectional" in accountant.get(path).content.decode()

    by_another_process(of_table(Setting.DIRECTION, "to_crm"))

    assert "Bidirectional" not in accountant.get(path).content.decode()


def test_the_log_says_what_was_changed_by_whom(settled: Sandbox) -> None:
    change(off("fax_no"), of_table(Setting.CONFLICT_POLICY, "crm_wins"))
    restore()

    first, second = Entry.objects.filter(table="mapping").order_by("pk")
    assert (first.act, first.record, first.who) == ("mapping_changed", "CUSTOMER", "crmsync")
    assert first.before == {"Resolve Update Conflicts": "Ask a person", "Fax No.: Enabled": "Yes"}
    assert first.after == {"Resolve Update Conflicts": "Sales wins", "Fax No.: Enabled": "No"}
    assert second.act == "mappings_restored"
    assert (second.before, second.after) == (first.after, first.before)


def test_our_roles_in_sales_allow_what_is_declared_whatever_is_switched_off(
    settled: Sandbox,
) -> None:
    change(of_table(Setting.DIRECTION, "from_crm"))

    assert integration_solution._solution() == integration_solution.SOLUTION
