"""Many pairs coupled, uncoupled and restored in one act, each on its own merits."""

import time
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from crmsync.ledger.models import Customer
from crmsync.sync import jobs, phases, services, working
from crmsync.sync.models import Coupling, CrmRecord, Job, Obstacle, Part
from crmsync.sync.services import CoupledMany, UnableToCouple
from crmsync.terms import CouplingOrigin, FirstWinner, JobState, PhaseName, Side
from tests.sandboxes import Sandbox
from tests.sync.pairs import accounts, in_the_way, live_coupling, pair
from tests.sync.runs import run


def couple_many(
    pairs: Sequence[tuple[UUID, UUID]], winner: FirstWinner = FirstWinner.LEDGER
) -> CoupledMany:
    return services.couple_many(
        mapping="CUSTOMER",
        pairs=pairs,
        first_winner=winner,
        origin=CouplingOrigin.MATCH,
        by="test",
    )


def plant(sandbox: Sandbox, *names: str) -> list[tuple[UUID, UUID]]:
    """Accounts and customers of these names (here in capitals), read and not coupled."""
    rows = sandbox.edit(
        *({"set": "accounts", "create": {"name": name, "customertypecode": 3}} for name in names)
    )
    jobs.read_sales(mapping="CUSTOMER", by="test")
    return [
        (Customer.objects.create(number=f"7000{place}", name=name.upper()).pk, UUID(row))
        for place, (name, row) in enumerate(zip(names, rows, strict=True))
    ]


def one_slice(job: Job) -> Job:
    Part.objects.update(not_before=None)
    for part in job.parts.filter(phase=job.phase).exclude(state=JobState.FINISHED):
        working.run_slice(part_id=part.pk, worker="test")
    phases.advance(job_id=job.pk)
    job.refresh_from_db()
    return job


def test_pairs_are_coupled_and_the_winner_is_written(settled: Sandbox) -> None:
    pairs = plant(settled, "Litware", "Fabrikam Kites")

    done = couple_many(pairs)
    run("CUSTOMER")

    assert (len(done.coupled_ids), done.refused) == (2, ())
    names = {row["accountid"]: row["name"] for row in accounts(settled)}
    assert [names[str(crm_id)] for _, crm_id in pairs] == ["LITWARE", "FABRIKAM KITES"]


def test_a_pair_that_cannot_be_coupled_names_what_is_in_the_way_and_stops_nobody(
    settled: Sandbox,
) -> None:
    (fine, taken, doubled) = plant(settled, "Litware", "Fabrikam Kites", "Munson's Pickles")
    old = live_coupling("10000")
    title = CrmRecord.objects.get(crm_id=old.crm_id).title
    nobody = uuid4()

    done = couple_many(
        [
            fine,
            (taken[0], old.crm_id),
            (old.ledger_id, taken[1]),
            (doubled[0], fine[1]),
            (nobody, doubled[1]),
            (doubled[0], nobody),
        ]
    )

    assert [(one.ledger_id, one.crm_id) for one in done.refused] == [
        (taken[0], old.crm_id),
        (old.ledger_id, taken[1]),
        (doubled[0], fine[1]),
        (nobody, doubled[1]),
        (doubled[0], nobody),
    ]
    assert [one.sentence for one in done.refused] == [
        f"{title} is coupled with customer 10000 already.",
        f"Customer 10000 is coupled with {title} already.",
        "One of the two was to be coupled with another record as well.",
        "The record is not in Financials any more.",
        "The row is not in Sales, or was not read yet.",
    ]
    coupled = Coupling.objects.get(pk__in=done.coupled_ids)
    assert (coupled.ledger_id, coupled.crm_id) == fine


def test_what_stood_in_the_way_of_the_pairs_is_cleared(settled: Sandbox) -> None:
    customer = Customer.objects.create(number="70000", name="Litware, Inc.")
    (row,) = settled.edit(
        {"set": "accounts", "create": {"name": "LITWARE INC", "customertypecode": 3}}
    )
    run("CUSTOMER")
    assert in_the_way(row, Side.CRM) == ("undecided", "likely_twin")

    couple_many([(customer.pk, UUID(row))])

    assert not Obstacle.objects.filter(record_id__in=[customer.pk, row]).exists()


def test_coupled_while_a_job_creates_it_is_not_doubled(settled: Sandbox) -> None:
    """The intent is committed first: then the pair is refused, and the row is the one we made."""
    ((ledger_id, crm_id),) = plant(settled, "Litware")
    services.say_not_the_same(mapping="CUSTOMER", ledger_id=ledger_id, crm_ids=[crm_id], by="test")
    settled.fault({"path": "CreateMultiple"}, {"drop": "before"}, times=1)
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(is_intent=True).exists():
        one_slice(job)

    done = couple_many([(ledger_id, crm_id)])
    while job.state == JobState.RUNNING:
        one_slice(job)

    (refused,) = done.refused
    assert refused.sentence.startswith("Customer 70000 is coupled with ")
    assert len([row for row in accounts(settled) if row["accountnumber"] == "70000"]) == 1


def test_coupled_before_a_job_would_create_it_no_row_is_created(settled: Sandbox) -> None:
    ((ledger_id, crm_id),) = plant(settled, "Litware")
    job = jobs.request(mapping="CUSTOMER", by="test")
    while job.phase != PhaseName.TO_CRM:
        one_slice(job)

    couple_many([(ledger_id, crm_id)])
    while job.state == JobState.RUNNING:
        one_slice(job)

    assert [row["accountid"] for row in accounts(settled) if row["accountnumber"] == "70000"] == [
        str(crm_id)
    ]


@pytest.mark.django_db
def test_five_thousand_pairs_take_seconds(books: object) -> None:
    Customer.objects.bulk_create(
        Customer(number=f"M-{number:05}", name=f"Customer of many {number}")
        for number in range(5000)
    )
    pairs = [
        (key, uuid4())
        for key in Customer.objects.filter(number__startswith="M-").values_list("pk", flat=True)
    ]
    CrmRecord.objects.bulk_create(
        CrmRecord(table="account", crm_id=crm_id, etag='W/"1"', title="Of many")
        for _, crm_id in pairs
    )
    began = time.monotonic()

    done = couple_many(pairs)

    assert (len(done.coupled_ids), done.refused) == (5000, ())
    assert time.monotonic() - began < 15
    removed = services.remove_couplings(coupling_ids=done.coupled_ids)
    assert (len(removed.removed_ids), removed.refused) == (5000, ())


def test_couplings_are_deleted_together_but_those_whose_row_is_being_created(
    settled: Sandbox,
) -> None:
    settled.fault({"path": "CreateMultiple"}, {"drop": "after"}, times=1)
    customer = Customer.objects.create(number="70000", name="Litware")
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(is_intent=True).exists():
        one_slice(job)
    intent, old = Coupling.objects.get(ledger_id=customer.pk).pk, live_coupling("10000").pk

    done = services.remove_couplings(coupling_ids=[old, intent, 999_999])

    assert done.removed_ids == (old,)
    assert [tuple(one) for one in done.refused] == [
        (intent, "The row is being created in Sales at this moment.")
    ]
    assert services.remove_couplings(coupling_ids=[old]).removed_ids == ()


def test_an_intent_whose_record_is_gone_can_be_deleted(settled: Sandbox) -> None:
    settled.fault({"path": "CreateMultiple"}, {"drop": "before"}, times=1)
    customer = Customer.objects.create(number="70000", name="Litware")
    job = jobs.request(mapping="CUSTOMER", by="test")
    while not Coupling.objects.filter(is_intent=True).exists():
        one_slice(job)
    jobs.cancel(job_id=job.pk)
    intent = Coupling.objects.get(ledger_id=customer.pk)
    customer.delete()

    assert services.remove_coupling(coupling_id=intent.pk)


class TestTakingDeleteCouplingBack:
    def test_brings_the_pair_back_with_what_was_agreed(self, settled: Sandbox) -> None:
        one, before = pair(settled, "60050"), live_coupling("60050")
        services.remove_coupling(coupling_id=before.pk)
        run("CUSTOMER")
        assert in_the_way(one.customer.pk, Side.LEDGER) == ("undecided", "likely_twin")
        one.edit_here(city="Odense")
        one.edit_there(telephone1="+45 86 12 34 56")

        restored = services.restore_coupling(coupling_id=before.pk, by="test")
        run("CUSTOMER")

        assert (restored.pk, restored.agreed) == (before.pk, before.agreed)
        assert live_coupling("60050").generation == before.generation
        assert one.sides("city", "address1_city") == ("Odense", "Odense")
        assert one.sides("phone_no", "telephone1") == ("+45 86 12 34 56", "+45 86 12 34 56")
        assert in_the_way(one.customer.pk, Side.LEDGER) is None
        assert in_the_way(one.crm_id, Side.CRM) is None

    def test_is_refused_where_one_of_the_two_is_coupled_or_gone(self, settled: Sandbox) -> None:
        one, old = pair(settled, "10000"), live_coupling("10000")
        with pytest.raises(UnableToCouple, match="was not deleted"):
            services.restore_coupling(coupling_id=old.pk, by="test")
        services.remove_coupling(coupling_id=old.pk)
        customer = Customer.objects.create(number="70000", name="Litware")
        new = couple_many([(customer.pk, UUID(one.crm_id))])
        with pytest.raises(UnableToCouple, match="is coupled with customer 70000 already"):
            services.restore_coupling(coupling_id=old.pk, by="test")

        services.remove_couplings(coupling_ids=new.coupled_ids)
        one.delete_there()
        jobs.read_sales(mapping="CUSTOMER", by="test")
        with pytest.raises(UnableToCouple, match="not in Sales"):
            services.restore_coupling(coupling_id=old.pk, by="test")

    def test_is_for_the_latest_coupling_of_the_record_alone(self, settled: Sandbox) -> None:
        first = live_coupling("10000")
        services.remove_coupling(coupling_id=first.pk)
        second = couple_many([(first.ledger_id, first.crm_id)]).coupled_ids[0]
        services.remove_coupling(coupling_id=second)

        with pytest.raises(UnableToCouple, match="later coupling"):
            services.restore_coupling(coupling_id=first.pk, by="test")
        assert services.restore_coupling(coupling_id=second, by="test").pk == second

    def test_while_a_job_creates_the_row_anew_is_refused(self, settled: Sandbox) -> None:
        one, old = pair(settled, "60050"), live_coupling("60050")
        services.remove_coupling(coupling_id=old.pk)
        services.say_not_the_same(
            mapping="CUSTOMER", ledger_id=old.ledger_id, crm_ids=[old.crm_id], by="test"
        )
        settled.fault({"path": "CreateMultiple"}, {"drop": "after"}, times=1)
        job = jobs.request(mapping="CUSTOMER", by="test")
        while not Coupling.objects.filter(is_intent=True).exists():
            one_slice(job)

        with pytest.raises(UnableToCouple, match="is coupled with "):
            services.restore_coupling(coupling_id=old.pk, by="test")

        while job.state == JobState.RUNNING:
            one_slice(job)
        live = live_coupling("60050")
        assert (live.generation, str(live.crm_id) == one.crm_id) == (old.generation + 1, False)
