"""Who can sign in: users with passwords, applications with secrets or certificates.

Made once for a data file and kept in it, so that tokens and secrets survive a restart.
"""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from uuid import NAMESPACE_DNS, uuid4, uuid5

from crmsync.sandbox.certificates import new_pem

DOMAIN: Final = "cronus.sandbox.test"
# The client id that Microsoft's own samples use for sign-in without a secret.
PUBLIC_CLIENT_ID: Final = "51f81489-12ee-4a9e-aaae-a2591f45987d"

ADMINISTRATOR: Final = "admin"
INTEGRATION_USER: Final = "integration"
SALESPERSON: Final = "robin.sales"
DISABLED: Final = "disabled"
SIGN_IN_BLOCKED: Final = "blocked"
WITHOUT_ROLES: Final = "no.roles"
TEAM_ADMINISTRATOR: Final = "team.admin"
WITHOUT_CUSTOMIZER: Final = "admin.only"
CUSTOMIZER: Final = "customizer"
UNLICENSED: Final = "unlicensed"
NOT_A_MEMBER: Final = "stranger"

USER_ALIASES: Final = (
    ADMINISTRATOR,
    INTEGRATION_USER,
    SALESPERSON,
    DISABLED,
    SIGN_IN_BLOCKED,
    WITHOUT_ROLES,
    TEAM_ADMINISTRATOR,
    WITHOUT_CUSTOMIZER,
    CUSTOMIZER,
    UNLICENSED,
    NOT_A_MEMBER,
)

INTEGRATION: Final = "integration"
WITHOUT_USER: Final = "without_user"
WITH_CERTIFICATE: Final = "certificate"
EXPIRED: Final = "expired"
EXPIRED_CERTIFICATE: Final = "expired_certificate"
OTHER_CERTIFICATE: Final = "other_certificate"
UNREGISTERED: Final = "unregistered"

APPLICATION_LABELS: Final = (
    INTEGRATION,
    WITHOUT_USER,
    WITH_CERTIFICATE,
    EXPIRED,
    EXPIRED_CERTIFICATE,
    OTHER_CERTIFICATE,
    UNREGISTERED,
)

# Applications with an application user in Sales, and what its id is made from.
_MEMBERS: Final = {
    INTEGRATION: "application.user",
    WITH_CERTIFICATE: "certificate.application.user",
    EXPIRED: "expired.application.user",
    EXPIRED_CERTIFICATE: "expired.certificate.application.user",
}

_FLAWED_USERS: Final = {
    "disabled": DISABLED,
    "sign_in_blocked": SIGN_IN_BLOCKED,
    "without_roles": WITHOUT_ROLES,
    "team_administrator": TEAM_ADMINISTRATOR,
    "administrator_without_customizer": WITHOUT_CUSTOMIZER,
    "customizer": CUSTOMIZER,
    "unlicensed": UNLICENSED,
    "not_a_member": NOT_A_MEMBER,
}
_FLAWED_APPLICATIONS: Final = {
    "application_without_user": WITHOUT_USER,
    "application_in_no_tenant": UNREGISTERED,
    "expired_application": EXPIRED,
    "expired_certificate": EXPIRED_CERTIFICATE,
}


def stable_id(name: str) -> str:
    """Return the id that every data file uses for the thing called `name`."""
    return str(uuid5(NAMESPACE_DNS, f"{name}.{DOMAIN}"))


@dataclass(frozen=True, slots=True)
class User:
    """A directory user. `id` is the systemuser row, `object_id` the directory's own id."""

    alias: str
    password: str
    id: str
    object_id: str

    @property
    def username(self) -> str:
        return f"{self.alias}@{DOMAIN}"

    def described(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password, "id": self.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An app registration; `label` says what it is for.

    `id` is its systemuser row; None where it has no application user. `pem` holds the private key
    and the registered certificate of one that signs in without a secret.
    """

    label: str
    client_id: str
    client_secret: str
    object_id: str
    id: str | None
    pem: str = ""

    def described(self) -> dict[str, str]:
        proof = {"pem": self.pem} if self.pem else {"client_secret": self.client_secret}
        described = {"client_id": self.client_id, **proof}
        return {**described, "id": self.id} if self.id else described


@dataclass(frozen=True, slots=True)
class Credentials:
    tenant: str
    signing_key: str
    users: tuple[User, ...]
    applications: tuple[Application, ...]

    @classmethod
    def made_up(cls) -> Self:
        """Make the identities of a new data file, with random secrets."""
        bare = cls(stable_id("tenant"), secrets.token_hex(32), (), ())
        return bare.completed()

    @classmethod
    def from_kept(cls, kept: dict[str, object]) -> Self:
        """Read what `kept()` returned."""
        users, applications = kept["users"], kept["applications"]
        if not isinstance(users, Iterable) or not isinstance(applications, Iterable):
            raise TypeError("The data file holds no identities.")
        # Files of the first version have two applications and no labels.
        labelled = zip(APPLICATION_LABELS, applications, strict=False)
        return cls(
            tenant=str(kept["tenant"]),
            signing_key=str(kept["signing_key"]),
            users=tuple(User(**user) for user in users),
            applications=tuple(Application(**{"label": label, **a}) for label, a in labelled),
        )

    def completed(self) -> Self:
        """Return the identities with those added that a newer version of the sandbox knows."""
        known = {user.alias for user in self.users}
        labels = {application.label for application in self.applications}
        return replace(
            self,
            users=(*self.users, *(_user(a) for a in USER_ALIASES if a not in known)),
            applications=(
                *self.applications,
                *(_application(label) for label in APPLICATION_LABELS if label not in labels),
            ),
        )

    def kept(self) -> dict[str, object]:
        return asdict(self)

    @property
    def key(self) -> bytes:
        return bytes.fromhex(self.signing_key)

    def user(self, alias: str) -> User:
        return next(user for user in self.users if user.alias == alias)

    def user_named(self, username: str) -> User | None:
        """Find a user by sign-in name, which is not case-sensitive."""
        wanted = username.strip().lower()
        return next((user for user in self.users if user.username == wanted), None)

    def application(self, client_id: str) -> Application | None:
        """Find an application that is registered in the tenant."""
        wanted = client_id.strip().lower()
        registered = (a for a in self.applications if a.label != UNREGISTERED)
        return next((a for a in registered if a.client_id == wanted), None)

    def labelled(self, label: str) -> Application:
        return next(a for a in self.applications if a.label == label)

    def described(self) -> dict[str, object]:
        """Describe the identities for the ready line: names, secrets and row ids."""
        with_certificate = self.labelled(WITH_CERTIFICATE).described()
        return {
            "tenant": self.tenant,
            "administrator": self.user(ADMINISTRATOR).described(),
            "integration_user": self.user(INTEGRATION_USER).described(),
            "application": self.labelled(INTEGRATION).described(),
            "certificate_application": with_certificate,
            "flawed": {
                **{name: self.user(alias).described() for name, alias in _FLAWED_USERS.items()},
                **{
                    name: self.labelled(label).described()
                    for name, label in _FLAWED_APPLICATIONS.items()
                },
                # The right application with a certificate that is not registered for it.
                "unregistered_certificate": {
                    **with_certificate,
                    "pem": self.labelled(OTHER_CERTIFICATE).pem,
                },
            },
        }


def _user(alias: str) -> User:
    return User(
        alias=alias,
        password=secrets.token_urlsafe(12),
        id=stable_id(f"{alias}.systemuser"),
        object_id=stable_id(f"{alias}.object"),
    )


def _application(label: str) -> Application:
    return Application(
        label=label,
        client_id=str(uuid4()),
        client_secret=secrets.token_urlsafe(24),
        object_id=str(uuid4()),
        id=stable_id(_MEMBERS[label]) if label in _MEMBERS else None,
        pem=_pem(label),
    )


def _pem(label: str) -> str:
    begins = {
        WITH_CERTIFICATE: datetime.now(UTC) - timedelta(days=1),
        OTHER_CERTIFICATE: datetime.now(UTC) - timedelta(days=1),
        EXPIRED_CERTIFICATE: datetime.now(UTC) - timedelta(days=800),
    }
    if label not in begins:
        return ""
    return new_pem(f"{label}.{DOMAIN}", begins=begins[label], lifetime=timedelta(days=730))
