"""What is checked live before anything is stored: environment, administrator, integration user.

Every check raises SetupProblem, which names the input that it concerns, and returns what it saw.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.connections.wording import Wording, of_error
from crmsync.dataverse import administration
from crmsync.dataverse.address import environment_origin
from crmsync.dataverse.auth import (
    ApplicationTokens,
    Authority,
    BearerToken,
    PasswordTokens,
    discover_authority,
)
from crmsync.dataverse.errors import AddressRefused, DataverseError, SignInFailed, TransientError
from crmsync.dataverse.session import Tokens, open_session
from crmsync.ledger.models import CompanyInformation
from crmsync.ledger.queries import get_company
from crmsync.sync.models import Coupling
from crmsync.terms import Experience
from setup_wizard import wording
from setup_wizard.errors import CompanyNotReady, SetupProblem, TryAgain

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
class Environment:
    """An environment that answered, the token service that it named, and how users sign in."""

    origin: str
    authority: Authority
    application_id: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the administrator saw there."""

    user_id: UUID
    full_name: str
    organization_id: UUID
    organization: administration.Organization


def company_obstacle(company: CompanyInformation | None) -> CompanyNotReady | None:
    """Why this company cannot be connected; None when it can."""
    if company is None:
        return CompanyNotReady(
            _("The company information is not entered yet."),
            field="",
            remedy=_("Enter it first: its currency is compared with that of Sales."),
        )
    if company.experience != Experience.SUITE:
        return CompanyNotReady(
            _("The company uses the Basic experience."),
            field="",
            remedy=_("Change the experience to Suite: the connection needs it."),
        )
    return None


def check_environment(*, url: str, application_id: str) -> Environment:
    """The environment behind what a person typed, asked which tenant it belongs to."""
    try:
        origin = environment_origin(url, hosts=connections.hosts())
    except AddressRefused as error:
        raise _problem(wording.of_address(error, typed=url), "url") from error
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    authority = asked(
        "url", lambda: discover_authority(origin, session=session, hosts=connections.hosts())
    )
    return Environment(origin, authority, application_id)


def sign_in_administrator(*, environment: Environment, administrator: Administrator) -> BearerToken:
    """Exchange the password for a token; the password is not needed after that."""
    tokens = _password_tokens(environment, administrator.username, administrator.password)
    return asked("admin-user", tokens.exchange)


def check_administrator(*, environment: Environment, token: Tokens) -> Prepared:
    """A System Administrator, of an organization that this company can be connected with."""
    client = connections.new_client(origin=environment.origin, tokens=token)
    caller = asked("admin-user", lambda: administration.who_am_i(client))
    user = asked("admin-user", lambda: administration.user(client, caller.user_id))
    if not user.is_system_administrator:
        raise SetupProblem(
            _("%(name)s is not a System Administrator of this environment.")
            % {"name": user.full_name},
            field="admin-user",
            remedy=_("Name a user who holds the role System Administrator, or have it assigned."),
        )
    organization = asked("url", lambda: administration.organization(client))
    _check_currency(organization.base_currency_code)
    check_not_elsewhere(caller.organization_id)
    return Prepared(user.user_id, user.full_name, caller.organization_id, organization)


def check_integration_user(
    *,
    environment: Environment,
    token: Tokens,
    administrator_id: UUID,
    integration_user: IntegrationUser,
) -> administration.User:
    """Sign in as the integration user; the administrator's ``token`` reads its roles."""
    admin = connections.new_client(origin=environment.origin, tokens=token)
    acting = connections.new_client(
        origin=environment.origin, tokens=_integration_tokens(environment, integration_user)
    )
    found = asked("integration-user", lambda: administration.who_am_i(acting))
    user = asked("admin-user", lambda: administration.user(admin, found.user_id))
    _check_suitable(user, administrator_id=administrator_id)
    return user


def asked(field_name: str, question: Callable[[], Found]) -> Found:
    """Ask Sales; a refusal names the input that it concerns."""
    try:
        return question()
    except TransientError as error:
        raise _problem(of_error(error), "url", kind=TryAgain) from error
    except SignInFailed as error:
        code = error.trace.service_code
        # An integration application is its own app registration.
        by_user = field_name == "admin-user" and code in wording.OF_THE_APPLICATION
        field_name = "application-id" if by_user else field_name
        raise _problem(of_error(error), field_name, service_code=code) from error
    except DataverseError as error:
        raise _problem(of_error(error), field_name) from error


def check_not_elsewhere(organization_id: UUID) -> None:
    """Couplings name rows of one organization; another one would not have them."""
    existing = Connection.objects.exclude(organization_id=organization_id).first()
    if existing and Coupling.objects.filter(removed_at__isnull=True).exists():
        raise SetupProblem(
            _("This installation is connected with %(name)s.")
            % {"name": existing.organization_name},
            field="url",
            remedy=_("Remove the couplings first, or use another installation."),
        )


def _problem(
    said: Wording,
    field_name: str,
    *,
    kind: type[SetupProblem] = SetupProblem,
    service_code: str = "",
) -> SetupProblem:
    return kind(
        said.sentence,
        field=field_name,
        remedy=said.remedy,
        detail=said.detail,
        service_code=service_code,
    )


def _password_tokens(environment: Environment, username: str, password: str) -> PasswordTokens:
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    return PasswordTokens(
        environment.origin,
        environment.authority,
        environment.application_id,
        username,
        password,
        session,
    )


def _integration_tokens(environment: Environment, user: IntegrationUser) -> Tokens:
    if user.kind == Connection.IdentityKind.PASSWORD:
        return _password_tokens(environment, user.name, user.secret)
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    return ApplicationTokens(
        environment.origin, environment.authority, user.name, user.secret, session
    )


def _check_suitable(user: administration.User, *, administrator_id: UUID) -> None:
    if user.user_id == administrator_id:
        raise _unsuitable(
            _("The integration user is the administrator."),
            _("Name a dedicated user or application: changes it makes must be told apart."),
        )
    who = {"name": user.full_name}
    if user.is_disabled:
        raise _unsuitable(
            _("%(name)s is disabled in Sales.") % who,
            _("Enable the user in Sales, or name another one."),
        )
    if user.is_system_administrator:
        raise _unsuitable(
            _("%(name)s is a System Administrator.") % who,
            _("Take the role away: the integration user needs only the integration role."),
        )
    if not user.role_names:
        raise _unsuitable(
            _("%(name)s has no role in Sales.") % who,
            _("Assign the integration role to the user in Sales."),
        )


def _unsuitable(sentence: str, remedy: str) -> SetupProblem:
    return SetupProblem(sentence, field="integration-user", remedy=remedy)


def _check_currency(base_currency_code: str) -> None:
    company = get_company()
    if company is not None and company.local_currency_code != base_currency_code:
        raise SetupProblem(
            _(
                "The base currency of Sales is %(crm)s, the local currency of %(company)s "
                "is %(ledger)s."
            )
            % {
                "crm": base_currency_code,
                "company": company.name,
                "ledger": company.local_currency_code,
            },
            field="url",
            remedy=_("Connect an environment with the same base currency: it cannot be changed."),
        )
