"""Test Connection: everything that synchronization relies on, looked at live, line by line.

Each line says what was seen, or that nobody looked because of the line above it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.connections import services as connections
from crmsync.connections.errors import ConnectionProblem
from crmsync.connections.models import Connection
from crmsync.connections.wording import of_error, of_kept
from crmsync.dataverse import administration, solutions
from crmsync.dataverse.administration import Caller
from crmsync.dataverse.client import Client
from crmsync.dataverse.column_security import hidden_columns
from crmsync.dataverse.errors import DataverseError
from crmsync.dataverse.roles import missing_privileges
from crmsync.dataverse.session import Tokens
from crmsync.dataverse.solution import Version, version_text
from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping
from crmsync.mapping.wording import HIDDEN_REMEDY
from setup_wizard.errors import SetupProblem
from setup_wizard.guide import preflight, suitability
from setup_wizard.integration_solution import ROLES_OF_THE_INTEGRATION, SOLUTION, needed_privileges


@dataclass(frozen=True, slots=True)
class Finding:
    """``tone`` is good, warn, bad, or none where nobody looked."""

    caption: str
    tone: str
    seen: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was found, in order. ``has_answered``: Sales itself, to the integration user."""

    findings: tuple[Finding, ...]
    has_answered: bool = False

    @property
    def has_passed(self) -> bool:
        """Everything was looked at, and nothing stands in the way."""
        return all(found.tone in ("good", "warn") for found in self.findings)

    @property
    def bad(self) -> int:
        return sum(found.tone == "bad" for found in self.findings)


@dataclass(slots=True)
class Probe:
    """What the lines find out for those after them. ``tokens`` are the stored ones unless given."""

    connection: Connection
    tokens: Tokens | None = None
    caller: Caller | None = None
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> Client:
        """Acts as the integration user; only once the secret was opened."""
        assert self.tokens is not None  # noqa: S101 - for the type checker; the lines have an order
        return connections.new_client(origin=self.connection.origin, tokens=self.tokens)

    @property
    def mappings(self) -> Iterator[TableMapping]:
        return (one for one in all_mappings() if one.scope in self.connection.scopes)


# Tone, what was seen, what to do.
Seen = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """``is_basis``: without it nobody can look at the lines after it."""

    caption: str | Promise
    look: Callable[[Probe], Seen]
    is_basis: bool = False


def _good(seen: str) -> Seen:
    return "good", seen, ""


def _bad(seen: str, remedy: str) -> Seen:
    return "bad", seen, remedy


def _environment(probe: Probe) -> Seen:
    if wait := connections.gate_remaining():
        seconds = {"seconds": round(wait)}
        return _bad(
            _("Sales asked us to wait for %(seconds)s seconds.") % seconds, _("Then try again.")
        )
    found = preflight.check_environment(url=probe.connection.origin, application_id="")
    if found.authority.tenant != probe.connection.tenant:
        return _bad(
            _("The environment belongs to another tenant than when it was connected."),
            _("If that was intended, connect again with Assisted Setup."),
        )
    tenant = {"origin": found.origin, "tenant": found.authority.tenant}
    return _good(_("%(origin)s answers, in the tenant %(tenant)s.") % tenant)


def _secret(probe: Probe) -> Seen:
    if probe.tokens is None:
        probe.tokens = connections.stored_tokens(probe.connection)
        return _good(_("The stored secret opens with the keys at hand."))
    return _good(_("The new one is complete and can be used."))


def _sign_in(probe: Probe) -> Seen:
    assert probe.tokens is not None  # noqa: S101 - for the type checker; the lines have an order
    probe.tokens.token(fresh=True)
    return _good(_("The sign-in service gave a new token."))


def _organization(probe: Probe) -> Seen:
    probe.caller = administration.who_am_i(probe.client)
    if probe.caller.organization_id != probe.connection.organization_id:
        return _bad(
            _("Another organization answers at the address."),
            _("Connect to the organization that this installation was set up with."),
        )
    return _good(_("%(name)s answers.") % {"name": probe.connection.organization_name})


def _user(probe: Probe) -> Seen:
    """Who we are there; changes of another user could not be told apart from people's."""
    assert probe.caller is not None  # noqa: S101 - for the type checker; the lines have an order
    user = administration.user(probe.client, probe.caller.user_id)
    if user.user_id != probe.connection.integration_user_id:
        return _bad(
            _("Sales knows us as %(name)s, who is another user than the one that was set up.")
            % {"name": user.full_name},
            _("Name this user in Assisted Setup: it assigns the roles, too."),
        )
    # Roles that are missing have a line of their own.
    suitability.check_integration_user(user, administrator_id=None, has_administrator=True)
    return _good(_("Sales knows us as %(name)s.") % {"name": user.full_name})


def _version(probe: Probe) -> Seen:
    probe.facts["organization_version"] = found = administration.version(probe.client)
    return _good(_("Version %(version)s.") % {"version": found})


def _solution(probe: Probe) -> Seen:
    found = solutions.installed(probe.client, SOLUTION.unique_name)
    probe.facts["solution_version"] = there = _text(found.version if found else None)
    wanted = {"version": version_text(SOLUTION.version), "there": there}
    remedy = _("Choose Redeploy Integration Solution.")
    if found is None:
        return _bad(_("The integration solution is not installed."), remedy)
    if found.version is None or found.version < SOLUTION.version:
        older = _("Version %(there)s is installed, which is older than %(version)s.")
        return "warn", older % wanted, remedy
    return _good(_("Version %(there)s is installed.") % wanted)


def _text(version: Version | None) -> str:
    return version_text(version) if version else ""


def _roles(probe: Probe) -> Seen:
    user = administration.user(probe.client, probe.connection.integration_user_id)
    probe.facts["integration_roles"] = held = ", ".join(user.role_names)[:1000]
    ours = {role.role_id: role.name for role in SOLUTION.roles}
    missing = [ours[one] for one in ROLES_OF_THE_INTEGRATION if not user.holds(one)]
    if missing:
        return (
            "warn",
            _("Not held: %(roles)s.") % {"roles": ", ".join(missing)},
            _("Have them assigned in Sales, or let Assisted Setup do it."),
        )
    return _good(_("Held: %(roles)s.") % {"roles": held})


def _privileges(probe: Probe) -> Seen:
    user_id = probe.connection.integration_user_id
    missing = missing_privileges(probe.client, user_id, needed_privileges())
    if missing:
        names = ", ".join(privilege.name for privilege in missing)
        return _bad(
            _("Missing: %(names)s.") % {"names": names},
            _("Restore the roles of the integration solution, or redeploy it."),
        )
    return _good(_("None is missing."))


def _readable(mapping: TableMapping) -> Callable[[Probe], Seen]:
    """A row with every column that synchronization reads; a hidden one comes without an error."""

    def look(probe: Probe) -> Seen:
        probe.client.first_page(mapping.crm, columns=mapping.crm_columns, page_size=1)
        hidden = hidden_columns(
            probe.client,
            user_id=probe.connection.integration_user_id,
            table=mapping.crm.logical_name,
            columns=[mapped.crm for mapped in mapping.fields],
        )
        if hidden:
            seen = _("Hidden from the integration user: %(columns)s.")
            return "warn", seen % {"columns": ", ".join(hidden)}, str(HIDDEN_REMEDY)
        return _good(_("Can be read, with every column."))

    return look


WHO_ANSWERS = (
    Line(gettext_lazy("Environment"), _environment, is_basis=True),
    Line(gettext_lazy("Secret"), _secret, is_basis=True),
    Line(gettext_lazy("Sign-in"), _sign_in, is_basis=True),
    Line(gettext_lazy("Organization"), _organization, is_basis=True),
    Line(gettext_lazy("Integration user"), _user, is_basis=True),
)
PRIVILEGES = Line(gettext_lazy("Privileges"), _privileges)
THE_REST = (
    Line(gettext_lazy("Version of Sales"), _version),
    Line(gettext_lazy("Integration solution"), _solution),
    Line(gettext_lazy("Roles"), _roles),
    PRIVILEGES,
)


def try_connection(*, connection: Connection) -> Trial:
    """Look at everything with what is stored, and remember that Sales answered, if it did.

    Also while the connection is disabled.
    """
    probe = Probe(connection)
    tables = [Line(capfirst(str(one.crm_caption)), _readable(one)) for one in probe.mappings]
    trial = look(probe, (*WHO_ANSWERS, *THE_REST, *tables))
    if trial.has_answered:
        rows = Connection.objects.filter(
            pk=connection.pk, origin=connection.origin, sealed_secret=connection.sealed_secret
        )
        rows.update(answered_at=Now(), **probe.facts)
    return trial


def look(probe: Probe, lines: Sequence[Line]) -> Trial:
    findings: list[Finding] = []
    is_lost = False
    for line in lines:
        if is_lost:
            findings.append(Finding(str(line.caption), "none", _("Not looked at.")))
            continue
        found = Finding(str(line.caption), *_looked(line, probe))
        findings.append(found)
        is_lost = line.is_basis and found.tone == "bad"
    caller, expected = probe.caller, probe.connection
    has_answered = (
        caller is not None
        and caller.organization_id == expected.organization_id
        and caller.user_id == expected.integration_user_id
    )
    return Trial(tuple(findings), has_answered)


def _looked(line: Line, probe: Probe) -> Seen:
    try:
        return line.look(probe)
    except SetupProblem as problem:
        return _bad(f"{problem} {problem.detail}".strip(), problem.remedy)
    except DataverseError as error:
        said = of_error(error)
        return _bad(said.in_short, said.remedy)
    except ConnectionProblem as error:
        kept = of_kept(code=error.code, service_code="", sentence=str(error), remedy="")
        return _bad(kept.in_short, kept.remedy)
