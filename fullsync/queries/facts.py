"""What lies around a run: who is alive, who needs attention, what else is under way."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import (
    BigIntegerField,
    CharField,
    Count,
    DateTimeField,
    F,
    Max,
    TextField,
    Value,
)
from django.db.models.functions import Cast

from crmsync.connections.models import WorkerHeartbeat
from crmsync.dbclock import db_in
from crmsync.sync.models import CrmTable, Job, Obstacle
from crmsync.terms import ACTIVE_STATES

SIGN_OF_LIFE_SECONDS = 15

_NO_TIME = Cast(Value(None), DateTimeField())


@dataclass(slots=True)
class Facts:
    """``attention`` and ``active_jobs`` are by mapping, ``full_reads`` by table there."""

    alive: int = 0
    last_sign_at: datetime | None = None
    attention: dict[str, int] = field(default_factory=dict)
    active_jobs: dict[str, int] = field(default_factory=dict)
    full_reads: dict[str, str] = field(default_factory=dict)

    def idle_since(self, requested_at: datetime | None) -> datetime | None:
        """Since when work that was asked for then has had no worker."""
        moments = [moment for moment in (self.last_sign_at, requested_at) if moment]
        return max(moments, default=None)


def look_around() -> Facts:
    """All of it in one question; no large table is counted."""
    beats = WorkerHeartbeat.objects.order_by()
    alive = beats.filter(seen_at__gte=db_in(-SIGN_OF_LIFE_SECONDS))
    obstacles = Obstacle.objects.order_by().values(about=F("mapping"))
    active = Job.objects.order_by().filter(state__in=ACTIVE_STATES)
    tables = CrmTable.objects.order_by().exclude(full_read_because="")
    empty = Value("", output_field=CharField())
    rows = _row("last", beats.values(about=empty), at=Max("seen_at")).union(
        _row("alive", alive.values(about=empty), n=Count("pk")),
        _row("attention", obstacles, n=Count("pk")),
        _row("active", active.values(about=F("mapping")), n=F("pk")),
        _row("full", tables.values(about=F("logical_name")), because=F("full_read_because")),
        all=True,
    )
    return _gather(rows)


def _row(
    kind: str,
    rows: Any,
    *,
    n: Any = None,
    at: Any = None,
    because: Any = None,
) -> Any:
    """One part of the union: every part has the same columns, in this order."""
    return rows.annotate(
        kind=Value(kind, output_field=CharField()),
        n=Cast(Value(0) if n is None else n, BigIntegerField()),
        at=_NO_TIME if at is None else at,
        because=Cast(Value("") if because is None else because, TextField()),
    ).values_list("kind", "about", "n", "at", "because")


def _gather(rows: Any) -> Facts:
    facts = Facts()
    for kind, about, n, at, because in rows:
        if kind == "last":
            facts.last_sign_at = at
        elif kind == "alive":
            facts.alive = n
        elif kind == "attention":
            facts.attention[about] = n
        elif kind == "active":
            facts.active_jobs[about] = n
        else:
            facts.full_reads[about] = because
    return facts
