"""The connection as work needs it: an open client, a shared gate, a verified organization."""

import threading
import uuid

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.connections import secrets
from crmsync.connections.errors import Disabled, NotConnected
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

SECRET_PLACE = "connection/1/secret"  # noqa: S105 - where it lies, not what it is

# One client a process: its pool, token and gate are shared by all parts that run here.
_clients: dict[tuple[str, str], Client] = {}
_clients_lock = threading.Lock()


def hosts() -> Hosts:
    return Hosts(sandbox=bool(settings.CRMSYNC_SANDBOX_PORT))


def get_connection() -> Connection:
    """The enabled connection. Raises NotConnected or Disabled."""
    connection = Connection.objects.first()
    if connection is None:
        raise NotConnected(_("This installation is not connected to Sales yet."))
    if not connection.is_enabled:
        raise Disabled(connection.disabled_because or _("The connection is disabled."))
    return connection


def open_client(*, connection: Connection) -> Client:
    """A client that acts as the integration user, verified once to reach our organization.

    Raises what signing in can raise, SecretUnreadable, WrongOrganization, and Throttled while the
    shared gate is closed.
    """
    key = (connection.origin, connection.sealed_secret)
    with _clients_lock:
        if key not in _clients:
            if wait := gate_remaining():
                raise Throttled("Sales asked us to wait.", retry_after=wait)
            client = new_client(origin=connection.origin, tokens=stored_tokens(connection))
            _verify_organization(client, connection.organization_id)
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


def workers_alive(*, within_seconds: int = 15) -> int:
    """How many worker processes gave a sign of life lately."""
    return WorkerHeartbeat.objects.filter(seen_at__gte=db_in(-within_seconds)).count()
