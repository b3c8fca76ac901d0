"""The first station of the phase *to CRM*: decide what is to be done with each ledger row."""

from collections.abc import Sequence
from typing import Any

from crmsync.sync import caution, owning, twins
from crmsync.sync.decide import Decision
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.sync.push_known import Known, Lookups, load_known
from crmsync.sync.sides import (
    FieldProblem,
    ParentMissing,
    SideValues,
    in_scope,
    ledger_side,
    request_body,
)
from crmsync.sync.slices import Slice
from crmsync.sync.steps import (
    Action,
    Problem,
    Step,
    agreed_by_now,
    compare,
    conflict_problem,
    is_changed,
    lost_write,
    problem_of,
    replaced,
    restored_values,
    tried_before,
)
from crmsync.terms import CouplingOrigin, FirstWinner, Outcome, Side


def plan(work: Slice, lookups: Lookups, rows: Sequence[dict[str, Any]]) -> list[Step]:
    known = load_known(work, [row["id"] for row in rows])
    lookups.resolver.prefetch_page(work.mapping, rows)
    steps = [_plan_row(work, lookups, row, known) for row in rows]
    twins.name_them(work.mapping, steps)
    caution.let_go(work)
    return steps


def _plan_row(work: Slice, lookups: Lookups, row: dict[str, Any], known: Known) -> Step:
    coupling = known.couplings.get(row["id"])
    obstacle = known.obstacles.get(row["id"])
    step = Step(row["id"], stamp=row["stamp"], had_obstacle=obstacle is not None)
    step.etag = known.etag(coupling)
    if caution.sets_aside(work, Side.LEDGER, step):
        return step
    try:
        if coupling is None:
            return _plan_uncoupled(work, lookups, row, step, known)
        step.coupling = coupling
        if coupling.is_intent:
            step.was_intended = True
            step.action, step.outcome = Action.CREATE, Outcome.INSERTED
            step.body = dict(coupling.intent_body or {})
            return step
        return _plan_coupled(work, lookups, row, step, known)
    except (FieldProblem, ParentMissing) as error:
        return step.refuse(problem_of(error))


def _plan_uncoupled(
    work: Slice, lookups: Lookups, row: dict[str, Any], step: Step, known: Known
) -> Step:
    mapping = work.mapping
    obstacle = known.obstacles.get(row["id"])
    earlier = tried_before(mapping, obstacle, work.job, stamp=row["stamp"], etag="")
    # Where missing rows are not created any more, what was refused then waits for nothing.
    if earlier and mapping.creates_in_crm:
        step.outcome = earlier
        return step
    ours = ledger_side(mapping, row, lookups.resolver)
    if mapping.unique_key:
        # Taken out: of two records with one key only the first can have the row.
        key = str(ours.canonical[mapping.unique_key])
        if record := lookups.take_by_key(work, key):
            return _couple(work, lookups, row, step, record, known, CouplingOrigin.UNIQUE_KEY)
    if not mapping.creates_in_crm:
        step.outcome = None
        return step
    own_id = known.identities.own_id(row["id"])
    if own_id in known.left_out:
        step.outcome = None
        return step
    if record := known.records.get(own_id):
        # A restored backup forgot the coupling; the row there is the one we made.
        return _couple(work, lookups, row, step, record, known, CouplingOrigin.CREATED)
    if found := lookups.twins(work, row["id"], ours.common):
        return step.refuse(twins.there(*found[0]))
    return _plan_create(work, lookups, row, step, ours, known)


def _plan_create(
    work: Slice,
    lookups: Lookups,
    row: dict[str, Any],
    step: Step,
    ours: SideValues,
    known: Known,
) -> Step:
    mapping, common, canonical = work.mapping, ours.common, ours.canonical
    crm_id = known.identities.own_id(row["id"])
    sent = [
        mapped.ledger
        for mapped in mapping.exchanged
        if mapped.ledger in common
        and mapped.direction.writes_crm
        and (mapped.is_required or common[mapped.ledger] is not None)
    ]
    owner = owning.of_created(mapping, work.connection, is_said=common)
    body = {
        mapping.crm.primary_key: str(crm_id),
        **mapping.crm_constants,
        **owner.body,
        **request_body(mapping, common, sent),
    }
    step.action, step.outcome, step.body = Action.CREATE, Outcome.INSERTED, body
    step.coupling = Coupling(
        mapping=mapping.name,
        ledger_id=row["id"],
        crm_table=mapping.crm.logical_name,
        crm_id=crm_id,
        generation=known.identities.generation(row["id"]),
        origin=CouplingOrigin.CREATED,
        is_intent=True,
        intent_body=body,
        first_winner=FirstWinner.LEDGER,
        agreed={
            **owner.agreed,
            **{name: value for name, value in canonical.items() if name in sent or value is None},
        },
        ledger_stamp=row["stamp"],
        has_unresolved=bool(ours.unresolved),
    )
    step.coupling.not_followed = owning.not_followed(
        mapping, step.coupling, row, owners_follow=lookups.resolver.owners_follow
    )
    return step


def _couple(
    work: Slice,
    lookups: Lookups,
    row: dict[str, Any],
    step: Step,
    record: CrmRecord,
    known: Known,
    origin: CouplingOrigin,
) -> Step:
    """Tie the record to a row that is certainly its own: by a unique key, or by the id we chose.

    With a unique key the declaration says that the ledger leads; a row found again after a
    restored backup may be newer than the ledger, so only blanks are filled.
    """
    is_key = origin is CouplingOrigin.UNIQUE_KEY
    step.coupling = Coupling(
        mapping=work.mapping.name,
        ledger_id=row["id"],
        crm_table=work.mapping.crm.logical_name,
        crm_id=record.crm_id,
        generation=known.identities.generation(row["id"]),
        origin=origin,
        first_winner=FirstWinner.LEDGER if is_key else FirstWinner.FILL_BLANKS,
    )
    _compare_pair(work, lookups, row, step, record)
    if step.problem is None:
        step.outcome = Outcome.COUPLED
    return step


def _plan_coupled(
    work: Slice, lookups: Lookups, row: dict[str, Any], step: Step, known: Known
) -> Step:
    coupling = step.coupling
    assert coupling is not None  # noqa: S101 - for the type checker; the caller looked
    record = known.records.get(coupling.crm_id)
    if coupling.to_crm_job == work.job.pk and coupling.to_crm_outcome:
        step.outcome = Outcome(coupling.to_crm_outcome)
        return step
    is_outdated = record is not None and record.etag == coupling.superseded_etag
    if record is None or (is_outdated and coupling.ledger_stamp != row["stamp"]):
        step.action = Action.READ_AGAIN
        return step
    if problem := _problem_there(work, record):
        return step.refuse(problem)
    obstacle = known.obstacles.get(row["id"])
    etag, stamp = record.etag, row["stamp"]
    if earlier := tried_before(work.mapping, obstacle, work.job, stamp=stamp, etag=etag):
        step.outcome = earlier
        return step
    if is_outdated:
        return step
    # A computed value, such as today's rate, changes without an edit.
    is_due = bool(obstacle or work.mapping.computed)
    if is_due or is_changed(coupling, stamp=row["stamp"], etag=record.etag):
        _compare_pair(work, lookups, row, step, record)
    if _is_new_by_key(coupling) and step.problem is None:
        step.outcome = Outcome.COUPLED
    return step


def _is_new_by_key(coupling: Coupling) -> bool:
    """Coupled by its unique key in this job, which then lost a worker before saying so."""
    return coupling.origin == CouplingOrigin.UNIQUE_KEY and not coupling.to_crm_outcome


def _problem_there(work: Slice, record: CrmRecord) -> Problem | None:
    """Why the row there cannot be written as it stands, if so."""
    mapping = work.mapping
    if record.is_deleted:
        return Problem(Outcome.UNDECIDED, "deleted_in_sales", "The row was deleted in Sales.")
    if mapping.crm_merge and record.values.get(mapping.crm_merge[0]):
        sentence = "The row was merged into one that is coupled with another record."
        return Problem(Outcome.UNDECIDED, "merged_in_sales", sentence)
    if not in_scope(mapping.crm_scope, record.values):
        sentence = "The row in Sales is inactive or of another type."
        return Problem(Outcome.SKIPPED, "out_of_scope_in_sales", sentence)
    return None


def _compare_pair(
    work: Slice, lookups: Lookups, row: dict[str, Any], step: Step, record: CrmRecord
) -> None:
    coupling = step.coupling
    assert coupling is not None  # noqa: S101 - for the type checker; the callers looked
    decision, ours, theirs = compare(work.mapping, coupling, row, record, lookups.resolver)
    step.etag = record.etag
    lost = lost_write(coupling, theirs)
    sent = {name: ours.canonical[name] for name in decision.to_crm}
    if sent and coupling.sent not in ({}, sent) and not lookups.is_certain(coupling, lost):
        # Before other values are sent: whether the earlier ones, without answer, got through.
        step.action = Action.READ_AGAIN
        return
    if lost and lost.job_id == work.job.pk and not decision.to_crm:
        # The row holds by now what this job was about to write: only the answer was lost.
        step.outcome = Outcome.MODIFIED
    body = request_body(work.mapping, ours.common, decision.to_crm)
    if decision.conflicts:
        step.problem = conflict_problem(decision.conflicts, coupling)
        step.outcome = step.problem.outcome
    if decision.to_crm:
        step.action, step.body, step.sent = Action.UPDATE, body, sent
        _describe_update(step, decision, ours, theirs)
    step.changes = {
        "agreed": {**agreed_by_now(coupling, theirs), **decision.equal, **sent},
        "ledger_stamp": row["stamp"],
        "has_unresolved": bool(ours.unresolved),
        "not_followed": owning.not_followed(
            work.mapping, coupling, row, owners_follow=lookups.resolver.owners_follow
        ),
    }
    if lost:
        step.happened.append(lost)
        step.changes |= {"sent": {}, "sent_fields": {}}
    # While something there waits to be brought here, the row still counts as changed there.
    waits = decision.to_ledger and work.mapping.direction.writes_ledger
    step.changes["crm_etag"] = "" if waits else record.etag


def _describe_update(step: Step, decision: Decision, ours: SideValues, theirs: SideValues) -> None:
    """What the update is to be called, and what it replaces: for counters, log and preview."""
    step.written = tuple(sorted(decision.to_crm))
    step.outcome = Outcome.UNDECIDED if decision.conflicts else Outcome.MODIFIED
    step.sent_fields = replaced(decision.to_crm, theirs.common, ours.common)
    step.restored = restored_values(decision.restored, theirs.common, ours.common)
