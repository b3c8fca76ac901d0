"""What Home says: how far the setup is, what needs attention, what to do next."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, Value
from django.urls import reverse
from django.utils.translation import gettext as _

from crmsync.connections.models import Connection, WorkerHeartbeat
from crmsync.dbclock import db_in
from crmsync.ledger.models import CompanyInformation
from crmsync.ledger.queries import get_company
from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Coupling, Job, Obstacle
from crmsync.terms import ACTIVE_STATES, JobState, PhaseName

SIGN_OF_LIFE_SECONDS = 15


@dataclass(frozen=True, slots=True)
class TableState:
    """One table in scope: how many are coupled, how many wait for somebody, when it last went."""

    mapping: TableMapping
    coupled: int
    attention: int
    succeeded_at: datetime | None
    is_running: bool


@dataclass(frozen=True, slots=True)
class Task:
    """A step towards a running synchronization; ``waits_for`` says why it cannot begin yet.

    ``is_begun``: part of it was done, and it can be gone on with.
    """

    caption: str
    url: str
    is_done: bool
    waits_for: str = ""
    is_begun: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """``connection`` is None as long as a setup of it has not ended, see ``is_being_set_up``."""

    company: CompanyInformation | None
    connection: Connection | None
    is_being_set_up: bool
    tables: tuple[TableState, ...]
    tasks: tuple[Task, ...]
    workers_alive: int

    @property
    def attention(self) -> int:
        return sum(table.attention for table in self.tables)


def look() -> Home:
    """Everything on the page, in four questions to the database."""
    company = get_company()
    stored = Connection.objects.first()
    is_being_set_up = stored is not None and stored.is_being_set_up
    connection = None if is_being_set_up else stored
    counts = _counts()
    tables = tuple(_tables(connection, counts))
    return Home(
        company=company,
        connection=connection,
        is_being_set_up=is_being_set_up,
        tables=tables,
        tasks=(
            *_tasks_to_connect(company, connection, is_begun=is_being_set_up),
            *_tasks_to_synchronize(connection, tables),
        ),
        workers_alive=counts.get(("workers", ""), 0),
    )


def _counts() -> dict[tuple[str, str], int]:
    """By kind and mapping: live couplings, obstacles; and the workers that are alive."""
    coupled = Coupling.objects.filter(removed_at__isnull=True, is_intent=False)
    workers = WorkerHeartbeat.objects.filter(seen_at__gte=db_in(-SIGN_OF_LIFE_SECONDS))
    found = (
        _counted("coupled", coupled.values("mapping"))
        .union(_counted("attention", Obstacle.objects.values("mapping")), all=True)
        .union(_counted("workers", workers.annotate(mapping=Value("")).values("mapping")), all=True)
    )
    return {(kind, mapping): n for mapping, kind, n in found}


def _counted(kind: str, rows: Any) -> Any:
    return (
        rows.order_by().annotate(kind=Value(kind), n=Count("*")).values_list("mapping", "kind", "n")
    )


def _tables(
    connection: Connection | None, counts: dict[tuple[str, str], int]
) -> Iterator[TableState]:
    scopes = set(connection.scopes) if connection else set()
    whole = Q(state=JobState.FINISHED, only__isnull=True, limit__isnull=True, modified_only=False)
    whole &= ~Q(phases=[PhaseName.REFRESH])
    jobs: dict[str, Any] = {
        row["mapping"]: row
        for row in Job.objects.values("mapping").annotate(
            at=Max("finished_at", filter=whole),
            active=Count("pk", filter=Q(state__in=ACTIVE_STATES)),
        )
    }
    for mapping in all_mappings():
        if mapping.scope in scopes:
            job = jobs.get(mapping.name, {})
            yield TableState(
                mapping=mapping,
                coupled=counts.get(("coupled", mapping.name), 0),
                attention=counts.get(("attention", mapping.name), 0),
                succeeded_at=job.get("at"),
                is_running=bool(job.get("active")),
            )


def _tasks_to_connect(
    company: CompanyInformation | None, connection: Connection | None, *, is_begun: bool
) -> Iterator[Task]:
    yield Task(_("Enter the company information"), reverse("frame:company"), company is not None)
    yield Task(
        _("Set up the connection to Dynamics 365 Sales"),
        reverse("setup_wizard:start"),
        is_done=connection is not None,
        waits_for="" if company else _("Company Information"),
        is_begun=is_begun,
    )


def _tasks_to_synchronize(
    connection: Connection | None, tables: Sequence[TableState]
) -> Iterator[Task]:
    """In the order in which they make sense; parents are coupled before their children."""
    coupled = {table.mapping.name: table.coupled > 0 for table in tables}
    for table in tables:
        if table.mapping.match_on:
            missing = [need for need in table.mapping.needs if not coupled.get(need, True)]
            matched = [need for need in missing if _is_matched(tables, need)]
            yield Task(
                _("Couple %(table)s") % {"table": str(table.mapping.caption).lower()},
                reverse("coupling:match", kwargs={"mapping": table.mapping.name}),
                table.coupled > 0,
                ", ".join(_caption(tables, need) for need in matched),
            )
    yield Task(
        _("Run Full Synchronization"),
        reverse("fullsync:review"),
        bool(tables) and all(table.succeeded_at for table in tables),
        "" if connection else _("Dynamics 365 Connection Setup"),
    )


def _is_matched(tables: Sequence[TableState], name: str) -> bool:
    return any(table.mapping.name == name and table.mapping.match_on for table in tables)


def _caption(tables: Sequence[TableState], name: str) -> str:
    return next(str(table.mapping.caption) for table in tables if table.mapping.name == name)
