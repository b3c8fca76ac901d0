"""Who can sign in: users with passwords and applications with secrets.

Made once for a data file and kept in it, so that tokens and secrets survive a restart.
"""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final, Self
from uuid import NAMESPACE_DNS, uuid4, uuid5

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

USER_ALIASES: Final = (
    ADMINISTRATOR,
    INTEGRATION_USER,
    SALESPERSON,
    DISABLED,
    SIGN_IN_BLOCKED,
    WITHOUT_ROLES,
    TEAM_ADMINISTRATOR,
)


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


@dataclass(frozen=True, slots=True)
class Application:
    """An app registration. `id` is its systemuser row; None where it has no application user."""

    client_id: str
    client_secret: str
    object_id: str
    id: str | None

    def described(self) -> dict[str, str]:
        described = {"client_id": self.client_id, "client_secret": self.client_secret}
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
        return cls(
            tenant=stable_id("tenant"),
            signing_key=secrets.token_hex(32),
            users=tuple(_user(alias) for alias in USER_ALIASES),
            applications=(
                _application(stable_id("application.user")),
                _application(None),
            ),
        )

    @classmethod
    def from_kept(cls, kept: dict[str, object]) -> Self:
        """Read what `kept()` returned."""
        users, applications = kept["users"], kept["applications"]
        if not isinstance(users, Iterable) or not isinstance(applications, Iterable):
            raise TypeError("The data file holds no identities.")
        return cls(
            tenant=str(kept["tenant"]),
            signing_key=str(kept["signing_key"]),
            users=tuple(User(**user) for user in users),
            applications=tuple(Application(**application) for application in applications),
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
        wanted = client_id.strip().lower()
        return next((a for a in self.applications if a.client_id == wanted), None)

    def described(self) -> dict[str, object]:
        """Describe the identities for the ready line: names, secrets and row ids."""
        registered, stray = self.applications
        return {
            "tenant": self.tenant,
            "administrator": self.user(ADMINISTRATOR).described(),
            "integration_user": self.user(INTEGRATION_USER).described(),
            "application": registered.described(),
            "flawed": {
                "disabled": self.user(DISABLED).described(),
                "sign_in_blocked": self.user(SIGN_IN_BLOCKED).described(),
                "without_roles": self.user(WITHOUT_ROLES).described(),
                "team_administrator": self.user(TEAM_ADMINISTRATOR).described(),
                "application_without_user": stray.described(),
            },
        }


def _user(alias: str) -> User:
    return User(
        alias=alias,
        password=secrets.token_urlsafe(12),
        id=stable_id(f"{alias}.systemuser"),
        object_id=stable_id(f"{alias}.object"),
    )


def _application(systemuser_id: str | None) -> Application:
    return Application(
        client_id=str(uuid4()),
        client_secret=secrets.token_urlsafe(24),
        object_id=str(uuid4()),
        id=systemuser_id,
    )
