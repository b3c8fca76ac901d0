"""The first station of the phase *from CRM*: decide what is to be done with each row there."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from crmsync.sync import caution, exclusions, identity, obstacles, owning, twins
from crmsync.sync.models import Coupling, CrmRecord, Obstacle
from crmsync.sync.sides import (
    CouplingResolver,
    FieldProblem,
    ParentMissing,
    crm_side,
    in_scope,
    ledger_values,
)
from crmsync.sync.slices import Slice
from crmsync.sync.steps import (
    Action,
    Problem,
    Step,
    Written,
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

# Records that share a number, a name or an address with a row; a common name has very many.
MOST_CANDIDATES = 50

Candidate = tuple[str, UUID]


@dataclass(slots=True)
class Lookups:
    """What one slice looks up once and keeps from page to page."""

    resolver: CouplingResolver
    twins_here: twins.Index | None = None
    dismissed: dict[UUID, set[UUID]] | None = None
    rows_of_left_out: set[UUID] | None = None

    def twins(self, work: Slice, crm_id: UUID, common: Mapping[str, Any]) -> list[Candidate]:
        """Records here that look like the row, and by which field; best first."""
        if self.twins_here is None or self.dismissed is None:
            self.twins_here = twins.uncoupled_records_here(work.mapping)
            self.dismissed = exclusions.dismissed_by(work.mapping, Side.CRM)
        dismissed = self.dismissed.get(crm_id, ())
        return twins.find(work.mapping, common, self.twins_here, dismissed)

    def belongs_to_left_out(self, work: Slice, crm_id: UUID) -> bool:
        """Whether we once made the row for a record that is left out, and a backup forgot it."""
        if self.rows_of_left_out is None:
            self.rows_of_left_out = identity.rows_of_left_out(work)
        return crm_id in self.rows_of_left_out


@dataclass(frozen=True, slots=True)
class Known:
    couplings: Mapping[UUID, Coupling]
    rows: Mapping[UUID, Mapping[str, Any]]
    obstacles: Mapping[UUID, Obstacle]


def plan(work: Slice, lookups: Lookups, records: Sequence[CrmRecord]) -> list[Step]:
    known = _load_known(work, records)
    steps = [_plan_record(work, lookups, record, known) for record in records]
    twins.name_them(work.mapping, steps)
    caution.let_go(work)
    return steps


def _load_known(work: Slice, records: Sequence[CrmRecord]) -> Known:
    mapping = work.mapping
    ids = [record.crm_id for record in records]
    couplings = {
        coupling.crm_id: coupling
        for coupling in Coupling.objects.filter(
            crm_table=mapping.crm.logical_name, crm_id__in=ids, removed_at__isnull=True
        )
    }
    scope = [condition.field for condition in mapping.ledger_scope]
    rows = (
        mapping.ledger._default_manager.filter(
            pk__in=[coupling.ledger_id for coupling in couplings.values()]
        )
        .annotate(**mapping.computed)
        .values(*dict.fromkeys((*mapping.ledger_columns, *scope)))
    )
    return Known(
        couplings,
        {row["id"]: row for row in rows},
        obstacles.of_page(mapping.name, Side.CRM, ids),
    )


def _plan_record(work: Slice, lookups: Lookups, record: CrmRecord, known: Known) -> Step:
    coupling = known.couplings.get(record.crm_id)
    obstacle = known.obstacles.get(record.crm_id)
    step = Step(record.crm_id, etag=record.etag, had_obstacle=obstacle is not None)
    if not in_scope(work.mapping.crm_scope, record.values):
        step.outcome = None
        return step
    if caution.sets_aside(work, Side.CRM, step):
        return step
    try:
        if coupling is None:
            return _plan_insert(work, lookups, record, step, obstacle)
        if not _is_mine(work, coupling):
            step.outcome = None
            return step
        step.coupling = coupling
        return _plan_coupled(work, lookups, record, step, known)
    except (FieldProblem, ParentMissing) as error:
        return step.refuse(problem_of(error))


def _plan_insert(
    work: Slice, lookups: Lookups, record: CrmRecord, step: Step, obstacle: Obstacle | None
) -> Step:
    mapping = work.mapping
    if not mapping.creates_in_ledger:
        step.outcome = None
        return step
    if earlier := tried_before(mapping, obstacle, work.job, stamp=None, etag=record.etag):
        step.outcome = earlier
        return step
    theirs = crm_side(mapping, record.values, lookups.resolver)
    if found := lookups.twins(work, record.crm_id, theirs.common):
        if own := _own_row(work, record, [ledger_id for _, ledger_id in found]):
            step.coupling, step.outcome = own, Outcome.COUPLED
            return step
        return step.refuse(twins.here(*found[0]))
    if lookups.belongs_to_left_out(work, record.crm_id):
        step.outcome = None
        return step
    names = [
        mapped.ledger
        for mapped in mapping.exchanged
        if mapped.direction.writes_ledger and mapped.ledger in theirs.common
    ]
    values, unresolved = ledger_values(mapping, theirs.common, names, lookups.resolver)
    step.action, step.outcome, step.body = Action.CREATE, Outcome.INSERTED, values
    step.happened.append(Written(Side.LEDGER, Outcome.INSERTED, work.job.pk))
    step.coupling = Coupling(
        mapping=mapping.name,
        ledger_id=uuid.uuid4(),
        crm_table=mapping.crm.logical_name,
        crm_id=record.crm_id,
        origin=CouplingOrigin.CREATED,
        first_winner=FirstWinner.CRM,
        agreed={name: theirs.canonical[name] for name in names if name not in unresolved},
        crm_etag=record.etag,
        has_unresolved=bool(unresolved),
        from_crm_job=work.job.pk,
        from_crm_outcome=Outcome.INSERTED,
        from_crm_at=datetime.now(UTC),
    )
    return step


def _is_mine(work: Slice, coupling: Coupling) -> bool:
    """Another mapping's row is none of ours; the row of an intent is adopted by the phase to CRM,
    unless the record that it was made for was deleted meanwhile, or that phase walks no more.
    """
    if coupling.mapping != work.mapping.name:
        return False
    if not work.mapping.direction.writes_crm:
        return True
    records = work.mapping.ledger._default_manager.filter(pk=coupling.ledger_id)
    return not (coupling.is_intent and records.exists())


def _own_row(work: Slice, record: CrmRecord, candidates: Sequence[UUID]) -> Coupling | None:
    """The coupling that a restored backup forgot: the row has the id we would choose for it."""
    mapping = work.mapping
    candidates = list(dict.fromkeys(candidates))[:MOST_CANDIDATES]
    identities = identity.of_uncoupled(work, candidates)
    ledger_id = next((one for one in candidates if identities.own_id(one) == record.crm_id), None)
    if ledger_id is None:
        return None
    return Coupling(
        mapping=mapping.name,
        ledger_id=ledger_id,
        crm_table=mapping.crm.logical_name,
        crm_id=record.crm_id,
        generation=identities.generation(ledger_id),
        origin=CouplingOrigin.CREATED,
        first_winner=FirstWinner.FILL_BLANKS,
    )


def _plan_coupled(
    work: Slice, lookups: Lookups, record: CrmRecord, step: Step, known: Known
) -> Step:
    coupling = step.coupling
    assert coupling is not None  # noqa: S101 - for the type checker; the caller looked
    row = known.rows.get(coupling.ledger_id)
    if row is None:
        return step.refuse(
            Problem(
                Outcome.UNDECIDED,
                "deleted_in_ledger",
                f"The record of row {record.crm_id} was deleted in Financials.",
            )
        )
    if not in_scope(work.mapping.ledger_scope, row):
        step.outcome = None
        return step
    step.stamp = row["stamp"]
    obstacle = known.obstacles.get(record.crm_id)
    stamp, etag = row["stamp"], record.etag
    if earlier := tried_before(work.mapping, obstacle, work.job, stamp=stamp, etag=etag):
        step.outcome = earlier
        return step
    if record.etag == coupling.superseded_etag:
        return step
    is_due = bool(obstacle or work.mapping.computed)
    if is_due or is_changed(coupling, stamp=row["stamp"], etag=record.etag):
        _compare_pair(work, lookups, row, step, record)
    return step


def _compare_pair(
    work: Slice, lookups: Lookups, row: Mapping[str, Any], step: Step, record: CrmRecord
) -> None:
    coupling = step.coupling
    assert coupling is not None  # noqa: S101 - for the type checker; the caller looked
    decision, ours, theirs = compare(work.mapping, coupling, row, record, lookups.resolver)
    values, unresolved = ledger_values(
        work.mapping, theirs.common, decision.to_ledger, lookups.resolver
    )
    written = decision.to_ledger - unresolved
    agreed = {**agreed_by_now(coupling, theirs), **decision.equal}
    agreed |= {name: theirs.canonical[name] for name in written}
    step.changes = {
        "agreed": agreed,
        "crm_etag": record.etag,
        "superseded_etag": "",
        "ledger_stamp": row["stamp"] + (1 if written else 0),
        "has_unresolved": bool(ours.unresolved or unresolved),
        "not_followed": owning.not_followed(
            work.mapping, coupling, row, owners_follow=lookups.resolver.owners_follow
        ),
    }
    if coupling.is_intent:
        # We read the row that was to be created: only the answer to that was lost.
        job_id = coupling.sent_by_job or work.job.pk
        step.happened.append(Written(Side.CRM, Outcome.INSERTED, job_id))
        step.changes |= {"is_intent": False, "intent_body": None, "sent": {}, "sent_fields": {}}
    elif lost := lost_write(coupling, theirs):
        step.happened.append(lost)
        step.changes |= {"sent": {}, "sent_fields": {}}
    if written:
        step.action, step.body, step.written = Action.UPDATE, values, tuple(sorted(written))
        step.outcome = Outcome.MODIFIED
        step.restored = restored_values(decision.restored, ours.common, theirs.common)
        fields = replaced(written, ours.common, theirs.common)
        step.happened.append(Written(Side.LEDGER, Outcome.MODIFIED, work.job.pk, fields))
    if work.mapping.direction.writes_crm and (decision.to_crm or decision.conflicts):
        # The phase to CRM sends what waits here, and reports what waits for a person: for it the
        # record still counts as changed.
        step.changes["ledger_stamp"] = None
    elif decision.conflicts:
        step.problem = conflict_problem(decision.conflicts, coupling)
        step.outcome = step.problem.outcome
