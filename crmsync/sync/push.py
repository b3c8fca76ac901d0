"""The phase *to CRM*: walk the ledger's records of a key range and write what changed to Sales.

A page goes through four stations: decide; commit the intents (ids and values of rows to be
created) before any request; send, with no transaction open; commit results, counters and
checkpoint together, where the epoch still holds.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from crmsync.dataverse.client import Update
from crmsync.dataverse.errors import (
    DataverseError,
    DuplicateRow,
    RecordError,
    RowMissing,
    TransientError,
    VersionConflict,
)
from crmsync.dataverse.governor import MessageSize
from crmsync.sync import caution, leases, obstacles, refresh, twins
from crmsync.sync.couplings import next_generations, store_couplings
from crmsync.sync.leases import Tally
from crmsync.sync.models import Coupling, CrmRecord, CrmTable, Obstacle, crm_row_id
from crmsync.sync.sides import (
    CouplingResolver,
    FieldProblem,
    ParentMissing,
    in_scope,
    ledger_side,
    request_body,
    scope_filter,
)
from crmsync.sync.slices import Slice, send_all
from crmsync.sync.steps import (
    Action,
    Problem,
    Step,
    compare,
    conflict_problem,
    is_changed,
    problem_of,
    tried_before,
)
from crmsync.terms import CouplingOrigin, FirstWinner, Outcome, Side

logger = logging.getLogger(__name__)

PAGE_ROWS = 1000
# A batch runs its operations one after the other, about 0.1 s each (field tests).
LARGEST_BATCH = 100
# Rounds of reading a row again and deciding anew before the page is left for later.
ROUNDS = 4


@dataclass(slots=True)
class Pages:
    """What one slice keeps from page to page."""

    resolver: CouplingResolver
    create_size: MessageSize
    batch_size: MessageSize
    twins_there: twins.Index | None = None
    unique_there: Mapping[str, CrmRecord] | None = None


@dataclass(slots=True)
class Known:
    """What the database holds about the records of a page."""

    couplings: Mapping[UUID, Coupling]
    records: Mapping[UUID, CrmRecord]
    obstacles: Mapping[UUID, Obstacle]
    generations: Mapping[UUID, int] = field(default_factory=dict)


def start(work: Slice) -> Pages:
    most = work.most_rows()
    return Pages(
        resolver=CouplingResolver(work.connection.base_currency_id),
        create_size=MessageSize(most),
        batch_size=MessageSize(min(most, LARGEST_BATCH), rows=50),
    )


def run_page(work: Slice, pages: Pages) -> bool:
    """Decide, write and account for one page; True while there is more.

    Raises LeaseLost, and whatever breaks the sending off after the answers that came were kept.
    """
    rows = load_rows(work)
    if not rows:
        return False
    caution.begin_or_end(work, [row["id"] for row in rows])
    rows = rows[:1] if work.is_cautious else rows
    if caution.is_suspect(work):
        steps = [Step(rows[0]["id"], stamp=rows[0]["stamp"]).refuse(caution.KILLS_WORKER)]
    else:
        steps = plan(work, pages, rows)
        broken = carry_out(work, pages, rows, steps)
        if broken is not None and not caution.gives_up(work, broken):
            raise broken
        if broken is not None:
            steps[0].refuse(caution.ALWAYS_BREAKS)
    _account(work, rows, steps)
    return not _limit_reached(work)


def load_rows(work: Slice) -> list[dict[str, Any]]:
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
    size = PAGE_ROWS
    if work.job.limit is not None:
        size = max(1, work.job.limit - part.checkpoint.get("touched", 0))
    return list(rows.values(*mapping.ledger_columns)[:size])


def plan(work: Slice, pages: Pages, rows: Sequence[dict[str, Any]]) -> list[Step]:
    known = _load_known(work, [row["id"] for row in rows])
    pages.resolver.prefetch_page(work.mapping, rows)
    return [_plan_row(work, pages, row, known) for row in rows]


def _load_known(work: Slice, ids: Sequence[UUID]) -> Known:
    mapping = work.mapping
    couplings = {
        coupling.ledger_id: coupling
        for coupling in Coupling.objects.filter(
            mapping=mapping.name, ledger_id__in=ids, removed_at__isnull=True
        )
    }
    records = {
        record.crm_id: record
        for record in CrmRecord.objects.filter(
            table=mapping.crm.logical_name,
            crm_id__in=[coupling.crm_id for coupling in couplings.values()],
        )
    }
    return Known(
        couplings,
        records,
        obstacles.of_page(mapping.name, Side.LEDGER, ids),
        next_generations(mapping.name, [one for one in ids if one not in couplings]),
    )


def _plan_row(work: Slice, pages: Pages, row: dict[str, Any], known: Known) -> Step:
    coupling = known.couplings.get(row["id"])
    obstacle = known.obstacles.get(row["id"])
    step = Step(row["id"], stamp=row["stamp"], had_obstacle=obstacle is not None)
    try:
        if coupling is None:
            return _plan_uncoupled(work, pages, row, step, known)
        step.coupling = coupling
        if coupling.is_intent:
            step.was_intended = True
            step.action, step.outcome = Action.CREATE, Outcome.INSERTED
            step.body = dict(coupling.intent_body or {})
            return step
        return _plan_coupled(work, pages, row, step, known)
    except (FieldProblem, ParentMissing) as error:
        return step.refuse(problem_of(error))


def _plan_uncoupled(
    work: Slice, pages: Pages, row: dict[str, Any], step: Step, known: Known
) -> Step:
    mapping = work.mapping
    obstacle = known.obstacles.get(row["id"])
    if earlier := tried_before(obstacle, work.job, stamp=row["stamp"], etag=""):
        step.outcome = earlier
        return step
    ours = ledger_side(mapping, row, pages.resolver)
    if mapping.unique_key:
        record = _unique_there(work, pages).get(str(ours.canonical[mapping.unique_key]))
        if record is not None:
            return _couple_by_key(work, pages, row, step, record, known)
    if not mapping.creates_in_crm:
        step.outcome = None
        return step
    if twin := twins.find(mapping, ours.common, _twins_there(work, pages)):
        return step.refuse(
            Problem(
                Outcome.UNDECIDED,
                "likely_twin",
                f"A row in Sales without counterpart has the same {twin[0]}.",
                {"field": twin[0], "crm_id": str(twin[1])},
            )
        )
    return _plan_create(work, row, step, ours.common, ours.canonical, ours.unresolved, known)


def _plan_create(
    work: Slice,
    row: dict[str, Any],
    step: Step,
    common: Mapping[str, Any],
    canonical: Mapping[str, Any],
    unresolved: frozenset[str],
    known: Known,
) -> Step:
    mapping = work.mapping
    generation = known.generations.get(row["id"], 1)
    crm_id = crm_row_id(
        organization_id=work.connection.organization_id,
        crm_table=mapping.crm.logical_name,
        ledger_id=row["id"],
        generation=generation,
    )
    sent = [
        mapped.ledger
        for mapped in mapping.fields
        if mapped.ledger in common
        and mapped.direction.writes_crm
        and (mapped.is_required or common[mapped.ledger] is not None)
    ]
    body = {
        mapping.crm.primary_key: str(crm_id),
        **mapping.crm_constants,
        **request_body(mapping, common, sent),
    }
    step.action, step.outcome, step.body = Action.CREATE, Outcome.INSERTED, body
    step.coupling = Coupling(
        mapping=mapping.name,
        ledger_id=row["id"],
        crm_table=mapping.crm.logical_name,
        crm_id=crm_id,
        generation=generation,
        origin=CouplingOrigin.CREATED,
        is_intent=True,
        intent_body=body,
        first_winner=FirstWinner.LEDGER,
        agreed={name: value for name, value in canonical.items() if name in sent or value is None},
        ledger_stamp=row["stamp"],
        has_unresolved=bool(unresolved),
    )
    return step


def _couple_by_key(
    work: Slice,
    pages: Pages,
    row: dict[str, Any],
    step: Step,
    record: CrmRecord,
    known: Known,
) -> Step:
    """The same unique key on both sides: the two are one, and the declaration says so."""
    step.coupling = Coupling(
        mapping=work.mapping.name,
        ledger_id=row["id"],
        crm_table=work.mapping.crm.logical_name,
        crm_id=record.crm_id,
        generation=known.generations.get(row["id"], 1),
        origin=CouplingOrigin.UNIQUE_KEY,
        first_winner=FirstWinner.LEDGER,
    )
    _compare_pair(work, pages, row, step, record)
    if step.problem is None:
        step.outcome = Outcome.COUPLED
    return step


def _plan_coupled(work: Slice, pages: Pages, row: dict[str, Any], step: Step, known: Known) -> Step:
    coupling = step.coupling
    assert coupling is not None  # noqa: S101 - for the type checker; the caller looked
    record = known.records.get(coupling.crm_id)
    if coupling.to_crm_job == work.job.pk and coupling.to_crm_outcome:
        step.outcome = Outcome(coupling.to_crm_outcome)
        return step
    if record is None or (
        coupling.superseded_etag
        and record.etag == coupling.superseded_etag
        and coupling.ledger_stamp != row["stamp"]
    ):
        step.action = Action.READ_AGAIN
        return step
    step.etag = record.etag
    if record.is_deleted:
        return step.refuse(
            Problem(Outcome.UNDECIDED, "deleted_in_sales", "The row was deleted in Sales.")
        )
    if not in_scope(work.mapping.crm_scope, record.values):
        return step.refuse(
            Problem(
                Outcome.SKIPPED,
                "out_of_scope_in_sales",
                "The row in Sales is inactive or of another type.",
            )
        )
    obstacle = known.obstacles.get(row["id"])
    if earlier := tried_before(obstacle, work.job, stamp=row["stamp"], etag=record.etag):
        step.outcome = earlier
        return step
    if coupling.superseded_etag and record.etag == coupling.superseded_etag:
        return step
    if obstacle or is_changed(coupling, stamp=row["stamp"], etag=record.etag):
        _compare_pair(work, pages, row, step, record)
    return step


def _compare_pair(
    work: Slice, pages: Pages, row: dict[str, Any], step: Step, record: CrmRecord
) -> None:
    coupling = step.coupling
    assert coupling is not None  # noqa: S101 - for the type checker; the callers looked
    decision, ours, _ = compare(work.mapping, coupling, row, record, pages.resolver)
    step.etag = record.etag
    body = request_body(work.mapping, ours.common, decision.to_crm)
    if decision.conflicts:
        step.problem = conflict_problem(decision.conflicts, coupling)
        step.outcome = step.problem.outcome
    agreed = {**coupling.agreed, **decision.equal}
    if decision.to_crm:
        step.action, step.body = Action.UPDATE, body
        step.written = tuple(sorted(decision.to_crm))
        step.outcome = Outcome.UNDECIDED if decision.conflicts else Outcome.MODIFIED
        agreed |= {name: ours.canonical[name] for name in decision.to_crm}
    step.changes = {
        "agreed": agreed,
        "ledger_stamp": row["stamp"],
        "has_unresolved": bool(ours.unresolved),
    }
    # While something there waits to be brought here, the row still counts as changed there.
    if not (decision.to_ledger and work.mapping.direction.writes_ledger):
        step.changes["crm_etag"] = record.etag


def _twins_there(work: Slice, pages: Pages) -> twins.Index:
    if pages.twins_there is None:
        pages.twins_there = twins.uncoupled_rows_there(work.mapping)
    return pages.twins_there


def _unique_there(work: Slice, pages: Pages) -> Mapping[str, CrmRecord]:
    """Rows there by the canonical form of the mapping's unique key, uncoupled ones only."""
    if pages.unique_there is None:
        mapped = work.mapping.field(work.mapping.unique_key)
        table = work.mapping.crm.logical_name
        coupled = Coupling.objects.filter(crm_table=table, removed_at__isnull=True)
        records = CrmRecord.objects.filter(table=table, is_deleted=False).exclude(
            crm_id__in=coupled.values("crm_id")
        )
        read = mapped.conversion.from_crm
        pages.unique_there = {
            str(mapped.conversion.canonical(read(record.values.get(mapped.crm), pages.resolver))): (
                record
            )
            for record in records
        }
    return pages.unique_there


# Stations two and three: intents, then requests.


def carry_out(
    work: Slice, pages: Pages, rows: Sequence[dict[str, Any]], steps: list[Step]
) -> DataverseError | None:
    """Commit intents, send, and keep what was answered; the error that broke it off, if any.

    ``steps`` holds the final verdicts afterwards, unless something broke it off.
    """
    commit_intents(work, steps)
    by_id = {row["id"]: row for row in rows}
    for _ in range(ROUNDS):
        broken = _send(work, pages, steps)
        if broken is not None:
            return broken
        stale = [step for step in steps if step.action is Action.READ_AGAIN]
        if not stale:
            return None
        _decide_anew(work, pages, [by_id[step.record_id] for step in stale], steps)
    return TransientError("Rows in Sales keep changing while they are written.")


def commit_intents(work: Slice, steps: Sequence[Step]) -> None:
    """Store the couplings of rows to be created and of new pairs, before any request."""
    couplings = [step.coupling for step in steps if step.coupling is not None]
    new = [coupling for coupling in couplings if coupling._state.adding]
    if not new:
        return
    try:
        with leases.fenced(work.lease):
            Coupling.objects.bulk_create(new, batch_size=500)
    except IntegrityError as error:
        # Somebody coupled one of them in between; the page is read and decided again.
        raise TransientError("A record was coupled by somebody else meanwhile.") from error


def _decide_anew(
    work: Slice, pages: Pages, rows: Sequence[dict[str, Any]], steps: list[Step]
) -> None:
    known = _load_known(work, [row["id"] for row in rows])
    refresh.read_again(work, [coupling.crm_id for coupling in known.couplings.values()])
    again = {step.record_id: step for step in plan(work, pages, rows)}
    steps[:] = [_after(step, again.get(step.record_id)) for step in steps]


def _after(earlier: Step, later: Step | None) -> Step:
    """A row that holds by now what we meant to write was written by us: the answer was lost."""
    if later is None:
        return earlier
    if earlier.written and later.action is Action.NOTHING and later.outcome is Outcome.UNCHANGED:
        later.outcome = Outcome.MODIFIED
    return later


def _send(work: Slice, pages: Pages, steps: list[Step]) -> DataverseError | None:
    """Send what is to be created and updated, and keep the answers in short transactions."""
    creates = [step for step in steps if step.action is Action.CREATE]
    updates = [step for step in steps if step.action is Action.UPDATE]
    if not creates and not updates:
        return None
    try:
        creates = _adopt_found(work, creates)
        takes_multiple = _takes_create_multiple(work) if creates else False
    except TransientError as lost:
        return lost
    messages = _messages(work, pages, creates, updates, takes_multiple=takes_multiple)
    answers, broken = send_all(work, messages)
    for answered in answers:
        for step, error in answered:
            _take_answer(step, error)
    _keep_results(work, [step for step, _ in chain(*answers) if step.action is Action.NOTHING])
    return broken or next(
        filter(_is_no_record_error, (error for _, error in chain(*answers))), None
    )


def _is_no_record_error(error: DataverseError | None) -> bool:
    return error is not None and not isinstance(error, RecordError)


Answered = list[tuple[Step, DataverseError | None]]


def _messages(
    work: Slice,
    pages: Pages,
    creates: Sequence[Step],
    updates: Sequence[Step],
    *,
    takes_multiple: bool,
) -> Iterator[Callable[[], Answered]]:
    """Messages of adaptive size, made one at a time as a thread becomes free."""
    position = 0
    while position < len(creates):
        size = pages.create_size.rows if takes_multiple else pages.batch_size.rows
        some = creates[position : position + size]
        position += len(some)
        send = _create_together if takes_multiple else _create_each
        yield _bound(send, work, pages, some)
    position = 0
    while position < len(updates):
        some = updates[position : position + pages.batch_size.rows]
        position += len(some)
        yield _bound(_update_each, work, pages, some)


def _bound(
    send: Callable[[Slice, Pages, Sequence[Step]], Answered],
    work: Slice,
    pages: Pages,
    steps: Sequence[Step],
) -> Callable[[], Answered]:
    return lambda: send(work, pages, steps)


def _create_together(work: Slice, pages: Pages, steps: Sequence[Step]) -> Answered:
    """All or nothing; a refusal says not of whom, so they are sent again one by one."""
    began = datetime.now(UTC)
    try:
        work.client.create_multiple(work.mapping.crm, [step.body for step in steps])
    except RecordError:
        return _create_each(work, pages, steps)
    seconds = (datetime.now(UTC) - began).total_seconds()
    pages.create_size.took(rows=len(steps), seconds=seconds)
    return [(step, None) for step in steps]


def _create_each(work: Slice, pages: Pages, steps: Sequence[Step]) -> Answered:
    """One by one in batches; a row that stands there under our own id is ours."""
    answered: Answered = []
    for start_at in range(0, len(steps), LARGEST_BATCH):
        some = steps[start_at : start_at + LARGEST_BATCH]
        errors = work.client.create_each(work.mapping.crm, [step.body for step in some])
        doubted = [
            step.coupling.crm_id
            for step, error in zip(some, errors, strict=True)
            if step.coupling and isinstance(error, DuplicateRow)
        ]
        ours = work.client.existing(work.mapping.crm, doubted) if doubted else {}
        answered += [
            (step, None if step.coupling and step.coupling.crm_id in ours else error)
            for step, error in zip(some, errors, strict=True)
        ]
    return answered


def _update_each(work: Slice, pages: Pages, steps: Sequence[Step]) -> Answered:
    began = datetime.now(UTC)
    updates = [
        Update(step.coupling.crm_id, step.body, step.etag) for step in steps if step.coupling
    ]
    errors = work.client.update_each(work.mapping.crm, updates)
    seconds = (datetime.now(UTC) - began).total_seconds()
    pages.batch_size.took(rows=len(steps), seconds=seconds)
    return list(zip(steps, errors, strict=True))


def _adopt_found(work: Slice, creates: Sequence[Step]) -> list[Step]:
    """Look up intents of earlier attempts: those found there are ours. Returns what is missing."""
    attempted = [step.coupling.crm_id for step in creates if step.coupling and step.was_intended]
    if attempted:
        found = work.ask(lambda: work.client.existing(work.mapping.crm, attempted))
        adopted = [step for step in creates if step.coupling and step.coupling.crm_id in found]
        for step in adopted:
            _take_answer(step, None)
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


# Station four: results.


def _take_answer(step: Step, error: DataverseError | None) -> None:
    """Turn one row's answer into its verdict; a transient one leaves the step as it was."""
    coupling = step.coupling
    if coupling is None or (error is not None and not isinstance(error, RecordError)):
        return
    if error is None:
        _succeeded(step)
    elif step.action is Action.UPDATE and isinstance(error, VersionConflict | RowMissing):
        step.action = Action.READ_AGAIN
    else:
        step.refuse(Problem(Outcome.FAILED, error.code, str(error), {"trace": error.trace.path}))


def _succeeded(step: Step) -> None:
    if step.action is Action.CREATE:
        step.changes = {"is_intent": False, "intent_body": None}
    else:
        step.changes["superseded_etag"] = step.etag
    step.action = Action.NOTHING


def _keep_results(work: Slice, steps: Sequence[Step]) -> None:
    if not steps:
        return
    with leases.fenced(work.lease):
        _store(work, steps)


def _store(work: Slice, steps: Sequence[Step]) -> None:
    refused = [
        step.coupling.pk
        for step in steps
        if step.problem and step.coupling and step.coupling.is_intent
    ]
    Coupling.objects.filter(pk__in=refused, is_intent=True).delete()
    changed = [step for step in steps if step.changes and step.coupling]
    mark = {"to_crm_job": work.job.pk, "to_crm_at": datetime.now(UTC)}
    store_couplings(
        [
            (step.coupling, {**step.changes, **mark, "to_crm_outcome": step.outcome})
            for step in changed
            if step.coupling
        ]
    )
    for step in changed:
        step.changes = {}
    obstacles.keep(work.job, Side.LEDGER, steps)


def _account(work: Slice, rows: Sequence[dict[str, Any]], steps: Sequence[Step]) -> None:
    """The page is done: what is left to store, the counters and the checkpoint, together."""
    tally = Tally()
    for step in steps:
        if step.outcome is not None:
            tally.add(step.outcome)
    changed = sum(n for outcome, n in tally.counts.items() if outcome is not Outcome.UNCHANGED)
    position = {
        "after": str(rows[-1]["id"]),
        "touched": work.part.checkpoint.get("touched", 0) + changed,
    }
    with leases.fenced(work.lease):
        _store(work, steps)
        leases.checkpoint(work.lease, position, tally)
    work.part.checkpoint = position


def _limit_reached(work: Slice) -> bool:
    limit = work.job.limit
    return limit is not None and work.part.checkpoint["touched"] >= limit
