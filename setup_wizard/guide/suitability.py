"""Who may prepare Sales, who may be the integration user, and which books fit. No effects.

The rules are those of Microsoft's own integration (BCApps, CDSIntegrationImpl); roles are told by
their templates, because their names are translated.
"""

from uuid import UUID

from django.utils.translation import gettext as _

from crmsync.dataverse.administration import AccessMode, User
from crmsync.ledger.models import CompanyInformation
from setup_wizard.errors import SetupProblem
from setup_wizard.guide.access import named

_WORKS = (AccessMode.READ_WRITE, AccessMode.NON_INTERACTIVE)


def check_administrator(user: User) -> None:
    """Raises SetupProblem unless the user may import a solution and hand out roles."""
    who = {"name": user.full_name}
    if user.is_disabled:
        raise SetupProblem(
            _("%(name)s is disabled in Sales.") % who,
            field="admin-user",
            remedy=_("Enable the user in Sales, or name another one."),
        )
    if not user.is_system_administrator and not user.is_system_customizer:
        raise SetupProblem(
            _(
                "%(name)s is not a System Administrator of this environment, and no System "
                "Customizer."
            )
            % who,
            field="admin-user",
            remedy=_(
                "Name a user who holds the roles System Administrator and System Customizer, or "
                "have them assigned."
            ),
        )
    if not user.is_system_administrator:
        raise SetupProblem(
            _("%(name)s is not a System Administrator of this environment.") % who,
            field="admin-user",
            remedy=_("Name a user who holds the role System Administrator, or have it assigned."),
        )


def check_integration_user(
    user: User, *, administrator_id: UUID | None, has_administrator: bool
) -> None:
    """Raises SetupProblem unless synchronization may act as this user.

    Roles may be missing where an administrator is there to assign them.
    """
    who = {"name": user.full_name}
    if user.user_id == administrator_id:
        raise _unsuitable(
            _("The integration user is the administrator."),
            _("Name a dedicated user or application: changes it makes must be told apart."),
        )
    if user.is_disabled:
        raise _unsuitable(
            _("%(name)s is disabled in Sales.") % who,
            _("Enable the user in Sales, or name another one."),
        )
    if user.is_system_administrator:
        raise _unsuitable(
            _("%(name)s is a System Administrator.") % who,
            _("Take the role away: the integration user needs only the integration role."),
        )
    _check_access(user)
    if not user.roles and not has_administrator:
        raise _unsuitable(
            _("%(name)s has no role in Sales.") % who,
            _("Assign the integration role to the user in Sales."),
        )


def check_currency(base_currency_code: str, company: CompanyInformation | None) -> None:
    """Raises SetupProblem unless the books are kept in the base currency of Sales."""
    if company is not None and company.local_currency_code != base_currency_code:
        raise SetupProblem(
            _(
                "The base currency of Sales is %(crm)s, the local currency of %(company)s "
                "is %(ledger)s."
            )
            % {
                "crm": base_currency_code,
                "company": company.name,
                "ledger": company.local_currency_code,
            },
            field="url",
            remedy=_("Connect an environment with the same base currency: it cannot be changed."),
        )


def _check_access(user: User) -> None:
    who = {"name": user.full_name}
    if user.access_mode not in _WORKS:
        raise _unsuitable(
            _("The access mode of %(name)s is %(mode)s, which does not allow synchronization.")
            % {**who, "mode": named(user.access_mode)},
            _("Set the access mode in Sales to Non-interactive or to Read-Write."),
        )
    if not user.is_licensed and user.access_mode != AccessMode.NON_INTERACTIVE:
        raise _unsuitable(
            _("%(name)s has no licence for Sales.") % who,
            _("Assign a licence, or set the access mode in Sales to Non-interactive."),
        )


def _unsuitable(sentence: str, remedy: str) -> SetupProblem:
    return SetupProblem(sentence, field="integration-user", remedy=remedy)
