"""Everything that was answered, and what will be done: to look at before it is done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.connections.models import Connection
from setup_wizard.guide import ownership, scopes
from setup_wizard.guide.draft import Draft
from setup_wizard.guide.steps import IDENTITY_INPUTS, AdministratorKind, StepName
from setup_wizard.integration_solution import ROLES_OF_THE_INTEGRATION, SOLUTION

KIND = Connection.IdentityKind
Kept = Mapping[str, Any]

_SECRETS: Mapping[KIND, str | Promise] = {
    KIND.APPLICATION: gettext_lazy("Client secret"),
    KIND.CERTIFICATE: gettext_lazy("Certificate"),
    KIND.PASSWORD: gettext_lazy("Integration password"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One answer; ``note`` says what was seen, or why it is there."""

    caption: str
    value: str
    step: StepName
    note: str = ""


@dataclass(frozen=True, slots=True)
class Deeds:
    """What one of those does who take part in the finish."""

    caption: str
    lines: tuple[str, ...]


def rows(draft: Draft) -> list[Row]:
    """Every answer, in the order of the steps; a secret is only said to be set."""
    of = {
        StepName.ENVIRONMENT: _environment,
        StepName.ADMINISTRATOR: _administrator,
        StepName.INTEGRATION_USER: _integration_user,
        StepName.TABLES: _tables,
        StepName.CHECKS: _checks,
    }
    return [
        row for name, lines in of.items() for row in lines(draft.answers[name], draft.seen[name])
    ]


def deeds(draft: Draft, *, address: str) -> list[Deeds]:
    """What will be done, in order, by who does it; ``address`` is where these books are opened."""
    prepared = list(_prepared(draft)) if draft.has_administrator else []
    parts = (
        (_("What will be done in Sales as the administrator"), prepared),
        (_("What will be done in Sales as the integration user"), list(_told(address))),
        (_("What will be done in these books"), list(_here())),
    )
    return [Deeds(caption, tuple(lines)) for caption, lines in parts if lines]


def _told(address: str) -> Iterator[str]:
    yield _("Look at every table to synchronize.")
    if address:
        yield _("Tell Sales the address %(address)s of these books.") % {"address": address}


def _here() -> Iterator[str]:
    if Connection.objects.filter(is_being_set_up=False).exists():
        yield _("Replace the present connection, which works on until then.")
    else:
        yield _("Store the connection.")
    yield _("Store the integration user's secret, encrypted.")
    yield _("Add our own user that stands for the integration; nobody signs in with it.")


def _prepared(draft: Draft) -> Iterator[str]:
    version = ".".join(map(str, SOLUTION.version))
    solution = {"name": SOLUTION.friendly_name, "version": version}
    if draft.redeploys:
        yield _("Import the solution %(name)s %(version)s again, even if it is there.") % solution
    else:
        yield _("Import the solution %(name)s %(version)s, unless it is there already.") % solution
    seen = draft.seen[StepName.INTEGRATION_USER]
    if seen["is_new"]:
        application = {"id": draft.integration_user.name}
        yield _("Create the application user of the application %(id)s.") % application
    roles = {
        "name": seen["full_name"],
        "roles": ", ".join(
            role.name for role in SOLUTION.roles if role.role_id in ROLES_OF_THE_INTEGRATION
        ),
    }
    yield _("Assign to %(name)s the roles %(roles)s.") % roles
    tables = scopes.tables_of(draft.answers[StepName.TABLES]["scopes"])
    agreed = draft.answers[StepName.CHECKS]["change_tracking"]
    if agreed:
        names = {"tables": ", ".join(tables[table] for table in agreed)}
        yield _("Switch change tracking on for: %(tables)s.") % names


def _environment(answers: Kept, found: Kept) -> Iterator[Row]:
    tenant = _("Tenant %(tenant)s") % found
    yield Row(_("Dynamics 365 Sales URL"), answers["url"], StepName.ENVIRONMENT, tenant)
    registration = _("Application (client) ID of the app registration")
    yield Row(registration, answers["application_id"], StepName.ENVIRONMENT)


def _administrator(answers: Kept, found: Kept) -> Iterator[Row]:
    step = StepName.ADMINISTRATOR
    if answers["kind"] == AdministratorKind.NONE:
        note = _("The integration solution and the roles must be in Sales already.")
        yield Row(_("Administrator"), _("Do not import the solution"), step, note)
        return
    where = _("%(full_name)s, System Administrator of %(organization)s") % found
    yield Row(_("Administrator"), answers["username"] or found["full_name"], step, where)
    is_password = answers["kind"] == AdministratorKind.PASSWORD
    yield Row(
        _("Administrator's password") if is_password else _("Administrator's sign-in"),
        _("Used") if is_password else _("Signed in with Microsoft"),
        step,
        _("Exchanged for a sign-in that ends with this setup."),
    )


def _integration_user(answers: Kept, found: Kept) -> Iterator[Row]:
    kind = KIND(answers["kind"])
    step = StepName.INTEGRATION_USER
    application = _("Application (client) ID of the integration application")
    caption = _("Integration user") if kind == KIND.PASSWORD else application
    yield Row(caption, answers[IDENTITY_INPUTS[kind][0]], step, _who(found))
    note = ""
    if found["expires"]:
        until = {"day": date_format(date.fromisoformat(found["expires"]))}
        note = _("Valid until %(day)s") % until
    yield Row(str(_SECRETS[kind]), _("Set"), step, note)


def _who(found: Kept) -> str:
    if found["is_new"]:
        return _("Its user in Sales will be created")
    if not found["roles"]:
        return _("%(full_name)s, without roles yet") % found
    roles = {"name": found["full_name"], "roles": ", ".join(found["roles"])}
    return _("%(name)s, with the roles %(roles)s") % roles


def _tables(answers: Kept, found: Kept) -> Iterator[Row]:
    along = ", ".join(scopes.captions(found["came_along"]))
    note = _("Ticked along, because others need it: %(tables)s") % {"tables": along}
    value = ", ".join(scopes.captions(answers["scopes"]))
    yield Row(_("What to synchronize"), value, StepName.TABLES, note if along else "")
    if "owner" in found:
        who = ownership.said(answers["ownership"], found["owner"])
        yield Row(_("Owner of records created in Sales"), who, StepName.TABLES)


def _checks(answers: Kept, found: Kept) -> Iterator[Row]:
    del answers
    warnings = [check["caption"] for check in found["checks"] if check["state"] == "warn"]
    counts = {"count": len(found["checks"]), "warnings": len(warnings)}
    value = _("%(count)s looked at, %(warnings)s with a warning") % counts
    yield Row(_("Checks"), value, StepName.CHECKS, ", ".join(warnings))
