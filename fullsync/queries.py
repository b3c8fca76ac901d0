"""What a run looks like right now: true also when nobody works on it."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Min, Q, Sum
from django.db.models.functions import Now

from crmsync.connections import services as connections
from crmsync.connections.models import WorkerHeartbeat
from crmsync.mapping.registry import get_mapping
from crmsync.sync.errors import cause
from crmsync.sync.models import CrmRecord, CrmTable, Job, Obstacle, Part
from crmsync.terms import ACTIVE_STATES, JobState, Outcome, PhaseName, Side
from fullsync.models import FullSync, ReviewLine

COUNTERS = [outcome.value for outcome in Outcome]


@dataclass(frozen=True, slots=True)
class PhaseReport:
    """One phase of a line: its state and how many records had which outcome."""

    state: str
    seen: int
    outcomes: dict[str, int]


@dataclass(frozen=True, slots=True)
class LineReport:
    mapping: str
    state: str
    says: str
    attempt: int
    phases: dict[str, PhaseReport]
    needs_attention: int


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run; ``as_json`` gives plain values."""

    id: int
    state: str
    started_at: datetime
    finished_at: datetime | None
    workers_alive: int
    lines: tuple[LineReport, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Attention:
    """A record that waits for somebody: who it is, why, what to do and who can."""

    mapping: str
    side: str
    key: str
    outcome: str
    code: str
    sentence: str
    remedy: str
    who: str


def latest() -> FullSync | None:
    return FullSync.objects.order_by("-pk").first()


def report(full_sync: FullSync) -> Report:
    lines = full_sync.lines.select_related("job", "full_sync").order_by("ordinal")
    alive = connections.workers_alive()
    return Report(
        id=full_sync.pk,
        state=full_sync.state,
        started_at=full_sync.started_at,
        finished_at=full_sync.finished_at,
        workers_alive=alive,
        lines=tuple(_line(line, alive) for line in lines),
    )


def _line(line: ReviewLine, alive: int) -> LineReport:
    phases = _phases(line.job) if line.job else {}
    attention = Obstacle.objects.filter(mapping=line.mapping).count() if line.job else 0
    return LineReport(
        mapping=line.mapping,
        state=line.state,
        says=_says(line, alive, attention),
        attempt=line.attempt,
        phases=phases,
        needs_attention=attention,
    )


def _phases(job: Job) -> dict[str, PhaseReport]:
    names = [PhaseName(name) for name in job.phases]
    sums = {field: Sum(field) for field in ("seen", *COUNTERS)}
    found: dict[str, Any] = {
        row["phase"]: row for row in job.parts.values("phase").annotate(**sums).order_by()
    }
    return {
        name.value: PhaseReport(
            state=_phase_state(job, names, name),
            seen=found.get(name, {}).get("seen") or 0,
            outcomes={
                outcome: found[name][outcome]
                for outcome in COUNTERS
                if name in found and found[name][outcome]
            },
        )
        for name in names
    }


def _phase_state(job: Job, names: list[PhaseName], name: PhaseName) -> str:
    present = names.index(PhaseName(job.phase))
    if job.state == JobState.FINISHED or names.index(name) < present:
        return JobState.FINISHED
    return JobState(job.state) if names.index(name) == present else JobState.WAITING


def _says(line: ReviewLine, alive: int, attention: int) -> str:
    """What a person reads: never In Process when nobody works, never Finished when it is not."""
    if line.state == JobState.WAITING and line.full_sync.state not in ACTIVE_STATES:
        return "Not begun"
    if line.state == JobState.WAITING:
        return f"Waits for {', '.join(line.needs)}" if line.needs else "Waits to begin"
    if line.state == JobState.FINISHED:
        said = f"Finished, {attention} need attention" if attention else "Finished"
        table = get_mapping(line.mapping).crm.logical_name
        known = CrmTable.objects.filter(pk=table).exclude(full_read_because="").first()
        return f"{said}; read in full because {known.full_read_because}" if known else said
    if line.state == JobState.STOPPED:
        because = f"{line.job.error_sentence} {line.job.error_remedy}" if line.job else "no job"
        return f"Stopped: {because}"
    if line.state == JobState.CANCELLED:
        return "Cancelled"
    return _progress(line, alive)


def _progress(line: ReviewLine, alive: int) -> str:
    parts = Part.objects.filter(job=line.job, phase=line.job.phase if line.job else "")
    working = parts.filter(state=JobState.RUNNING, lease_until__gt=Now()).count()
    if working:
        return f"In Process, {working} working"
    waiting = parts.filter(not_before__gt=Now()).aggregate(
        until=Min("not_before"), because=Max("waits_because")
    )
    if waiting["until"]:
        return f"Waits until {waiting['until']:%H:%M:%S}: {waiting['because']}"
    if alive:
        return "Ready"
    seen = WorkerHeartbeat.objects.aggregate(at=Max("seen_at"))["at"]
    since = seen or (line.job.requested_at if line.job else None)
    return f"Waits for a worker since {since:%H:%M:%S}" if since else "Waits for a worker"


def attention(*, mappings: list[str] | None = None) -> list[Attention]:
    """Every record that needs somebody, by table and side."""
    obstacles = Obstacle.objects.order_by("mapping", "side", "code", "pk")
    if mappings is not None:
        obstacles = obstacles.filter(mapping__in=mappings)
    keys = _keys(list(obstacles))
    return [
        Attention(
            mapping=one.mapping,
            side=one.side,
            key=keys.get((one.mapping, one.side, one.record_id), str(one.record_id)),
            outcome=one.outcome,
            code=one.code,
            sentence=one.sentence,
            remedy=cause(one.code).remedy,
            who=cause(one.code).who,
        )
        for one in obstacles
    ]


def _keys(obstacles: list[Obstacle]) -> dict[tuple[str, str, Any], str]:
    """What people call these records: their number here, their name there."""
    found: dict[tuple[str, str, Any], str] = {}
    for name, side in {(one.mapping, one.side) for one in obstacles}:
        mapping = get_mapping(name)
        ids = [one.record_id for one in obstacles if (one.mapping, one.side) == (name, side)]
        if side == Side.LEDGER:
            rows = mapping.ledger._default_manager.filter(pk__in=ids)
            pairs = list(rows.values_list("pk", mapping.number))
        else:
            records = CrmRecord.objects.filter(table=mapping.crm.logical_name, crm_id__in=ids)
            pairs = [(one.crm_id, one.values.get(mapping.crm_title) or "") for one in records]
        found |= {(name, side, record_id): str(key) for record_id, key in pairs}
    return found


def totals(found: Report) -> dict[str, Counter[str]]:
    """Per table the outcomes of all its phases together."""
    return {
        line.mapping: sum((Counter(phase.outcomes) for phase in line.phases.values()), Counter())
        for line in found.lines
    }


def is_over(full_sync: FullSync) -> bool:
    return not FullSync.objects.filter(Q(pk=full_sync.pk), state__in=ACTIVE_STATES).exists()
