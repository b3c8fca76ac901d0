"""What is to be done with one record, as decided; nothing here has effects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from uuid import UUID

from crmsync.mapping.types import TableMapping
from crmsync.sync import owning
from crmsync.sync.decide import Conflict, Decision, decide
from crmsync.sync.models import Coupling, CrmRecord, Job, Obstacle
from crmsync.sync.sides import (
    CouplingResolver,
    FieldProblem,
    ParentMissing,
    SideValues,
    crm_side,
    ledger_side,
    rules,
)
from crmsync.terms import ConflictPolicy, CouplingOrigin, FirstWinner, Outcome, Side


class Action(Enum):
    NOTHING = auto()
    CREATE = auto()
    UPDATE = auto()
    # What we know of the row there is older than what we need: read it, then decide again.
    READ_AGAIN = auto()


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record waits or is refused."""

    outcome: Outcome
    code: str
    sentence: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Restored:
    """A value that stood on the wrong side of a one-way field, and what replaces it."""

    field: str
    stood: Any
    becomes: Any


@dataclass(frozen=True, slots=True)
class Written:
    """A write that happened; ``fields`` says what stood there and what replaced it, by name."""

    side: Side
    outcome: Outcome
    job_id: int
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Step:
    """One record with its verdict.

    ``changes`` are attributes of the coupling that become true once the action has succeeded.
    ``was_intended``: the intent stood there before this page, so a request may have been sent.
    ``happened`` are writes that are certain and not kept on record yet.
    """

    record_id: UUID
    stamp: int | None = None
    etag: str = ""
    action: Action = Action.NOTHING
    outcome: Outcome | None = Outcome.UNCHANGED
    coupling: Coupling | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    was_intended: bool = False
    body: dict[str, Any] = field(default_factory=dict)
    problem: Problem | None = None
    had_obstacle: bool = False
    written: tuple[str, ...] = ()
    # Canonical values that go to Sales, and one-way fields that are written back.
    sent: dict[str, Any] = field(default_factory=dict)
    sent_fields: dict[str, Any] = field(default_factory=dict)
    restored: tuple["Restored", ...] = ()
    happened: list[Written] = field(default_factory=list)

    def refuse(self, problem: Problem) -> "Step":
        self.action, self.problem, self.outcome = Action.NOTHING, problem, problem.outcome
        # A lost answer that was found stays with the coupling, too, and is found again.
        self.changes, self.happened = {}, []
        return self


def tried_before(
    mapping: TableMapping, obstacle: Obstacle | None, job: Job, *, stamp: int | None, etag: str
) -> Outcome | None:
    """FAILED when this job tried the record as it is, SKIPPED when an earlier one did."""
    if obstacle is None or obstacle.outcome != Outcome.FAILED:
        return None
    if (obstacle.ledger_stamp, obstacle.crm_etag) != (stamp, etag):
        return None
    if obstacle.job_id == job.pk:
        return Outcome.FAILED
    if mapping.computed:
        # Its cause may be gone without an edit, such as a rate that begins today.
        return None
    return None if job.retries_failed else Outcome.SKIPPED


def compare(
    mapping: TableMapping,
    coupling: Coupling,
    row: Mapping[str, Any],
    record: CrmRecord,
    resolver: CouplingResolver,
) -> tuple[Decision, SideValues, SideValues]:
    """Decide on a coupled pair. Raises FieldProblem or ParentMissing."""
    compared = owning.without_not_followed(mapping, row, coupling.not_followed)
    ours = ledger_side(mapping, compared, resolver)
    theirs = crm_side(mapping, record.values, resolver)
    decision = decide(
        rules(mapping),
        ledger=ours.canonical,
        crm=theirs.canonical,
        agreed=agreed_by_now(coupling, theirs),
        first_winner=FirstWinner(coupling.first_winner),
        policy=ConflictPolicy(mapping.conflict_policy),
    )
    return decision, ours, theirs


def agreed_by_now(coupling: Coupling, theirs: SideValues) -> dict[str, Any]:
    """What was agreed; a value that was sent and stands there was, too: its answer was lost."""
    arrived = {
        name: value
        for name, value in coupling.sent.items()
        if name in theirs.canonical and theirs.canonical[name] == value
    }
    return {**coupling.agreed, **arrived}


def lost_write(coupling: Coupling, theirs: SideValues) -> Written | None:
    """The write whose answer never came, when the row shows that it got through.

    A row is written as a whole, so one value that arrived speaks for all; the others were edited
    there since.
    """
    arrived = any(
        name in theirs.canonical and theirs.canonical[name] == value
        for name, value in coupling.sent.items()
    )
    if not arrived or coupling.sent_by_job is None:
        return None
    is_first = coupling.origin == CouplingOrigin.UNIQUE_KEY and not coupling.to_crm_outcome
    outcome = Outcome.COUPLED if is_first else Outcome.MODIFIED
    return Written(Side.CRM, outcome, coupling.sent_by_job, dict(coupling.sent_fields))


def replaced(
    names: Iterable[str], stood: Mapping[str, Any], becomes: Mapping[str, Any]
) -> dict[str, Any]:
    """By field, what stands on a side and what is to replace it."""
    return {
        name: {"stood": stood.get(name), "becomes": becomes.get(name)} for name in sorted(names)
    }


def restored_values(
    names: Sequence[str], losing: Mapping[str, Any], winning: Mapping[str, Any]
) -> tuple[Restored, ...]:
    return tuple(Restored(name, losing.get(name), winning.get(name)) for name in names)


def is_changed(coupling: Coupling, *, stamp: int, etag: str) -> bool:
    return coupling.ledger_stamp != stamp or coupling.crm_etag != etag or coupling.has_unresolved


def problem_of(error: FieldProblem | ParentMissing) -> Problem:
    if isinstance(error, ParentMissing):
        details = {
            "field": error.field_name,
            "parent": error.parent,
            "parent_id": str(error.record_id),
        }
        return Problem(Outcome.DEFERRED, "parent_not_coupled", str(error), details)
    details = {"field": error.field_name, **error.details}
    return Problem(Outcome.FAILED, error.code, str(error), details)


def conflict_problem(conflicts: tuple[Conflict, ...], coupling: Coupling) -> Problem:
    """Both values of each field, for the person who decides."""
    first_time = any(conflict.field not in coupling.agreed for conflict in conflicts)
    names = ", ".join(conflict.field for conflict in conflicts)
    return Problem(
        Outcome.UNDECIDED,
        "first_values_differ" if first_time else "conflict",
        f"Both sides hold different values of {names}.",
        {
            "fields": {
                conflict.field: {"ledger": conflict.ledger, "crm": conflict.crm}
                for conflict in conflicts
            }
        },
    )
