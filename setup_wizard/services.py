"""Set up the connection: check everything live, then store everything at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from crmsync.connections import secrets
from crmsync.connections.models import Connection
from crmsync.connections.services import SECRET_PLACE
from crmsync.dataverse.administration import User
from crmsync.sync import services as sync
from crmsync.terms import Scope
from setup_wizard import preflight
from setup_wizard.preflight import Administrator, Environment, IntegrationUser, Prepared

__all__ = ["Administrator", "Connected", "IntegrationUser", "connect", "store"]


@dataclass(frozen=True, slots=True)
class Connected:
    organization_name: str
    origin: str
    integration_user: str


def connect(
    *,
    url: str,
    application_id: str,
    administrator: Administrator,
    integration_user: IntegrationUser,
    scopes: Sequence[Scope],
    by: str = "",
) -> Connected:
    """Check the environment, the administrator and the integration user, then store.

    ``application_id`` is the app registration through which users with a password sign in; an
    integration application uses its own. The administrator's password is exchanged for a token
    in this one call and kept nowhere. Raises SetupProblem, and stores nothing then.
    """
    environment = preflight.check_environment(url=url, application_id=application_id)
    token = preflight.sign_in_administrator(environment=environment, administrator=administrator)
    prepared = preflight.check_administrator(environment=environment, token=token)
    user = preflight.check_integration_user(
        environment=environment,
        token=token,
        administrator_id=prepared.user_id,
        integration_user=integration_user,
    )
    return store(
        environment=environment,
        prepared=prepared,
        integration_user=integration_user,
        user=user,
        scopes=scopes,
        by=by,
    )


def store(
    *,
    environment: Environment,
    prepared: Prepared,
    integration_user: IntegrationUser,
    user: User,
    scopes: Sequence[Scope],
    by: str,
) -> Connected:
    """Keep what was checked, all or nothing. Raises SetupProblem when it no longer holds."""
    is_application = integration_user.kind == Connection.IdentityKind.APPLICATION
    organization = prepared.organization
    with transaction.atomic():
        preflight.check_not_elsewhere(prepared.organization_id)
        _forget_the_former(environment, prepared)
        Connection.objects.update_or_create(
            pk=1,
            defaults={
                "origin": environment.origin,
                "organization_id": prepared.organization_id,
                "organization_name": organization.name,
                "base_currency_id": organization.base_currency_id,
                "base_currency_code": organization.base_currency_code,
                "authority_url": environment.authority.url,
                "tenant": environment.authority.tenant,
                "identity_kind": integration_user.kind,
                "application_id": (
                    integration_user.name if is_application else environment.application_id
                ),
                "integration_username": "" if is_application else integration_user.name,
                "integration_user_id": user.user_id,
                "integration_user_name": user.full_name,
                "sealed_secret": secrets.seal(integration_user.secret, place=SECRET_PLACE),
                "scopes": [scope.value for scope in scopes],
                "is_enabled": True,
                "disabled_because": "",
                "connected_at": Now(),
                "connected_by": by,
                "gate_open_at": None,
            },
        )
    return Connected(organization.name, environment.origin, user.full_name)


def _forget_the_former(environment: Environment, prepared: Prepared) -> None:
    """Links and rows of another address or organization would be followed and compared."""
    former = Connection.objects.first()
    if former is None:
        return
    is_other = former.organization_id != prepared.organization_id
    if is_other or former.origin != environment.origin:
        sync.forget_sales(rows=is_other)
