"""Checks of who signs in, and of what they may do."""

from django.utils.translation import gettext as _

from crmsync.dataverse.administration import who_am_i
from crmsync.dataverse.roles import missing_privileges
from setup_wizard.checks.subject import Finding, State, Subject
from setup_wizard.guide import owners, preflight
from setup_wizard.guide.ownership import OwnerWish, creates_owned_rows
from setup_wizard.guide.steps import StepName
from setup_wizard.integration_solution import ROLES_OF_THE_INTEGRATION, SOLUTION, needed_privileges


def environment(subject: Subject) -> Finding:
    """Reached live; still in the tenant that was found."""
    known = subject.draft.environment
    found = preflight.check_environment(url=known.origin, application_id=known.application_id)
    if found.authority != known.authority:
        return Finding(
            State.BAD,
            _("The environment belongs to another tenant than when it was first asked."),
            _("Give its address again."),
            step=StepName.ENVIRONMENT,
        )
    tenant = {"origin": found.origin, "tenant": found.authority.tenant}
    return Finding(State.GOOD, _("%(origin)s answers, in the tenant %(tenant)s.") % tenant)


def administrator(subject: Subject) -> Finding:
    """Signed in, a System Administrator; a System Customizer or a warning."""
    token = subject.draft.token
    if token is None:
        return Finding(State.GOOD, _("Nobody: the solution and the roles must be there already."))
    found = preflight.check_administrator(environment=subject.draft.environment, token=token)
    who = {"name": found.full_name, "organization": found.organization.name}
    if not found.is_customizer:
        return Finding(
            State.WARN,
            _("%(name)s is a System Administrator, but not a System Customizer.") % who,
            _("Importing works for a System Administrator. If Sales refuses it, assign the role."),
        )
    if not found.is_licensed:
        return Finding(
            State.WARN,
            _("%(name)s is a System Administrator without a licence for Sales.") % who,
            _("If Sales refuses the import, assign a licence."),
        )
    return Finding(
        State.GOOD,
        _("%(name)s is System Administrator and System Customizer of %(organization)s.") % who,
    )


def integration_user(subject: Subject) -> Finding:
    """Signs in; enabled, with a licence or non-interactive, and nobody who does other things."""
    draft = subject.draft
    found = preflight.check_integration_user(
        environment=draft.environment,
        token=draft.token,
        administrator_id=draft.administrator_id,
        integration_user=draft.integration_user,
    )
    if found.is_new:
        return Finding(
            State.GOOD,
            _("The application can sign in. Its user in Sales will be created by the setup."),
        )
    sentence = _("%(full_name)s can sign in and is enabled.") % {"full_name": found.full_name}
    return Finding(State.GOOD, f"{sentence} {found.access}")


def owner(subject: Subject) -> Finding:
    """Still able to own rows: Sales refuses each row of an owner who is not."""
    if not creates_owned_rows(subject.draft.scopes):
        return Finding(State.GOOD, _("Nothing is created in Sales that belongs to somebody."))
    chosen = subject.draft.owner
    reader = owners.Reader.of(subject.draft)
    wish = OwnerWish(chosen.ownership, str(chosen.owner_id or ""))
    return Finding(State.GOOD, str(owners.checked(reader, wish, subject.draft.scopes)))


def roles(subject: Subject) -> Finding:
    """With an administrator they are assigned; without one they must suffice already."""
    if subject.admin is not None:
        names = ", ".join(
            role.name for role in SOLUTION.roles if role.role_id in ROLES_OF_THE_INTEGRATION
        )
        return Finding(State.GOOD, _("The setup assigns the roles %(names)s.") % {"names": names})
    user_id = who_am_i(subject.acting).user_id
    missing = missing_privileges(subject.acting, user_id, needed_privileges())
    if missing:
        return Finding(
            State.BAD,
            _("The integration user lacks privileges in Sales: %(names)s.")
            % {"names": ", ".join(privilege.name for privilege in missing)},
            _("Have the roles of the integration solution assigned, or name an administrator."),
            step=StepName.ADMINISTRATOR,
        )
    return Finding(State.GOOD, _("The integration user's roles hold every privilege it needs."))
