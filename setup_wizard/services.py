"""Set up the connection without a browser: what is given is checked live, then all acts follow."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from crmsync.audit.actors import Actor, at_terminal
from crmsync.connections import services as connections
from crmsync.ledger.queries import get_company
from crmsync.terms import Scope
from setup_wizard.errors import SetupProblem
from setup_wizard.finish import claiming
from setup_wizard.finish.acts import ACTS
from setup_wizard.finish.plan import ActName, Memory, Plan, plan
from setup_wizard.finish.receipt import CAPTIONS, seen
from setup_wizard.guide import owners, preflight
from setup_wizard.guide.ownership import NOBODY_NAMED, OwnerWish, creates_owned_rows
from setup_wizard.guide.preflight import Administrator, IntegrationUser

__all__ = ["Administrator", "Connected", "IntegrationUser", "check", "connect"]

# Between two looks at an import, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0


@dataclass(frozen=True, slots=True)
class Connected:
    organization_name: str
    origin: str
    integration_user: str


def connect(
    *,
    url: str,
    application_id: str,
    administrator: Administrator | None,
    integration_user: IntegrationUser,
    scopes: Sequence[Scope],
    tracked: Sequence[str] = (),
    owner: OwnerWish = NOBODY_NAMED,
    address: str = "",
    by: Actor | None = None,
    say: Callable[[str], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Connected:
    """Check what is given, then do every act of the finish to its end; ``say`` hears of each.

    ``application_id`` is the app registration through which users with a password sign in; an
    integration application uses its own. Without an administrator nothing is changed in Sales.
    The administrator's password is exchanged for a token in this one call and kept nowhere.
    Raises SetupProblem: then nothing is connected, and what was done in Sales was said.
    """
    agreed = check(
        url=url,
        application_id=application_id,
        administrator=administrator,
        integration_user=integration_user,
        scopes=scopes,
        tracked=tracked,
        owner=owner,
        address=address,
        by=by or at_terminal(),
    )
    with transaction.atomic():
        claiming.expect_nobody_else(user_id=None)
    memory = Memory()
    try:
        for act in ACTS:
            _finish_act(act, agreed, memory, pause)
            say(f"{CAPTIONS[act]}: {seen(act, memory.of(act))}")
    except SetupProblem:
        connections.forget_unfinished()
        raise
    organization = memory.of(ActName.STORED)["organization"]
    name = memory.of(ActName.USER)["name"]
    return Connected(organization, agreed.environment.origin, name)


def check(
    *,
    url: str,
    application_id: str,
    administrator: Administrator | None,
    integration_user: IntegrationUser,
    scopes: Sequence[Scope],
    by: Actor,
    tracked: Sequence[str] = (),
    owner: OwnerWish = NOBODY_NAMED,
    address: str = "",
) -> Plan:
    """A plan of what is given, once all of it was checked live. Raises SetupProblem."""
    environment = preflight.check_environment(url=url, application_id=application_id)
    if obstacle := preflight.company_obstacle(get_company()):
        raise obstacle
    token, prepared = None, None
    if administrator:
        token = preflight.sign_in_administrator(
            environment=environment, administrator=administrator
        )
        prepared = preflight.check_administrator(environment=environment, token=token)
    preflight.check_integration_user(
        environment=environment,
        token=token,
        administrator_id=prepared.user_id if prepared else None,
        integration_user=integration_user,
    )
    agreed = plan(
        environment=environment,
        token=token,
        integration_user=integration_user,
        scopes=tuple(scopes),
        tracked=tuple(tracked),
        by=by,
        address=address,
        administrator=prepared.full_name if prepared else "",
        expect_no_import=lambda: claiming.expect_no_import(user_id=None),
    )
    return _with_owner(agreed, owner)


def _with_owner(agreed: Plan, wish: OwnerWish) -> Plan:
    """Where nothing is created in Sales that belongs to somebody, nobody is looked up."""
    if not creates_owned_rows(agreed.scopes):
        return agreed
    reader = owners.Reader(agreed.reader, agreed.reader_field)
    return replace(agreed, owner=owners.checked(reader, wish, agreed.scopes))


def _finish_act(act: ActName, agreed: Plan, memory: Memory, pause: Callable[[float], None]) -> None:
    seconds = FIRST_PAUSE
    while not ACTS[act](agreed, memory):
        pause(seconds)
        seconds = min(2 * seconds, LONGEST_PAUSE)
