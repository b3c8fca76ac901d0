"""Set up the connection: check everything live, then store everything at once.

The administrator's password is exchanged for a token in this one call and kept nowhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction

from crmsync.connections import secrets
from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.connections.services import SECRET_PLACE
from crmsync.dataverse import administration
from crmsync.dataverse.address import environment_origin
from crmsync.dataverse.auth import (
    ApplicationTokens,
    Authority,
    PasswordTokens,
    discover_authority,
)
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import (
    AddressRefused,
    DataverseError,
    NotAMember,
    SignInFailed,
    TransientError,
)
from crmsync.dataverse.session import Tokens, open_session
from crmsync.ledger.queries import get_company
from crmsync.sync import services as sync
from crmsync.sync.models import Coupling
from crmsync.terms import Scope
from setup_wizard.errors import SetupProblem

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who prepares Sales; used during setup only."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IntegrationUser:
    """Who synchronization acts as: a user with a password, or an application with a secret."""

    kind: Connection.IdentityKind
    name: str
    secret: str = field(repr=False)


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
) -> Connected:
    """Check the environment, the administrator and the integration user, then store.

    ``application_id`` is the app registration through which users with a password sign in; an
    integration application uses its own. Raises SetupProblem, and stores nothing then.
    """
    origin = _origin(url)
    authority = _authority(origin)
    admin = connections.new_client(
        origin=origin,
        tokens=_password_tokens(
            origin, authority, application_id, administrator.username, administrator.password
        ),
    )
    caller = _asked("admin-user", lambda: administration.who_am_i(admin))
    _check_administrator(admin, caller.user_id)
    organization = _asked("url", lambda: administration.organization(admin))
    _check_currency(organization.base_currency_code)
    _check_not_elsewhere(caller.organization_id)

    tokens = _integration_tokens(origin, authority, application_id, integration_user)
    acting = connections.new_client(origin=origin, tokens=tokens)
    found = _asked("integration-user", lambda: administration.who_am_i(acting))
    user = _asked("integration-user", lambda: administration.user(admin, found.user_id))
    _check_integration_user(user, administrator_id=caller.user_id)

    is_application = integration_user.kind == Connection.IdentityKind.APPLICATION
    with transaction.atomic():
        _forget_the_former(origin, caller.organization_id)
        Connection.objects.update_or_create(
            pk=1,
            defaults={
                "origin": origin,
                "organization_id": caller.organization_id,
                "organization_name": organization.name,
                "base_currency_id": organization.base_currency_id,
                "base_currency_code": organization.base_currency_code,
                "authority_url": authority.url,
                "tenant": authority.tenant,
                "identity_kind": integration_user.kind,
                "application_id": integration_user.name if is_application else application_id,
                "integration_username": "" if is_application else integration_user.name,
                "integration_user_id": found.user_id,
                "sealed_secret": secrets.seal(integration_user.secret, place=SECRET_PLACE),
                "scopes": [scope.value for scope in scopes],
                "is_enabled": True,
                "disabled_because": "",
                "gate_open_at": None,
            },
        )
    return Connected(organization.name, origin, user.full_name)


def _origin(url: str) -> str:
    try:
        return environment_origin(url, hosts=connections.hosts())
    except AddressRefused as error:
        raise SetupProblem(str(error), field="url", remedy=error.remedy) from error


def _authority(origin: str) -> Authority:
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    return _asked(
        "url", lambda: discover_authority(origin, session=session, hosts=connections.hosts())
    )


def _asked(field_name: str, question: Callable[[], Found]) -> Found:
    """Ask Sales; a refusal names the input that it concerns."""
    try:
        return question()
    except (SignInFailed, NotAMember) as error:
        raise SetupProblem(str(error), field=field_name, remedy=error.remedy) from error
    except TransientError as error:
        raise SetupProblem(
            str(error), field="url", remedy="Check the address and the network, then try again."
        ) from error
    except DataverseError as error:
        raise SetupProblem(str(error), field=field_name, remedy=error.remedy) from error


def _password_tokens(
    origin: str, authority: Authority, application_id: str, username: str, password: str
) -> PasswordTokens:
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    return PasswordTokens(origin, authority, application_id, username, password, session)


def _integration_tokens(
    origin: str, authority: Authority, application_id: str, user: IntegrationUser
) -> Tokens:
    if user.kind == Connection.IdentityKind.PASSWORD:
        return _password_tokens(origin, authority, application_id, user.name, user.secret)
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    return ApplicationTokens(origin, authority, user.name, user.secret, session)


def _check_administrator(client: Client, user_id: UUID) -> None:
    user = _asked("admin-user", lambda: administration.user(client, user_id))
    if not user.is_system_administrator:
        raise SetupProblem(
            f"{user.full_name} is not a System Administrator of this environment.",
            field="admin-user",
            remedy="Name a user who holds the role System Administrator, or have it assigned.",
        )


def _check_integration_user(user: administration.User, *, administrator_id: UUID) -> None:
    field_name = "integration-user"
    if user.user_id == administrator_id:
        raise SetupProblem(
            "The integration user is the administrator.",
            field=field_name,
            remedy="Name a dedicated user or application: changes it makes must be told apart.",
        )
    if user.is_disabled:
        raise SetupProblem(
            f"{user.full_name} is disabled in Sales.",
            field=field_name,
            remedy="Enable the user in Sales, or name another one.",
        )
    if user.is_system_administrator:
        raise SetupProblem(
            f"{user.full_name} is a System Administrator.",
            field=field_name,
            remedy="Take the role away: the integration user needs only the integration role.",
        )
    if not user.role_names:
        raise SetupProblem(
            f"{user.full_name} has no role in Sales.",
            field=field_name,
            remedy="Assign the integration role to the user in Sales.",
        )


def _check_currency(base_currency_code: str) -> None:
    company = get_company()
    if company is not None and company.local_currency_code != base_currency_code:
        raise SetupProblem(
            f"The base currency of Sales is {base_currency_code}, the local currency of "
            f"{company.name} is {company.local_currency_code}.",
            field="url",
            remedy="Connect an environment with the same base currency: it cannot be changed.",
        )


def _forget_the_former(origin: str, organization_id: UUID) -> None:
    """Links and rows of another address or organization would be followed and compared."""
    former = Connection.objects.first()
    if former and (former.origin, former.organization_id) != (origin, organization_id):
        sync.forget_sales(rows=former.organization_id != organization_id)


def _check_not_elsewhere(organization_id: UUID) -> None:
    """Couplings name rows of one organization; another one would not have them."""
    existing = Connection.objects.exclude(organization_id=organization_id).first()
    if existing and Coupling.objects.filter(removed_at__isnull=True).exists():
        raise SetupProblem(
            f"This installation is coupled with {existing.organization_name}.",
            field="url",
            remedy="Remove the couplings first, or use another installation.",
        )
