"""What an administrator can agree to exchange, and what comes along with it. No effects."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping
from crmsync.terms import Direction, Scope

_DIRECTIONS = {
    Direction.TO_CRM: _("To Sales"),
    Direction.FROM_CRM: _("From Sales"),
    Direction.BIDIRECTIONAL: _("Bidirectional"),
}
_ARROWS = {Direction.TO_CRM: "→", Direction.FROM_CRM: "←", Direction.BIDIRECTIONAL: "↔"}


# What the guide will offer once it can be done; until then it is shown as not available.
NOT_YET = (_("Item availability"), _("Sales order integration"))


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """One box to tick: its tables with their directions, and the scopes that it needs."""

    scope: Scope
    mappings: tuple[TableMapping, ...]
    needs: tuple[Scope, ...]

    def __str__(self) -> str:
        return ", ".join(str(mapping.caption) for mapping in self.mappings)

    @property
    def tables(self) -> list[str]:
        """Each table here and there, and which way its values go."""
        return [
            f"{mapping.caption} {_ARROWS[mapping.direction]} {mapping.crm_caption}"
            f" ({_DIRECTIONS[mapping.direction]})"
            for mapping in self.mappings
        ]

    @property
    def needs_captions(self) -> str:
        return ", ".join(caption(scope) for scope in self.needs)


def choices() -> list[ScopeChoice]:
    """Every scope that has tables, those that others need first."""
    order = dict.fromkeys(mapping.scope for mapping in all_mappings())
    return [_choice(scope) for scope in order]


def with_prerequisites(scopes: Collection[Scope]) -> list[Scope]:
    """The chosen scopes and, again and again, those that they need; in dependency order."""
    known = {choice.scope: choice for choice in choices()}
    wanted = set(scopes)
    while missing := {need for scope in wanted for need in known[scope].needs} - wanted:
        wanted |= missing
    return [scope for scope in known if scope in wanted]


def tables_of(scopes: Collection[str]) -> dict[str, str]:
    """The tables in Sales that belong to scopes: logical name to caption."""
    return {
        mapping.crm.logical_name: capfirst(str(mapping.crm_caption))
        for mapping in all_mappings()
        if mapping.scope in scopes
    }


def caption(scope: Scope) -> str:
    return str(_choice(scope))


def captions(values: Iterable[str]) -> tuple[str, ...]:
    """Of scopes as they are stored."""
    return tuple(caption(Scope(value)) for value in values)


def _choice(scope: Scope) -> ScopeChoice:
    mine = tuple(mapping for mapping in all_mappings() if mapping.scope == scope)
    needed = {name for mapping in mine for name in mapping.needs}
    needs = dict.fromkeys(mapping.scope for mapping in all_mappings() if mapping.name in needed)
    return ScopeChoice(scope, mine, tuple(need for need in needs if need != scope))
