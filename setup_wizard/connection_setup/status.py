"""What the page of the connection shows: its settings, and how it stands at this moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync import health
from crmsync.availability.models import WebServiceKey
from crmsync.connections import secrets
from crmsync.connections import services as connections
from crmsync.connections.errors import SecretUnreadable
from crmsync.connections.models import Connection
from crmsync.mapping.registry import all_mappings
from crmsync.sync.models import Job, Obstacle
from crmsync.terms import ACTIVE_STATES, JobState, PhaseName
from setup_wizard.finish import receipt
from setup_wizard.finish.plan import ActName
from setup_wizard.guide import scopes
from setup_wizard.integration_solution import SOLUTION

KIND = Connection.IdentityKind


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whose program reads item availability."""

    user_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that seal what is stored. ``problem`` says why the secret does not open."""

    count: int
    is_newest: bool
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set. ``address`` is where Sales was told that these books are."""

    scopes: tuple[str, ...]
    identity: str
    identity_kind: str
    address: str
    ownership: str
    has_receipt: bool
    holders: tuple[Holder, ...]
    keys: Keys
    our_solution: str


@dataclass(frozen=True, slots=True)
class Running:
    """One table: the job that is under way, or how the latest over the whole table ended."""

    table: str
    job_id: int | None
    is_active: bool
    is_stopped: bool
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """As it stands now. ``closed_until``: Sales asked us to wait until then."""

    connection: Connection
    closed_until: datetime | None
    tables: tuple[Running, ...]
    workers_alive: int
    sign_of_life: datetime | None
    has_broker: bool
    waiting_records: int
    at: datetime

    @property
    def active(self) -> int:
        return sum(table.is_active for table in self.tables)

    @property
    def stopped(self) -> tuple[Running, ...]:
        return tuple(table for table in self.tables if table.is_stopped and not table.is_active)

    @property
    def ended_at(self) -> datetime | None:
        """When the latest pass over a whole table ended well."""
        ended = [one.finished_at for one in self.tables if one.finished_at and not one.is_stopped]
        return max(ended, default=None)


def status(connection: Connection) -> Status:
    gate, now = connection.gate_open_at, timezone.now()
    is_closed = connections.gate_remaining() > 0.0
    return Status(
        connection=connection,
        closed_until=gate if is_closed else None,
        tables=tuple(_tables(connection)),
        workers_alive=connections.workers_alive(),
        sign_of_life=connections.last_sign_of_life(),
        has_broker=health.broker().is_well,
        waiting_records=Obstacle.objects.count(),
        at=now,
    )


def _tables(connection: Connection) -> Iterator[Running]:
    active = dict(
        Job.objects.filter(state__in=ACTIVE_STATES).values_list("mapping", "pk").order_by("pk")
    )
    ended = _whole_tables().exclude(state__in=ACTIVE_STATES)
    latest_of = _latest_by_table(ended)
    finished_of = _latest_by_table(ended.filter(state=JobState.FINISHED))
    for mapping in all_mappings():
        if mapping.scope in connection.scopes:
            latest, finished = latest_of.get(mapping.name), finished_of.get(mapping.name)
            yield Running(
                table=str(mapping.caption),
                job_id=active.get(mapping.name) or (latest.pk if latest else None),
                is_active=mapping.name in active,
                is_stopped=latest is not None and latest.state == JobState.STOPPED,
                finished_at=finished.finished_at if finished else None,
            )


def _whole_tables() -> "QuerySet[Job]":
    """Jobs over a whole table; one that only read, or only looked at what changed, is none."""
    jobs = Job.objects.filter(only__isnull=True, limit__isnull=True, modified_only=False)
    return jobs.exclude(phases=[PhaseName.REFRESH])


def _latest_by_table(jobs: "QuerySet[Job]") -> dict[str, Job]:
    newest = jobs.order_by().values("mapping").annotate(newest=Max("pk")).values("newest")
    return {job.mapping: job for job in Job.objects.filter(pk__in=newest)}


def settings(connection: Connection) -> Settings:
    acts = connection.receipt.get("acts", {})
    by_password = connection.identity_kind == KIND.PASSWORD
    return Settings(
        scopes=scopes.captions(connection.scopes),
        identity=connection.integration_username if by_password else connection.application_id,
        identity_kind=_kind(KIND(connection.identity_kind)),
        address=acts.get(ActName.ADDRESS, {}).get("address", ""),
        ownership=_ownership(connection),
        has_receipt=bool(receipt.entries(connection.receipt)),
        holders=tuple(_holders()),
        keys=_keys(connection),
        our_solution=".".join(map(str, SOLUTION.version)),
    )


def removals(connection: Connection) -> list[receipt.Entry]:
    """What stays in Sales, with how it is removed there."""
    return [entry for entry in receipt.entries(connection.receipt) if entry.removal]


def _kind(kind: Connection.IdentityKind) -> str:
    return {
        KIND.APPLICATION: _("Application with a client secret"),
        KIND.CERTIFICATE: _("Application with a certificate"),
        KIND.PASSWORD: _("User with a password"),
    }[kind]


def _ownership(connection: Connection) -> str:
    named = {"name": connection.owner_name}
    if connection.ownership == Connection.Ownership.TEAM:
        return _("The team %(name)s") % named
    if connection.owner_name:
        return _("The salesperson's user, otherwise %(name)s") % named
    return _("The salesperson's user, otherwise the integration user")


def _holders() -> Iterator[Holder]:
    held = WebServiceKey.objects.select_related("user").order_by("user__username")
    return (Holder(key.user.pk, key.user.get_username()) for key in held)


def _keys(connection: Connection) -> Keys:
    """Opened to know, and dropped at once."""
    try:
        is_newest = secrets.is_sealed_with_newest_key(connection.sealed_secret)
        secrets.unseal(connection.sealed_secret, place=connections.SECRET_PLACE)
    except SecretUnreadable as error:
        count = secrets.keys_at_hand()
        return Keys(count, is_newest=False, problem=_(str(error)), remedy=str(error.remedy))
    return Keys(secrets.keys_at_hand(), is_newest=is_newest)
