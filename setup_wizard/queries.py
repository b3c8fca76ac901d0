"""What the pages of the setup show."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crmsync.connections.models import Connection
from crmsync.ledger.models import CompanyInformation
from crmsync.ledger.queries import get_company
from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Coupling
from setup_wizard.errors import CompanyNotReady
from setup_wizard.finish.receipt import Entry, entries
from setup_wizard.guide import scopes, steps
from setup_wizard.guide.access import Access
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.ownership import OwnerChoice
from setup_wizard.guide.preflight import company_obstacle
from setup_wizard.guide.steps import StepName
from setup_wizard.models import FormerConnection

KIND = Connection.IdentityKind
Kept = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """Before the first step: what stands in the way, what is there already.

    ``former`` was reset and not followed by another connection; ``entries`` is its receipt.
    """

    company: CompanyInformation | None
    obstacle: CompanyNotReady | None
    connection: Connection | None
    scopes: tuple[str, ...]
    draft: Draft
    next_step: StepName
    former: FormerConnection | None = None
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class StepLine:
    """One of the steps at the top of a page; without an address it cannot be opened yet."""

    caption: str | Promise
    url: str
    is_done: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a live check found to be well, or well enough: ``tone`` is good or warn."""

    text: str
    note: str = ""
    tone: str = "good"


@dataclass(frozen=True, slots=True)
class NextTask:
    caption: str
    url: str
    is_done: bool
    waits_for: str = ""
    text: str = ""


def start(draft: Draft) -> Start:
    company, connection = get_company(), Connection.objects.first()
    works = connection is not None and not connection.is_being_set_up
    former = None if works else FormerConnection.objects.first()
    return Start(
        company=company,
        obstacle=company_obstacle(company),
        connection=connection,
        scopes=scopes.captions(connection.scopes if connection else ()),
        draft=draft,
        next_step=steps.first_open(draft.done),
        former=former,
        entries=tuple(entries(former.receipt)) if former else (),
    )


def step_lines(draft: Draft, *, here: StepName) -> list[StepLine]:
    done = draft.done
    return [
        StepLine(
            step.caption,
            step_url(step.name) if steps.is_reached(step.name, done=done) else "",
            is_done=step.name in done,
            is_here=step.name == here,
        )
        for step in steps.STEPS
    ]


def step_url(name: StepName) -> str:
    return reverse("setup_wizard:step", kwargs={"step": name.value})


def prefill(draft: Draft, name: StepName) -> Mapping[str, Any]:
    """What a step's form begins with: what was answered, else what is connected already."""
    if name in draft.answers:
        return draft.answers[name]
    if name in (StepName.ADMINISTRATOR, StepName.CHECKS, StepName.CHECK):
        return {}
    connection = Connection.objects.first()
    return _of_connection(connection).get(name, {}) if connection else {}


def _of_connection(connection: Connection) -> dict[StepName, dict[str, Any]]:
    by_password = connection.identity_kind == KIND.PASSWORD
    # A connection of before it was kept: users with a password sign in through it, too.
    registered = connection.registration_id or (connection.application_id if by_password else "")
    name = (
        {"username": connection.integration_username}
        if by_password
        else {"application": connection.application_id}
    )
    return {
        StepName.ENVIRONMENT: {"url": connection.origin, "application_id": registered},
        StepName.INTEGRATION_USER: {"kind": connection.identity_kind, **name},
        StepName.TABLES: {"scopes": connection.scopes, **_of_owner(connection)},
    }


def _of_owner(connection: Connection) -> dict[str, Any]:
    chosen = "team" if connection.ownership == Connection.Ownership.TEAM else "fallback"
    return {"ownership": connection.ownership, chosen: str(connection.owner_id or "")}


def chosen_owner(draft: Draft) -> OwnerChoice:
    """Who was chosen here, else in the setup before this one."""
    connection = Connection.objects.first()
    if StepName.TABLES in draft.answers or connection is None:
        return draft.owner
    return OwnerChoice.of(connection)


def seen(draft: Draft) -> list[Seen]:
    """What was checked so far, of the steps that still hold."""
    of = {
        StepName.ENVIRONMENT: _environment_seen,
        StepName.ADMINISTRATOR: _administrator_seen,
        StepName.INTEGRATION_USER: _integration_user_seen,
    }
    done = draft.done
    return [line for name, lines in of.items() if name in done for line in lines(draft.seen[name])]


def _environment_seen(found: Kept) -> Iterator[Seen]:
    yield Seen(_("The environment answers."), _("Tenant %(tenant)s") % found)


def _administrator_seen(found: Kept) -> Iterator[Seen]:
    if not found:
        yield Seen(_("Nobody signs in as administrator."))
        return
    where = _("%(organization)s, version %(version)s") % found
    yield Seen(_("%(full_name)s is a System Administrator.") % found, where)
    if not found["is_customizer"]:
        note = _("Usually that is enough to import the solution.")
        yield Seen(_("%(full_name)s is not a System Customizer.") % found, note, tone="warn")
    if not found["is_licensed"]:
        yield Seen(_("%(full_name)s has no licence for Sales.") % found, tone="warn")
    yield Seen(_("The base currency is %(currency)s, as in the books.") % found)


def _organization_seen(found: Kept) -> Iterator[Seen]:
    """Where no administrator looked at it."""
    version = _("Version %(version)s") % found
    yield Seen(_("The organization is %(organization)s.") % found, version)
    yield Seen(_("The base currency is %(currency)s, as in the books.") % found)


def _integration_user_seen(found: Kept) -> Iterator[Seen]:
    if found["is_new"]:
        note = _("Its user in Sales will be created by the setup.")
        yield Seen(_("The application can sign in."), note)
    else:
        names = ", ".join(found["roles"]) or _("none yet")
        roles = _("Roles: %(names)s") % {"names": names}
        yield Seen(_("%(full_name)s can sign in and is enabled.") % found, roles)
        # Setups that were begun before this was kept do not know it.
        if access := found.get("access"):
            yield Seen(str(Access(**access)))
    if "organization" in found:
        yield from _organization_seen(found)
    if found["thumbprint"]:
        until = {"day": date_format(date.fromisoformat(found["expires"]))}
        thumbprint = _("Thumbprint %(thumbprint)s") % found
        yield Seen(_("The certificate is valid until %(day)s.") % until, thumbprint)


def next_tasks(connection: Connection) -> list[NextTask]:
    """What to do once connected, parents before their children."""
    mappings = [mapping for mapping in all_mappings() if mapping.scope in connection.scopes]
    live = Coupling.objects.filter(removed_at__isnull=True, is_intent=False).order_by()
    coupled = set(live.values_list("mapping", flat=True).distinct())
    matched = [mapping for mapping in mappings if mapping.match_on]
    review = reverse("fullsync:review")
    return [
        *(_couple(mapping, matched, coupled) for mapping in matched),
        NextTask(
            _("Start with ten"),
            review,
            is_done=False,
            text=_("Synchronize ten records of each table, look at them, then go on."),
        ),
        NextTask(
            _("Run Full Synchronization"),
            review,
            is_done=False,
            text=_("All records, table by table, in the background."),
        ),
    ]


def _couple(mapping: TableMapping, matched: list[TableMapping], coupled: set[str]) -> NextTask:
    first = [
        str(parent.caption)
        for parent in matched
        if parent.name in mapping.needs and parent.name not in coupled
    ]
    return NextTask(
        _("Couple %(table)s") % {"table": str(mapping.caption).lower()},
        reverse("coupling:match", kwargs={"mapping": mapping.name}),
        is_done=mapping.name in coupled,
        waits_for=", ".join(first),
    )
