"""Change of credentials: another secret of the same integration user, proved live, then sealed."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.connections import secrets
from crmsync.connections.models import Connection
from crmsync.connections.services import SECRET_PLACE
from crmsync.dataverse.auth import Authority
from crmsync.dataverse.certificates import Certificate, read_certificate
from setup_wizard.connection_setup.switching import changed_meanwhile, subject
from setup_wizard.connection_setup.trying import PRIVILEGES, WHO_ANSWERS, Probe, Trial, look
from setup_wizard.guide import preflight
from setup_wizard.guide.asking import asked
from setup_wizard.guide.preflight import Environment, IntegrationUser

KIND = Connection.IdentityKind


@dataclass(frozen=True, slots=True)
class Credentials:
    """``secret`` is a client secret, a PEM text with its private key, or a password."""

    kind: Connection.IdentityKind
    secret: str = field(repr=False)


def kinds_of(connection: Connection) -> tuple[Connection.IdentityKind, ...]:
    """How the same identity may sign in: an application with a secret or with a certificate."""
    if connection.identity_kind == KIND.PASSWORD:
        return (KIND.PASSWORD,)
    return (KIND.APPLICATION, KIND.CERTIFICATE)


def change(*, connection: Connection, given: Credentials, by: Actor) -> Trial:
    """Sign in with what is given; store it only if the same user of the same organization
    answers and may do its work. Workers take it up with their next slice.

    Raises SetupProblem for a certificate that will not do, and where the connection was changed
    meanwhile.
    """
    certificate = _certificate(given)
    environment = Environment(
        connection.origin,
        Authority(connection.authority_url, connection.tenant),
        connection.application_id,
    )
    by_password = given.kind == KIND.PASSWORD
    name = connection.integration_username if by_password else connection.application_id
    user = IntegrationUser(given.kind, name, given.secret)
    probe = Probe(connection, tokens=preflight.integration_tokens(environment, user))
    trial = look(probe, (*WHO_ANSWERS, PRIVILEGES))
    if trial.has_passed:
        _store(connection, given, certificate, by)
    return trial


def _certificate(given: Credentials) -> Certificate | None:
    if given.kind != KIND.CERTIFICATE:
        return None
    now: datetime = timezone.now()
    return asked("certificate", lambda: read_certificate(given.secret, now=now))


def _store(
    proved_for: Connection, given: Credentials, certificate: Certificate | None, by: Actor
) -> None:
    """For the connection that it was proved for; of two who change it the later one counts."""
    names = ("origin", "organization_id", "integration_user_id", "application_id")
    same = {name: getattr(proved_for, name) for name in names}
    expires_at = certificate.not_after if certificate else None
    with transaction.atomic():
        stored = Connection.objects.filter(is_being_set_up=False, **same).update(
            identity_kind=given.kind,
            sealed_secret=secrets.seal(given.secret, place=SECRET_PLACE),
            credential_expires_at=expires_at,
        )
        if not stored:
            raise changed_meanwhile()
        audit.record(
            act=Act.CREDENTIALS_CHANGED,
            by=by,
            subject=subject(proved_for),
            before=_told(proved_for.identity_kind, proved_for.credential_expires_at),
            after=_told(given.kind, expires_at) | {"credentials": "new"},
        )


def _told(kind: str, expires_at: datetime | None) -> dict[str, str]:
    until = expires_at.date().isoformat() if expires_at else ""
    return {"signs_in_with": KIND(kind).label, "valid_until": until}
