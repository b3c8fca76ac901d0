"""The phase *from CRM*: walk the rows there of a key range and write what changed to the ledger.

A page is decided on what was read, then written in one transaction together with its couplings,
counters and checkpoint. Each ledger row is guarded by the stamp it was decided on: if somebody
edited it meanwhile no row is updated, and the page is decided again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from crmsync.ledger.services import take_numbers
from crmsync.sync import changes, leases, obstacles, restorations
from crmsync.sync.couplings import require_included, store_couplings
from crmsync.sync.leases import Tally
from crmsync.sync.models import CrmRecord
from crmsync.sync.pull_plan import Lookups, plan
from crmsync.sync.sides import (
    CouplingResolver,
)
from crmsync.sync.slices import Slice
from crmsync.sync.steps import (
    Action,
    Step,
)
from crmsync.sync.walk import crm_records
from crmsync.terms import Outcome, Side

PAGE_ROWS = 500


class LedgerChanged(Exception):
    """A ledger row was edited after it was read: nothing was written, decide again."""


def start(work: Slice) -> Lookups:
    return Lookups(CouplingResolver.of(work.connection))


def run_page(work: Slice, lookups: Lookups) -> bool:
    """Decide, write and account for one page; True while there is more.

    Raises LeaseLost, LedgerChanged and CouplingChanged; then nothing of the page was written.
    """
    records = load_records(work)
    if not records:
        return False
    return commit(work, records, plan(work, lookups, records))


def load_records(work: Slice) -> list[CrmRecord]:
    part = work.part
    records = crm_records(work.mapping, work.job).order_by("crm_id")
    low = part.checkpoint.get("after") or part.low
    if low is not None:
        records = records.filter(crm_id__gt=low)
    if part.high is not None:
        records = records.filter(crm_id__lte=part.high)
    return list(records[: work.page_size(PAGE_ROWS)])


def commit(work: Slice, records: Sequence[CrmRecord], steps: Sequence[Step]) -> bool:
    """Write the page: ledger rows, couplings, obstacles, counters and checkpoint, or nothing.

    Whether the limit lets more records be touched.
    Raises LedgerChanged or CouplingChanged when somebody was faster; decide again then.
    """
    tally = Tally()
    for step in steps:
        if step.outcome is not None:
            tally.add(step.outcome)
    position: dict[str, object] = {"after": str(records[-1].crm_id)}
    with leases.fenced(work.lease):
        require_included(
            work.mapping,
            [s.coupling for s in steps if s.coupling and s.action is not Action.NOTHING],
        )
        _update_rows(work, [step for step in steps if step.action is Action.UPDATE])
        _insert_rows(work, [step for step in steps if step.action is Action.CREATE])
        for step in steps:
            if step.outcome is Outcome.COUPLED and step.coupling:
                step.coupling.save(force_insert=True)
        _store(work, steps)
        leases.checkpoint(work.lease, position, tally)
    work.part.checkpoint = position
    return work.spend(tally.touched)


def _update_rows(work: Slice, steps: Sequence[Step]) -> None:
    manager = work.mapping.ledger._default_manager
    for step in steps:
        if step.coupling is None or step.stamp is None:
            continue
        guarded = manager.filter(pk=step.coupling.ledger_id, stamp=step.stamp)
        if not guarded.update(**step.body, stamp=step.stamp + 1):
            raise LedgerChanged(str(step.coupling))


def _insert_rows(work: Slice, steps: Sequence[Step]) -> None:
    if not steps:
        return
    mapping = work.mapping
    numbers = take_numbers(
        series=mapping.number_series, model=mapping.ledger, field=mapping.number, count=len(steps)
    )
    for step, number in zip(steps, numbers, strict=True):
        if step.coupling is not None:
            # Two jobs that insert for the same row: the coupling's constraint lets one through.
            mapping.ledger._default_manager.create(
                id=step.coupling.ledger_id, **{**step.body, mapping.number: number}
            )
            step.coupling.ledger_stamp = None
            step.coupling.save(force_insert=True)


def _store(work: Slice, steps: Sequence[Step]) -> None:
    changed = [step for step in steps if step.changes and step.coupling]
    mark = {"from_crm_job": work.job.pk, "from_crm_at": datetime.now(UTC)}
    store_couplings(
        [
            (step.coupling, {**step.changes, **mark, "from_crm_outcome": step.outcome})
            for step in changed
            if step.coupling
        ]
    )
    restorations.keep(work.job, Side.LEDGER, steps)
    changes.keep(work.mapping, steps)
    obstacles.keep(work.job, Side.CRM, steps)
