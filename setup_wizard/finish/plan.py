"""What was agreed to and is made true by the finish, act by act; and what the acts remember."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from django.utils import timezone

from crmsync.audit.actors import Actor
from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.dataverse.certificates import read_certificate
from crmsync.dataverse.client import Client
from crmsync.dataverse.session import Tokens
from crmsync.terms import Scope
from setup_wizard.guide import preflight
from setup_wizard.guide.asking import asked
from setup_wizard.guide.ownership import AS_SALES_DOES, OwnerChoice
from setup_wizard.guide.preflight import Environment, IntegrationUser

Found = TypeVar("Found")
Facts = Mapping[str, Any]


class ActName(StrEnum):
    """As they are stored, in the order in which they are done."""

    SOLUTION = "solution"
    USER = "user"
    ROLES = "roles"
    TRACKING = "tracking"
    STORED = "stored"
    VERIFIED = "verified"
    ADDRESS = "address"
    COUNTERPART = "counterpart"
    ENABLED = "enabled"


class State(StrEnum):
    OPEN = "open"
    WAITING = "waiting"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``admin`` acts as the administrator, None where nothing is changed in Sales; ``acting`` as
    the integration user.

    ``tracked`` are tables of Sales whose change tracking may be switched on. ``address`` is where
    people open our pages, blank where nobody said. ``expect_wanted`` is called in a transaction
    that stores something of the setup, and raises SetupProblem where it was cancelled meanwhile;
    ``conclude`` ends it in the transaction that enables the connection. ``redeploys``: the solution
    is imported even where it is there. ``before`` has what this setup did for answers that were
    changed since, its ``deeds`` and ``accesses``. ``expect_no_import`` raises SetupProblem
    while somebody else's import may go on.
    """

    environment: Environment
    admin: Client | None
    acting: Client
    integration_user: IntegrationUser
    scopes: tuple[Scope, ...]
    tracked: tuple[str, ...]
    address: str
    by: Actor
    expires_at: datetime | None = None
    administrator: str = ""
    redeploys: bool = False
    owner: OwnerChoice = AS_SALES_DOES
    before: Facts = field(default_factory=dict)
    expect_no_import: Callable[[], None] = lambda: None
    expect_wanted: Callable[[], None] = lambda: None
    conclude: Callable[[], None] = lambda: None

    @property
    def reader(self) -> Client:
        """Whoever may look around in Sales."""
        return self.admin or self.acting

    @property
    def reader_field(self) -> str:
        """The input that a refused sign-in of the reader concerns."""
        return "admin-user" if self.admin else "integration-user"


@dataclass(frozen=True, slots=True)
class Memory:
    """Facts by act; ``store`` makes them durable before ``keep`` returns."""

    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    store: Callable[[], None] = lambda: None

    def of(self, act: ActName) -> Facts:
        return self.facts.get(act, {})

    def keep(self, act: ActName, **facts: Any) -> Facts:
        """Remember these facts beside those that are known of the act."""
        self.facts[act] = {**self.facts.get(act, {}), **facts}
        self.store()
        return self.facts[act]

    def did(self, act: ActName, administrator: str, **facts: Any) -> Facts:
        """Remember what is about to be changed in Sales, and as whom."""
        by = dict.fromkeys([*self.of(act).get("by", []), administrator])
        return self.keep(act, by=list(by), **facts)

    def forget(self, act: ActName, *names: str) -> None:
        for name in names:
            self.facts.get(act, {}).pop(name, None)
        self.store()

    @property
    def user_id(self) -> UUID:
        """The integration user in Sales; only once that act is done."""
        return UUID(self.of(ActName.USER)["user_id"])


# Returns whether the act is done; else it waits for Sales. Raises SetupProblem.
Act = Callable[[Plan, Memory], bool]


def plan(
    *,
    environment: Environment,
    token: Tokens | None,
    integration_user: IntegrationUser,
    scopes: tuple[Scope, ...],
    tracked: tuple[str, ...],
    by: Actor,
    address: str = "",
    administrator: str = "",
    redeploys: bool = False,
    owner: OwnerChoice = AS_SALES_DOES,
    before: Facts | None = None,
    expect_no_import: Callable[[], None] = lambda: None,
    expect_wanted: Callable[[], None] = lambda: None,
    conclude: Callable[[], None] = lambda: None,
) -> Plan:
    """A plan whose clients ask nothing before its acts do. Without a ``token`` nothing is changed
    in Sales, only checked."""
    acting = preflight.integration_tokens(environment, integration_user)
    return Plan(
        environment=environment,
        admin=connections.new_client(origin=environment.origin, tokens=token) if token else None,
        acting=connections.new_client(origin=environment.origin, tokens=acting),
        integration_user=integration_user,
        scopes=scopes,
        tracked=tracked,
        address=address,
        by=by,
        expires_at=_expiry(integration_user),
        administrator=administrator,
        redeploys=redeploys,
        owner=owner,
        before=before or {},
        expect_no_import=expect_no_import,
        expect_wanted=expect_wanted,
        conclude=conclude,
    )


def _expiry(user: IntegrationUser) -> datetime | None:
    """When the certificate ends; Sales does not tell when a secret or a password does."""
    if user.kind != Connection.IdentityKind.CERTIFICATE:
        return None
    return asked("certificate", lambda: read_certificate(user.secret, now=now())).not_after


def now() -> datetime:
    return timezone.now()
