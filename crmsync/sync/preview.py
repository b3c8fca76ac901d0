"""What a pass over a mapping would do: the same decisions, with the writes left out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.dataverse.client import Client
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import pull, pull_plan, push, push_known, push_plan
from crmsync.sync.leases import Lease
from crmsync.sync.models import CrmRecord, Job, Part
from crmsync.sync.sides import CouplingResolver
from crmsync.sync.slices import Slice
from crmsync.sync.steps import Action, Step, compare
from crmsync.terms import Outcome, PhaseName

SAMPLES = 5


@dataclass(slots=True)
class Preview:
    """Per phase the number of records by outcome, and the field changes of a few records."""

    mapping: str
    outcomes: dict[PhaseName, Counter[Outcome]] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)


def preview(*, mappings: Sequence[str]) -> list[Preview]:
    """Walk the mappings in the order given; parents that would be created count as coupled.

    Reads only what was last read of Sales. Raises NotConnected, Disabled.
    """
    connection = connections.get_connection()
    client = connections.open_client(connection=connection)
    resolver = CouplingResolver.of(connection)
    return [_preview(get_mapping(name), connection, client, resolver) for name in mappings]


def _preview(
    mapping: TableMapping, connection: Connection, client: Client, resolver: CouplingResolver
) -> Preview:
    found = Preview(mapping.name)
    if mapping.direction.writes_ledger:
        work = _nobodys_slice(mapping, connection, client, PhaseName.FROM_CRM)
        from_crm = pull_plan.Lookups(resolver)
        counts = found.outcomes[PhaseName.FROM_CRM] = Counter()
        _walk(
            work,
            lambda: pull.load_records(work),
            lambda records: pull_plan.plan(work, from_crm, records),
            lambda record: record.crm_id,
            lambda steps, _: counts.update(_outcomes(steps)),
        )
    if mapping.direction.writes_crm:
        _preview_push(mapping, connection, client, resolver, found)
    return found


def _preview_push(
    mapping: TableMapping,
    connection: Connection,
    client: Client,
    resolver: CouplingResolver,
    found: Preview,
) -> None:
    work = _nobodys_slice(mapping, connection, client, PhaseName.TO_CRM)
    lookups = push_known.Lookups(resolver)
    counts = found.outcomes[PhaseName.TO_CRM] = Counter()

    def note(steps: Sequence[Step], rows: Sequence[Any]) -> None:
        counts.update(_outcomes(steps))
        for step, row in zip(steps, rows, strict=True):
            if step.coupling and step.outcome in (Outcome.INSERTED, Outcome.COUPLED):
                resolver.assume(mapping.name, step.record_id, step.coupling.crm_id)
            if step.action is Action.UPDATE and len(found.samples) < SAMPLES:
                found.samples.append(_sample(mapping, step, row, resolver))

    _walk(
        work,
        lambda: push.load_rows(work),
        lambda rows: push_plan.plan(work, lookups, rows),
        lambda row: row["id"],
        note,
    )


def _walk(
    work: Slice,
    load: Callable[[], Sequence[Any]],
    plan: Callable[[Any], Sequence[Step]],
    key: Callable[[Any], UUID],
    note: Callable[[Sequence[Step], Sequence[Any]], None],
) -> None:
    while items := load():
        note(plan(items), items)
        work.part.checkpoint = {"after": str(key(items[-1]))}


def _outcomes(steps: Sequence[Step]) -> list[Outcome]:
    return [step.outcome for step in steps if step.outcome is not None]


def _sample(
    mapping: TableMapping, step: Step, row: Mapping[str, Any], resolver: CouplingResolver
) -> dict[str, Any]:
    """The fields of one record that would change in Sales: what stands there, what would."""
    changes: dict[str, Any] = {}
    if step.coupling is not None:
        record = CrmRecord.objects.get(table=mapping.crm.logical_name, crm_id=step.coupling.crm_id)
        _, ours, theirs = compare(mapping, step.coupling, row, record, resolver)
        changes = {
            name: {"crm": theirs.common.get(name), "becomes": ours.common.get(name)}
            for name in step.written
        }
    return {"number": str(row[mapping.number]), "changes": changes}


def _nobodys_slice(
    mapping: TableMapping, connection: Connection, client: Client, phase: PhaseName
) -> Slice:
    """A slice without a lease: it can decide, and every write of it would be fenced off."""
    job = Job(mapping=mapping.name, phases=[phase], phase=phase)
    part = Part(job=job, phase=phase, ordinal=0)
    return Slice(Lease(0, 0), part, job, mapping, connection, client)
