"""What checks look at, and what they say of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise

from crmsync.connections.services import new_client
from crmsync.dataverse.client import Client
from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.preflight import integration_tokens
from setup_wizard.guide.steps import StepName


class State(StrEnum):
    """A bad one stands in the way, a warning does not."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, and what to do about it.

    ``step`` is where it can be corrected here. ``tables`` are those whose change tracking can be
    switched on, by logical name.
    """

    state: State
    seen: str
    remedy: str = ""
    step: StepName | None = None
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    caption: str
    finding: Finding

    @property
    def is_bad(self) -> bool:
        return self.finding.state == State.BAD

    def kept(self) -> dict[str, str]:
        """As it is kept with the step."""
        found = self.finding
        return {
            "name": self.name,
            "caption": self.caption,
            "state": found.state.value,
            "seen": found.seen,
            "remedy": found.remedy,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """``admin`` is the administrator's client, ``acting`` that of the integration user."""

    draft: Draft
    admin: Client | None
    acting: Client
    mappings: tuple[TableMapping, ...]

    @classmethod
    def of(cls, draft: Draft) -> "Subject":
        environment, token = draft.environment, draft.token
        acting = integration_tokens(environment, draft.integration_user)
        return cls(
            draft=draft,
            admin=new_client(origin=environment.origin, tokens=token) if token else None,
            acting=new_client(origin=environment.origin, tokens=acting),
            mappings=tuple(one for one in all_mappings() if one.scope in draft.scopes),
        )

    @property
    def reader(self) -> Client:
        """Who looks at the environment: the administrator, where there is one."""
        return self.admin or self.acting

    @property
    def tables(self) -> dict[str, str]:
        """The tables there that take part: logical name to caption."""
        return {one.crm.logical_name: str(one.crm_caption) for one in self.mappings}

    @property
    def written(self) -> dict[str, str]:
        """Those of them that are written there."""
        return {
            one.crm.logical_name: str(one.crm_caption)
            for one in self.mappings
            if one.direction.writes_crm
        }

    def columns(self, table: str) -> tuple[str, ...]:
        """Every column of a table that is read."""
        named = (
            column
            for one in self.mappings
            if one.crm.logical_name == table
            for column in one.crm_columns
        )
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True)
class Check:
    """``is_vital``: without an answer to it nothing can be connected.

    ``is_ours``: it asks our own database, too, or says what the others have seen; those without
    are looked at side by side.
    """

    name: str
    caption: str | Promise
    look: Callable[[Subject], Finding]
    is_vital: bool = False
    is_ours: bool = False
