"""What one person's setup knows so far, as pages and services look at it. No effects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from crmsync.connections.models import Connection
from crmsync.dataverse.auth import Authority, BearerToken
from crmsync.terms import Scope
from setup_wizard.guide.ownership import OwnerChoice
from setup_wizard.guide.preflight import Environment, IntegrationUser
from setup_wizard.guide.steps import (
    IDENTITY_INPUTS,
    STEPS,
    AdministratorKind,
    Place,
    SecretName,
    Step,
    StepName,
)

# Beside the steps among the answers: the solution shall be imported again.
REDEPLOY = "redeploy"


@dataclass(frozen=True, slots=True)
class Problem:
    """What has to be corrected at a step that was done before."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """One person's setup, with the secrets that this browser can open.

    ``is_finishing``: a request is at it right now. ``is_confirmed``: the finish of exactly these
    answers has begun.
    """

    user_id: int
    is_begun: bool = False
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seen: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    problem: Problem | None = None
    revision: int = 0
    secrets: Mapping[SecretName, str] = field(default_factory=dict, repr=False)
    is_sealed: bool = False
    expires_at: datetime | None = None
    is_finishing: bool = False
    is_confirmed: bool = False

    @property
    def done(self) -> frozenset[StepName]:
        """The steps that need nothing more."""
        troubled = self.problem.place.step if self.problem else None
        return frozenset(
            step.name
            for step in STEPS
            if step.name in self.answers and step.name != troubled and self._holds_secret(step)
        )

    @property
    def environment(self) -> Environment:
        """As it was found; only once its step is done."""
        answers, seen = self.answers[StepName.ENVIRONMENT], self.seen[StepName.ENVIRONMENT]
        authority = Authority(seen["authority"], seen["tenant"])
        return Environment(answers["url"], authority, answers["application_id"])

    @property
    def administrator_kind(self) -> str:
        """How the administrator signs in, as it was answered; blank before that."""
        return str(self.answers.get(StepName.ADMINISTRATOR, {}).get("kind", ""))

    @property
    def has_administrator(self) -> bool:
        """Whether somebody prepares Sales; only once that step is done."""
        return self.administrator_kind != AdministratorKind.NONE

    @property
    def token(self) -> BearerToken | None:
        """The administrator's; None where there is none, or where it cannot be opened."""
        text = self.secrets.get(SecretName.TOKEN)
        return BearerToken(text, lifetime_seconds=0) if text and self.has_administrator else None

    @property
    def redeploys(self) -> bool:
        """Whether the solution shall be imported even where its version is there already."""
        return bool(self.answers.get(REDEPLOY)) and self.has_administrator

    @property
    def administrator_id(self) -> UUID | None:
        found = self.seen.get(StepName.ADMINISTRATOR, {}).get("user_id")
        return UUID(found) if found else None

    @property
    def integration_user_id(self) -> UUID | None:
        """None while the application's user has yet to be created."""
        found = self.seen.get(StepName.INTEGRATION_USER, {}).get("user_id")
        return UUID(found) if found else None

    @property
    def integration_user(self) -> IntegrationUser:
        """With its secret; only once that step is done."""
        answers = self.answers[StepName.INTEGRATION_USER]
        kind = Connection.IdentityKind(answers["kind"])
        name = answers[IDENTITY_INPUTS[kind][0]]
        return IntegrationUser(kind, name, self.secrets[SecretName.SECRET])

    @property
    def scopes(self) -> list[Scope]:
        """What to synchronize; only once that step is done."""
        return [Scope(value) for value in self.answers[StepName.TABLES]["scopes"]]

    @property
    def owner(self) -> OwnerChoice:
        """Who owns what is created in Sales; what nobody was asked about is as Sales does it."""
        answers = self.answers.get(StepName.TABLES, {})
        kind = Connection.Ownership(answers.get("ownership") or Connection.Ownership.SALESPERSON)
        owner_id = answers.get("team" if kind == Connection.Ownership.TEAM else "fallback")
        name = self.seen.get(StepName.TABLES, {}).get("owner", "")
        return OwnerChoice(kind, UUID(owner_id) if owner_id else None, name)

    def _holds_secret(self, step: Step) -> bool:
        if step.name == StepName.ADMINISTRATOR and not self.has_administrator:
            return True
        return step.secret is None or step.secret in self.secrets
