"""Who can own the records that are created in Sales: looked up and checked live."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar
from uuid import UUID

from django.utils.translation import gettext as _

from crmsync.connections.services import new_client
from crmsync.dataverse import administration, owners, roles
from crmsync.dataverse.administration import User
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import RowMissing
from crmsync.dataverse.owners import Principal, Team
from crmsync.mapping.types import TableMapping
from crmsync.terms import Scope
from setup_wizard.errors import SetupProblem
from setup_wizard.guide.asking import asked_as
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.ownership import (
    AS_SALES_DOES,
    OwnerChoice,
    Ownership,
    OwnerWish,
    owned,
)
from setup_wizard.guide.preflight import integration_tokens
from setup_wizard.integration_solution import read_privilege

# A longer list helps nobody to choose: then the exact name is asked for.
MOST_NAMES = 200
TEAM_FIELD, USER_FIELD = "owner-team", "fallback-owner"

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Whom one may choose from; None where there are too many, or where Sales does not tell."""

    users: tuple[Principal, ...] | None = None
    teams: tuple[Principal, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks in Sales; ``field`` is the input that a refused sign-in concerns."""

    client: Client
    field: str

    @classmethod
    def of(cls, draft: Draft) -> "Reader":
        """The administrator, where there is one."""
        environment, token = draft.environment, draft.token
        if token is not None:
            return cls(new_client(origin=environment.origin, tokens=token), "admin-user")
        tokens = integration_tokens(environment, draft.integration_user)
        return cls(new_client(origin=environment.origin, tokens=tokens), "integration-user")

    def ask(self, question: Callable[[], Found]) -> Found:
        """Raises SetupProblem, and TryAgain where waiting helps."""
        return asked_as(self.field, question)


def candidates(draft: Draft) -> Candidates:
    """Read live. Where Sales does not answer, people type the name: it is checked anyway."""
    reader = Reader.of(draft)
    try:
        return Candidates(
            users=reader.ask(lambda: owners.owning_users(reader.client, most=MOST_NAMES)),
            teams=reader.ask(lambda: owners.owning_teams(reader.client, most=MOST_NAMES)),
        )
    except SetupProblem:
        return Candidates()


def checked(reader: Reader, wish: OwnerWish, scopes: Iterable[Scope]) -> OwnerChoice:
    """The choice, once Sales has shown that it can own the rows of these scopes.

    Raises SetupProblem.
    """
    if wish.ownership == Ownership.TEAM:
        return _checked_team(reader, wish.named, owned(scopes))
    return _checked_user(reader, wish.named, owned(scopes)) if wish.named else AS_SALES_DOES


def _checked_team(reader: Reader, named: str, tables: tuple[TableMapping, ...]) -> OwnerChoice:
    team_id = _id(reader, named, TEAM_FIELD, owners.teams_named)
    team: Team = _existing(reader, named, TEAM_FIELD, lambda: owners.team(reader.client, team_id))
    if not team.is_owner_team:
        raise _unsuitable(_("%(name)s is an access team, which owns nothing."), team)
    if not team.roles:
        raise _unsuitable(_("The team %(name)s has no role in Sales."), team)
    _check_reads(reader, team, tables)
    return OwnerChoice(Ownership.TEAM, team.row_id, team.name)


def _checked_user(reader: Reader, named: str, tables: tuple[TableMapping, ...]) -> OwnerChoice:
    user_id = _id(reader, named, USER_FIELD, owners.users_named)
    user: User = _existing(
        reader, named, USER_FIELD, lambda: administration.user(reader.client, user_id)
    )
    if user.is_disabled:
        raise _unsuitable(_("%(name)s is disabled in Sales."), user)
    if not user.is_licensed:
        raise _unsuitable(_("%(name)s has no licence for Sales."), user)
    if not user.roles:
        raise _unsuitable(_("%(name)s has no role in Sales."), user)
    _check_reads(reader, user, tables)
    return OwnerChoice(Ownership.SALESPERSON, user.user_id, user.full_name)


def _check_reads(reader: Reader, who: Team | User, tables: tuple[TableMapping, ...]) -> None:
    """Sales refuses rows to whoever may not read their table, whatever roles they hold."""
    for table in tables:
        privilege = read_privilege(table)
        if not reader.ask(partial(_may, reader.client, who, privilege)):
            raise _without(privilege, table, who)


def _may(client: Client, who: Team | User, privilege: str) -> bool:
    if isinstance(who, Team):
        return roles.team_may(client, who.row_id, privilege)
    return roles.user_may(client, who.user_id, privilege)


def _without(privilege: str, table: TableMapping, who: Team | User) -> SetupProblem:
    said = {"name": _name(who), "table": table.crm_caption, "privilege": privilege}
    return SetupProblem(
        _("%(name)s may not read the table %(table)s in Sales: %(privilege)s is missing.") % said,
        field=_field(who),
        remedy=_(
            "Assign a role with that privilege in Sales, or choose another one: Sales refuses such "
            "an owner."
        ),
    )


def _name(who: Team | User) -> str:
    return who.name if isinstance(who, Team) else who.full_name


def _field(who: Team | User) -> str:
    return TEAM_FIELD if isinstance(who, Team) else USER_FIELD


def _id(
    reader: Reader, named: str, field: str, look_up: Callable[[Client, str], tuple[UUID, ...]]
) -> UUID:
    try:
        return UUID(named)
    except ValueError:
        found = reader.ask(lambda: look_up(reader.client, named)) if named else ()
    if len(found) == 1:
        return found[0]
    if found:
        raise SetupProblem(
            _("Sales knows several with the name %(name)s.") % {"name": named},
            field=field,
            remedy=_("Give the one you mean another name there, or give its id here."),
        )
    raise _unknown(named, field)


def _existing(reader: Reader, named: str, field: str, question: Callable[[], Found]) -> Found:
    def look() -> Found | None:
        try:
            return question()
        except RowMissing:
            return None

    found = reader.ask(look)
    if found is None:
        raise _unknown(named, field)
    return found


def _unknown(named: str, field: str) -> SetupProblem:
    if not named:
        sentence = _("No team is named that shall own the records.")
    elif field == TEAM_FIELD:
        sentence = _("There is no team %(name)s in Sales.") % {"name": named}
    else:
        sentence = _("There is no user %(name)s in Sales.") % {"name": named}
    return SetupProblem(sentence, field=field, remedy=_("Give the name exactly as Sales shows it."))


def _unsuitable(sentence: str, who: Team | User) -> SetupProblem:
    return SetupProblem(
        sentence % {"name": _name(who)},
        field=_field(who),
        remedy=_("Change that in Sales, or choose another one: Sales refuses such an owner."),
    )
