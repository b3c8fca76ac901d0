"""The connection as work needs it: an open client, a shared gate, a verified organization."""

import threading
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.connections import secrets
from crmsync.connections.errors import Disabled, NotConnected, SetupUnfinished
from crmsync.connections.models import Connection, WorkerHeartbeat
from crmsync.dataverse import administration
from crmsync.dataverse.address import Hosts
from crmsync.dataverse.auth import (
    ApplicationTokens,
    Authority,
    CertificateTokens,
    PasswordTokens,
)
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import Throttled, WrongOrganization
from crmsync.dataverse.governor import Gate
from crmsync.dataverse.session import Channel, Tokens, open_session
from crmsync.dbclock import db_in

SERVICE_CODE_LENGTH = 50
SECRET_PLACE = "connection/1/secret"  # noqa: S105 - where it lies, not what it is

# One client a process: its pool, token and gate are shared by all parts that run here.
_clients: dict[tuple[str, str], Client] = {}
_clients_lock = threading.Lock()


def hosts() -> Hosts:
    return Hosts(sandbox=bool(settings.CRMSYNC_SANDBOX_PORT))


def get_connection() -> Connection:
    """The enabled connection. Raises NotConnected (SetupUnfinished is one) or Disabled."""
    connection = Connection.objects.first()
    if connection is None:
        raise NotConnected(_("This installation is not connected to Sales yet."))
    if connection.is_being_set_up:
        raise SetupUnfinished(_("The setup of the connection is not finished."))
    if not connection.is_enabled:
        raise Disabled(
            connection.why_disabled.in_short,
            cause=connection.disabled_code,
            service_code=connection.disabled_service_code,
        )
    return connection


def open_client(*, connection: Connection) -> Client:
    """A client that acts as the integration user, verified once to reach our organization.

    Raises what signing in can raise, SecretUnreadable, WrongOrganization, Throttled while the
    shared gate is closed, and before signing in Disabled where the connection is not enabled any
    more: wrong sign-ins add up until the account is locked.
    """
    key = (connection.origin, connection.sealed_secret)
    with _clients_lock:
        if key not in _clients:
            get_connection()
            if wait := gate_remaining():
                raise Throttled("Sales asked us to wait.", retry_after=wait)
            client = new_client(origin=connection.origin, tokens=stored_tokens(connection))
            _verify_organization(client, connection.organization_id)
            # A client of other credentials would keep a secret that was replaced.
            _clients.clear()
            _clients[key] = client
        return _clients[key]


def new_client(*, origin: str, tokens: Tokens) -> Client:
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    return Client(Channel(origin=origin, tokens=tokens, gate=Gate(), session=session))


def stored_tokens(connection: Connection) -> Tokens:
    """What the integration user signs in with, from the sealed secret. Raises SecretUnreadable."""
    secret = secrets.unseal(connection.sealed_secret, place=SECRET_PLACE)
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    authority = Authority(connection.authority_url, connection.tenant)
    origin, application_id = connection.origin, connection.application_id
    if connection.identity_kind == Connection.IdentityKind.PASSWORD:
        name = connection.integration_username
        return PasswordTokens(origin, authority, application_id, name, secret, session)
    by_certificate = connection.identity_kind == Connection.IdentityKind.CERTIFICATE
    kind = CertificateTokens if by_certificate else ApplicationTokens
    return kind(origin, authority, application_id, secret, session)


def prove(*, connection: Connection) -> None:
    """Sign in anew, by nothing that was kept in memory, and look which organization answers.

    One at a time, and only while that very connection is enabled: an earlier proof may have ended
    it. Raises what ``open_client`` raises, and Disabled for a connection that was replaced, too.
    """
    with _clients_lock:
        rows = Connection.objects.filter(is_enabled=True, **_as_looked_at(connection))
        if not rows.exists():
            raise Disabled(_("The connection was disabled or replaced meanwhile."))
        if wait := gate_remaining():
            raise Throttled("Sales asked us to wait.", retry_after=wait)
        client = new_client(origin=connection.origin, tokens=stored_tokens(connection))
        _verify_organization(client, connection.organization_id)


def note_answer(*, connection: Connection) -> None:
    """Sales answered the integration user of this connection just now."""
    rows = Connection.objects.filter(pk=connection.pk, origin=connection.origin)
    rows.filter(integration_user_id=connection.integration_user_id).update(answered_at=Now())


def disable(
    *,
    by: Actor,
    because: str = "",
    cause: str = "",
    service_code: str = "",
    worked_with: Connection | None = None,
) -> bool:
    """Disable the connection, once: by a person ``because``, or by the product for a ``cause``.

    With ``worked_with`` only that very connection: not one with other credentials, nor one that
    was disabled and enabled again since it was looked at. True when this call disabled it.
    """
    rows = Connection.objects.filter(is_enabled=True)
    if worked_with is not None:
        rows = rows.filter(**_as_looked_at(worked_with))
    with transaction.atomic():
        disabled = rows.update(
            is_enabled=False,
            disabled_because=because,
            disabled_code=cause,
            disabled_service_code=service_code[:SERVICE_CODE_LENGTH],
            disabled_at=Now(),
            disabled_by=by.name,
        )
        if disabled:
            _record_disabled(by, Connection.objects.get())
    return bool(disabled)


def _as_looked_at(connection: Connection) -> dict[str, Any]:
    names = ("origin", "organization_id", "sealed_secret", "disabled_at")
    return {name: getattr(connection, name) for name in names}


def _record_disabled(by: Actor, connection: Connection) -> None:
    codes = " ".join(filter(None, (connection.disabled_code, connection.disabled_service_code)))
    audit.record(
        act=Act.CONNECTION_DISABLED,
        by=by,
        subject=audit.Subject("connection", str(connection.pk), connection.organization_name),
        before={"enabled": True},
        after={"enabled": False, "reason": connection.disabled_because or codes},
    )


def forget_unfinished() -> None:
    """Remove a connection that a setup has stored and never enabled."""
    Connection.objects.filter(is_being_set_up=True).delete()


def _verify_organization(client: Client, organization_id: uuid.UUID) -> None:
    found = administration.who_am_i(client).organization_id
    if found != organization_id:
        raise WrongOrganization(
            f"{client.channel.origin} is now organization {found}, not {organization_id}."
        )


def close_gate(*, seconds: float) -> None:
    """Keep everybody from sending for this long; a shorter wait never shortens a longer one."""
    until = db_in(seconds)
    later = Q(gate_open_at__isnull=True) | Q(gate_open_at__lt=until)
    Connection.objects.filter(later).update(gate_open_at=until)


def gate_remaining() -> float:
    """Seconds until the shared gate opens, by the database's clock; 0.0 when open."""
    closed = Connection.objects.filter(gate_open_at__gt=Now())
    row = closed.annotate(db_now=Now()).values_list("gate_open_at", "db_now").first()
    if row is None or row[0] is None:
        return 0.0
    return max(0.0, (row[0] - row[1]).total_seconds())


def beat(*, worker: str) -> None:
    """Record that a worker process is alive."""
    if not WorkerHeartbeat.objects.filter(name=worker).update(seen_at=Now()):
        WorkerHeartbeat.objects.update_or_create(name=worker, defaults={"seen_at": Now()})


def last_sign_of_life() -> datetime | None:
    """When a worker process gave its latest one, by the database's clock."""
    found: datetime | None = WorkerHeartbeat.objects.aggregate(at=Max("seen_at"))["at"]
    return found


def workers_alive(*, within_seconds: int = 15) -> int:
    """How many worker processes gave a sign of life lately."""
    return WorkerHeartbeat.objects.filter(seen_at__gte=db_in(-within_seconds)).count()
