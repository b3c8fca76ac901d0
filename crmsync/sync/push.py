"""The phase *to CRM*: walk the ledger's records of a key range and write what changed to Sales.

A page goes through four stations: decide; commit the intents (ids and values of rows to be
created) before any request; send, with no transaction open; commit results, counters and
checkpoint together, where the epoch still holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from django.db import IntegrityError

from crmsync.dataverse.errors import (
    DataverseError,
    RecordError,
    RowMissing,
    TransientError,
    UnreadableAnswer,
    VersionConflict,
)
from crmsync.sync import caution, leases, obstacles, refresh, restorations
from crmsync.sync.couplings import store_couplings
from crmsync.sync.leases import Tally
from crmsync.sync.models import Coupling, CrmTable
from crmsync.sync.push_plan import Lookups, plan
from crmsync.sync.sending import Answered, Sender, Sizes, break_in
from crmsync.sync.sides import CouplingResolver, scope_filter
from crmsync.sync.slices import Slice, send_all
from crmsync.sync.steps import Action, Problem, Step
from crmsync.terms import Outcome, Side

PAGE_ROWS = 1000
# Rounds of reading a row again and deciding anew before the page is left for later.
ROUNDS = 4

Row = dict[str, Any]


@dataclass(slots=True)
class Pages:
    """What one slice keeps from page to page."""

    lookups: Lookups
    sizes: Sizes


def start(work: Slice) -> Pages:
    resolver = CouplingResolver(work.connection.base_currency_id)
    return Pages(Lookups(resolver), Sizes.up_to(work.most_rows()))


def run_page(work: Slice, pages: Pages) -> bool:
    """Decide, write and account for one page; True while there is more.

    Raises LeaseLost, and whatever breaks the sending off after the answers that came were kept.
    """
    rows = load_rows(work)
    if not rows:
        return False
    steps = plan(work, pages.lookups, rows)
    broken = carry_out(work, pages, rows, steps)
    if broken is not None:
        raise broken
    return _account(work, rows, steps)


def load_rows(work: Slice) -> list[Row]:
    """The next page of the range, by key."""
    mapping, part = work.mapping, work.part
    rows = (
        mapping.ledger._default_manager.filter(**scope_filter(mapping.ledger_scope))
        .annotate(**mapping.computed)
        .order_by("pk")
    )
    low = part.checkpoint.get("after") or part.low
    if low is not None:
        rows = rows.filter(pk__gt=low)
    if part.high is not None:
        rows = rows.filter(pk__lte=part.high)
    return list(rows.values(*mapping.ledger_columns)[: work.page_size(PAGE_ROWS)])


# Stations two and three: intents, then requests.


def carry_out(
    work: Slice, pages: Pages, rows: Sequence[Row], steps: list[Step]
) -> DataverseError | None:
    """Commit intents, send, and keep what was answered; the error that broke it off, if any.

    ``steps`` holds the final verdicts afterwards, unless something broke it off.
    """
    by_id = {row["id"]: row for row in rows}
    for _ in range(ROUNDS):
        commit_intents(work, steps)
        broken = _send(work, pages, steps)
        if broken is not None:
            return broken
        stale = [by_id[step.record_id] for step in steps if step.action is Action.READ_AGAIN]
        if not stale:
            return None
        _decide_anew(work, pages, stale, steps)
    return TransientError("Rows in Sales keep changing while they are written.")


def commit_intents(work: Slice, steps: Sequence[Step]) -> None:
    """Store what is about to be sent, before any request: new couplings with the ids and values
    of rows to be created, and with pairs to be updated the values that go out.

    Raises CouplingChanged when a pair was uncoupled meanwhile: then nothing is sent to it.
    """
    new: list[Coupling] = []
    for step in steps:
        if step.coupling is not None and step.coupling._state.adding:
            step.coupling.sent, step.coupling.sent_by_job = step.sent, work.job.pk
            new.append(step.coupling)
    updated = [
        (step.coupling, {"sent": step.sent, "sent_by_job": work.job.pk})
        for step in steps
        if step.coupling and step.action is Action.UPDATE and not step.coupling._state.adding
    ]
    if not new and not updated:
        return
    try:
        with leases.fenced(work.lease):
            Coupling.objects.bulk_create(new, batch_size=500)
            store_couplings(updated)
    except IntegrityError as error:
        # Somebody coupled one of them in between; the page is read and decided again.
        raise TransientError("A record was coupled by somebody else meanwhile.") from error


def _send(work: Slice, pages: Pages, steps: Sequence[Step]) -> DataverseError | None:
    """Send what is to be created and updated, and keep the answers in short transactions."""
    creates = [step for step in steps if step.action is Action.CREATE]
    updates = [step for step in steps if step.action is Action.UPDATE]
    if not creates and not updates:
        return None
    try:
        creates = _adopt_found(work, creates)
        takes_multiple = bool(creates) and _takes_create_multiple(work)
    except TransientError as lost:
        return lost
    sender = Sender(work.client, work.mapping.crm, pages.sizes, takes_multiple)
    answers, broken = send_all(work, sender.messages(creates, updates), break_in)
    if caution.gives_up(work, broken):
        _set_aside_singles(answers)
    for step, error in chain(*answers):
        _take_answer(step, error)
    _keep_results(work, [step for step, _ in chain(*answers) if step.action is Action.NOTHING])
    is_complete = all(
        step.action in (Action.NOTHING, Action.READ_AGAIN) for step in (*creates, *updates)
    )
    return None if is_complete else broken or UnreadableAnswer("Not every row was answered.")


def _set_aside_singles(answers: Sequence[Answered]) -> None:
    """Refuse records that broke a message of their own; what broke larger ones stays broken."""
    for answered in answers:
        if len(answered) == 1 and break_in(answered) is not None:
            answered[0][0].refuse(caution.ALWAYS_BREAKS)


def _adopt_found(work: Slice, creates: Sequence[Step]) -> list[Step]:
    """Look up intents of earlier attempts: those found there are ours. Returns what is missing."""
    attempted = [step.coupling.crm_id for step in creates if step.coupling and step.was_intended]
    if not attempted:
        return list(creates)
    found = work.ask(lambda: work.client.existing(work.mapping.crm, attempted))
    adopted = [step for step in creates if step.coupling and step.coupling.crm_id in found]
    for step in adopted:
        _succeeded(step)
    _keep_results(work, adopted)
    return [step for step in creates if step.action is Action.CREATE]


def _takes_create_multiple(work: Slice) -> bool:
    """Whether the table takes CreateMultiple: asked once, then remembered."""
    table = work.mapping.crm
    known = CrmTable.objects.get_or_create(logical_name=table.logical_name)[0]
    if known.takes_create_multiple is None:
        takes = work.ask(lambda: work.client.supports(table, "CreateMultiple"))
        CrmTable.objects.filter(pk=known.pk).update(takes_create_multiple=takes)
        return takes
    return known.takes_create_multiple


def _decide_anew(work: Slice, pages: Pages, rows: Sequence[Row], steps: list[Step]) -> None:
    """Read the rows there as they are now, and compare again."""
    ids = {row["id"] for row in rows}
    stale = [step.coupling for step in steps if step.coupling and step.record_id in ids]
    refresh.read_again(work, [coupling.crm_id for coupling in stale])
    again = {step.record_id: step for step in plan(work, pages.lookups, rows)}
    steps[:] = [again.get(step.record_id, step) for step in steps]


# Station four: results.


def _take_answer(step: Step, error: DataverseError | None) -> None:
    """Turn one row's answer into its verdict; an error that is not its own leaves it as it was."""
    if step.problem is caution.ALWAYS_BREAKS:
        return
    if error is None:
        _succeeded(step)
    elif step.action is Action.UPDATE and isinstance(error, VersionConflict | RowMissing):
        step.action = Action.READ_AGAIN
    elif isinstance(error, RecordError):
        step.refuse(Problem(Outcome.FAILED, error.code, str(error), {"path": error.trace.path}))


def _succeeded(step: Step) -> None:
    if step.action is Action.CREATE:
        step.changes = {"is_intent": False, "intent_body": None}
    else:
        step.changes |= {"superseded_etag": step.etag, "sent": {}}
    step.action = Action.NOTHING


def _keep_results(work: Slice, steps: Sequence[Step]) -> None:
    if steps:
        with leases.fenced(work.lease):
            _store(work, steps)


def _store(work: Slice, steps: Sequence[Step]) -> None:
    refused = [
        step.coupling.pk
        for step in steps
        if step.problem and step.coupling and step.coupling.is_intent
    ]
    Coupling.objects.filter(pk__in=refused, is_intent=True).delete()
    mark = {"to_crm_job": work.job.pk, "to_crm_at": datetime.now(UTC)}
    store_couplings(
        [
            (step.coupling, {**step.changes, **mark, "to_crm_outcome": step.outcome})
            for step in steps
            if step.changes and step.coupling
        ]
    )
    restorations.keep(work.job, Side.CRM, steps)
    for step in steps:
        step.changes, step.restored = {}, ()
    obstacles.keep(work.job, Side.LEDGER, steps)


def _account(work: Slice, rows: Sequence[Row], steps: Sequence[Step]) -> bool:
    """The page is done: what is left to store, the counters and the checkpoint, together.

    Whether the limit lets more records be touched.
    """
    tally = Tally()
    for step in steps:
        if step.outcome is not None:
            tally.add(step.outcome)
    position: dict[str, object] = {"after": str(rows[-1]["id"])}
    with leases.fenced(work.lease):
        _store(work, steps)
        leases.checkpoint(work.lease, position, tally)
    work.part.checkpoint = position
    return work.spend(tally.touched)
