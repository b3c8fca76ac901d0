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

from django.conf import settings
from django.db import IntegrityError

from crmsync.dataverse.errors import (
    DataverseError,
    RecordError,
    RowMissing,
    TransientError,
    UnreadableAnswer,
    VersionConflict,
)
from crmsync.sync import (
    caution,
    changes,
    exclusions,
    leases,
    obstacles,
    owning,
    refresh,
    restorations,
)
from crmsync.sync.couplings import require_included, store_couplings
from crmsync.sync.leases import Tally
from crmsync.sync.models import Coupling
from crmsync.sync.push_known import Lookups, takes_create_multiple
from crmsync.sync.push_plan import plan
from crmsync.sync.sending import Sender, Sizes, break_in
from crmsync.sync.sides import CouplingResolver
from crmsync.sync.slices import Slice, send_all
from crmsync.sync.steps import Action, Problem, Step, Written
from crmsync.sync.walk import ledger_rows
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
    resolver = CouplingResolver.of(work.connection)
    return Pages(Lookups(resolver), Sizes.up_to(settings.CRMSYNC_MAX_MESSAGE_ROWS))


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
    rows = ledger_rows(mapping, work.job).annotate(**mapping.computed).order_by("pk")
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
            step.coupling.sent_fields = step.sent_fields
            new.append(step.coupling)
    updating = [
        step
        for step in steps
        if step.coupling and step.action is Action.UPDATE and not step.coupling._state.adding
    ]
    if not new and not updating:
        return
    try:
        with leases.fenced(work.lease):
            require_included(
                work.mapping, [*new, *(step.coupling for step in updating if step.coupling)]
            )
            Coupling.objects.bulk_create(new, batch_size=500)
            # What an earlier attempt wrote is known now, and the next one overwrites its trace.
            changes.keep(work.mapping, updating)
            store_couplings([_about_to_send(work, step) for step in updating])
    except IntegrityError as error:
        # Somebody coupled one of them in between; the page is read and decided again.
        raise TransientError("A record was coupled by somebody else meanwhile.") from error


def _about_to_send(work: Slice, step: Step) -> tuple[Coupling, dict[str, Any]]:
    assert step.coupling is not None  # noqa: S101 - for the type checker; the caller looked
    sent = {"sent": step.sent, "sent_fields": step.sent_fields, "sent_by_job": work.job.pk}
    return step.coupling, sent


def _send(work: Slice, pages: Pages, steps: Sequence[Step]) -> DataverseError | None:
    """Send what is to be created and updated, and keep the answers in short transactions."""
    creates = [step for step in steps if step.action is Action.CREATE]
    updates = [step for step in steps if step.action is Action.UPDATE]
    if not creates and not updates:
        return None
    try:
        creates = _without_left_out(work, _adopt_found(work, creates))
        takes_multiple = bool(creates) and takes_create_multiple(work)
    except TransientError as lost:
        return lost
    mapping = work.mapping
    team = owning.team_of(work.connection)
    sender = Sender(
        work.client,
        mapping.crm,
        pages.sizes,
        takes_multiple,
        mapping.crm_owner,
        team,
        work.part.broken_off,
    )
    answers, broken = send_all(work, sender.messages(creates, updates), break_in)
    caution.blame(work, answers, broken)
    for step, error in chain(*answers):
        _take_answer(work, step, error)
    _keep_results(work, [step for step, _ in chain(*answers) if step.action is Action.NOTHING])
    is_complete = all(
        step.action in (Action.NOTHING, Action.READ_AGAIN) for step in (*creates, *updates)
    )
    return None if is_complete else broken or UnreadableAnswer("Not every row was answered.")


def _adopt_found(work: Slice, creates: Sequence[Step]) -> list[Step]:
    """Look up intents of earlier attempts: those found there are ours. Returns what is missing."""
    attempted = [step.coupling.crm_id for step in creates if step.coupling and step.was_intended]
    if not attempted:
        return list(creates)
    found = work.ask(lambda: work.client.existing(work.mapping.crm, attempted))
    adopted = [step for step in creates if step.coupling and step.coupling.crm_id in found]
    for step in adopted:
        _succeeded(work, step)
    _keep_results(work, adopted)
    return [step for step in creates if step.action is Action.CREATE]


def _without_left_out(work: Slice, creates: Sequence[Step]) -> list[Step]:
    """An intent of a record that was left out since is not sent; it waits to be taken back in.

    So do all of them where missing rows are not created any more.
    """
    intended = [step.record_id for step in creates if step.was_intended]
    if not intended:
        return list(creates)
    left_out = exclusions.left_out_of(work.mapping, Side.LEDGER, intended)
    if not work.mapping.creates_in_crm:
        left_out = set(intended)
    for step in creates:
        if step.record_id in left_out:
            step.action, step.outcome = Action.NOTHING, None
    return [step for step in creates if step.action is Action.CREATE]


def _decide_anew(work: Slice, pages: Pages, rows: Sequence[Row], steps: list[Step]) -> None:
    """Read the rows there as they are now, and compare again."""
    ids = {row["id"] for row in rows}
    stale = [step.coupling for step in steps if step.coupling and step.record_id in ids]
    crm_ids = [coupling.crm_id for coupling in stale]
    refresh.read_again(work, crm_ids)
    pages.lookups.fresh.update(crm_ids)
    again = {step.record_id: step for step in plan(work, pages.lookups, rows)}
    steps[:] = [again.get(step.record_id, step) for step in steps]


# Station four: results.


def _take_answer(work: Slice, step: Step, error: DataverseError | None) -> None:
    """Turn one row's answer into its verdict; an error that is not its own leaves it as it was."""
    if step.problem is caution.ALWAYS_BREAKS:
        return
    if error is None:
        _succeeded(work, step)
    elif step.action is Action.UPDATE and isinstance(error, VersionConflict | RowMissing):
        step.action = Action.READ_AGAIN
    elif isinstance(error, RecordError):
        is_update = step.action is Action.UPDATE
        step.refuse(Problem(Outcome.FAILED, error.code, str(error), {"path": error.trace.path}))
        # It was answered: should the values ever stand there, somebody else wrote them.
        step.changes = {"sent": {}, "sent_fields": {}} if is_update else {}


def _succeeded(work: Slice, step: Step) -> None:
    if step.action is Action.CREATE:
        step.changes = {"is_intent": False, "intent_body": None}
        outcome = Outcome.INSERTED
    else:
        step.changes |= {"superseded_etag": step.etag, "sent": {}, "sent_fields": {}}
        outcome = Outcome.COUPLED if step.outcome is Outcome.COUPLED else Outcome.MODIFIED
    step.happened.append(Written(Side.CRM, outcome, work.job.pk, step.sent_fields))
    step.action = Action.NOTHING


def _keep_results(work: Slice, steps: Sequence[Step]) -> None:
    if steps:
        with leases.fenced(work.lease):
            _store(work, steps)
            leases.get_on(work.lease)


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
    changes.keep(work.mapping, steps)
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
