"""What is checked live before anything is stored: environment, administrator, integration user.

Every check raises SetupProblem, which names the input that it concerns, and returns what it saw.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.dataverse import administration
from crmsync.dataverse.address import environment_origin
from crmsync.dataverse.auth import (
    ApplicationTokens,
    Authority,
    BearerToken,
    CertificateTokens,
    PasswordTokens,
    discover_authority,
)
from crmsync.dataverse.certificates import Certificate, read_certificate
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import AddressRefused, NotAMember
from crmsync.dataverse.session import Tokens, open_session
from crmsync.ledger.models import CompanyInformation
from crmsync.ledger.queries import get_company
from crmsync.sync.models import Coupling
from crmsync.terms import Experience
from setup_wizard import wording
from setup_wizard.errors import CompanyNotReady, SetupProblem
from setup_wizard.guide import suitability
from setup_wizard.guide.access import Access
from setup_wizard.guide.asking import asked, problem
from setup_wizard.models import FormerConnection

KIND = Connection.IdentityKind


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who prepares Sales, by user name and password; used during setup only."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IntegrationUser:
    """Who synchronization acts as.

    ``name`` is a user name or an application id; ``secret`` the password, the client secret, or
    a PEM text with the certificate and its private key.
    """

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
class Seen:
    """The organization behind an environment, which these books can be connected with."""

    organization_id: UUID
    organization: administration.Organization


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the administrator is, and saw there."""

    user_id: UUID
    full_name: str
    organization_id: UUID
    organization: administration.Organization
    is_customizer: bool
    is_licensed: bool

    @property
    def version(self) -> str:
        return self.organization.version


@dataclass(frozen=True, slots=True)
class Acting:
    """The integration user as Sales knows it; ``user_id`` is None for one still to be created.

    ``certificate`` is what the PEM text held, where it signs in with one; ``seen`` the
    organization that it looked at itself, where no administrator does.
    """

    user_id: UUID | None
    full_name: str
    roles: tuple[str, ...]
    certificate: Certificate | None = None
    access: Access | None = None
    seen: Seen | None = None

    @property
    def is_new(self) -> bool:
        return self.user_id is None

    @property
    def expires(self) -> str:
        """The last day of its certificate, as an ISO date; blank without one."""
        return self.certificate.not_after.date().isoformat() if self.certificate else ""


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
        raise problem(wording.of_address(error, typed=url), "url") from error
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    authority = asked(
        "url", lambda: discover_authority(origin, session=session, hosts=connections.hosts())
    )
    return Environment(origin, authority, application_id)


def sign_in_administrator(*, environment: Environment, administrator: Administrator) -> BearerToken:
    """Exchange the password for a token; the password is not needed after that."""
    tokens = _password_tokens(environment, administrator.username, administrator.password)
    return asked("admin-user", tokens.exchange, through_registration=True)


def check_administrator(*, environment: Environment, token: Tokens) -> Prepared:
    """A System Administrator, of an organization that this company can be connected with."""
    client = connections.new_client(origin=environment.origin, tokens=token)
    caller = asked("admin-user", lambda: administration.who_am_i(client))
    user = asked("admin-user", lambda: administration.user(client, caller.user_id))
    suitability.check_administrator(user)
    seen = check_organization(client)
    return Prepared(
        user_id=user.user_id,
        full_name=user.full_name,
        organization_id=seen.organization_id,
        organization=seen.organization,
        is_customizer=user.is_system_customizer,
        is_licensed=user.is_licensed,
    )


def check_organization(client: Client) -> Seen:
    """The organization, if its base currency is ours and no other one is coupled with."""
    organization_id = asked("url", lambda: administration.who_am_i(client)).organization_id
    organization = asked("url", lambda: administration.organization(client))
    suitability.check_currency(organization.base_currency_code, get_company())
    check_not_elsewhere(organization_id)
    return Seen(organization_id, organization)


def check_integration_user(
    *,
    environment: Environment,
    token: Tokens | None,
    administrator_id: UUID | None,
    integration_user: IntegrationUser,
) -> Acting:
    """Prove that it can sign in, and look at it with the administrator's ``token``.

    With an administrator it may be without roles, and an application may have no user in Sales
    yet: both are made later. Without one it looks at itself, and at the organization.
    """
    certificate = _certificate(integration_user)
    tokens = integration_tokens(environment, integration_user)
    acting = connections.new_client(origin=environment.origin, tokens=tokens)
    asked(
        "integration-user",
        tokens.token,
        through_registration=integration_user.kind == KIND.PASSWORD,
    )
    seen = None
    if token is None:
        user: administration.User | None = _itself(acting)
        seen = check_organization(acting)
    else:
        admin = connections.new_client(origin=environment.origin, tokens=token)
        user = _looked_up(admin, acting, integration_user)
    if user is None:
        return Acting(None, integration_user.name, (), certificate)
    suitability.check_integration_user(
        user, administrator_id=administrator_id, has_administrator=token is not None
    )
    access = Access.of(user)
    return Acting(user.user_id, user.full_name, user.role_names, certificate, access, seen)


def integration_tokens(environment: Environment, user: IntegrationUser) -> Tokens:
    """What the integration user signs in with."""
    if user.kind == KIND.PASSWORD:
        return _password_tokens(environment, user.name, user.secret)
    session = open_session(sandbox_port=settings.CRMSYNC_SANDBOX_PORT)
    kind = CertificateTokens if user.kind == KIND.CERTIFICATE else ApplicationTokens
    return kind(environment.origin, environment.authority, user.name, user.secret, session)


def check_not_elsewhere(organization_id: UUID) -> None:
    """Couplings name rows of one organization; another one would not have them."""
    # What a setup has stored and never enabled is no connection that records were coupled with.
    working = Connection.objects.filter(is_being_set_up=False)
    reset = FormerConnection.objects.exclude(organization_id=organization_id)
    other = working.exclude(organization_id=organization_id).first()
    existing = other or (None if working.exists() else reset.first())
    if existing and Coupling.objects.filter(removed_at__isnull=True).exists():
        raise SetupProblem(
            _("This installation is connected with %(name)s.")
            % {"name": existing.organization_name},
            field="url",
            remedy=_("Remove the couplings first, or use another installation."),
        )


def _certificate(user: IntegrationUser) -> Certificate | None:
    if user.kind != KIND.CERTIFICATE:
        return None
    now: datetime = timezone.now()
    return asked("certificate", lambda: read_certificate(user.secret, now=now))


def _itself(acting: Client) -> administration.User:
    caller = asked("integration-user", lambda: administration.who_am_i(acting))
    return asked("integration-user", lambda: administration.user(acting, caller.user_id))


def _looked_up(
    admin: Client, acting: Client, integration_user: IntegrationUser
) -> administration.User | None:
    """As the administrator sees it; None for an application that has no user there yet."""
    user_id = asked("integration-user", lambda: _user_id(admin, acting, integration_user))
    if user_id is not None:
        found: UUID = user_id
        return asked("admin-user", lambda: administration.user(admin, found))
    if integration_user.kind != KIND.PASSWORD:
        return None
    raise SetupProblem(
        _("%(name)s is not a user of this environment.") % {"name": integration_user.name},
        field="integration-user",
        remedy=_("Add the user to the environment first, or name another one."),
    )


def _user_id(admin: Client, acting: Client, user: IntegrationUser) -> UUID | None:
    """Who it is by its own token; Sales does not tell one who is disabled or has no role."""
    try:
        return administration.who_am_i(acting).user_id
    except NotAMember:
        if user.kind == KIND.PASSWORD:
            return administration.user_by_name(admin, user.name)
        return administration.user_by_application(admin, UUID(user.name))


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
