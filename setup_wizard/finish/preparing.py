"""The acts in Sales besides the import: the integration user, its roles, change tracking.

With an administrator they are done, without one they are checked. Each looks first and does what
is missing, so that asking again after a lost answer does no harm; what was missing is remembered
before it is changed, for the receipt.
"""

from collections.abc import Mapping
from uuid import UUID

from django.utils.translation import gettext as _

from crmsync.connections.models import Connection
from crmsync.dataverse import administration, environment, roles
from crmsync.dataverse.administration import AccessMode, User
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import NotAMember
from setup_wizard.errors import SetupProblem
from setup_wizard.finish.plan import ActName, Memory, Plan
from setup_wizard.guide import suitability
from setup_wizard.guide.asking import asked_as
from setup_wizard.guide.scopes import tables_of
from setup_wizard.integration_solution import ROLES_OF_THE_INTEGRATION, SOLUTION

# What a user is called that is created from an application's id.
FIRST_NAME, LAST_NAME = "crmsync", "Integration"


def ready_user(plan: Plan, memory: Memory) -> bool:
    """The integration user is a user of Sales, and one that synchronization may act as."""
    administrator_id = _administrator_id(plan)
    user_id = _user_id(plan, memory)
    user = asked_as(plan.reader_field, lambda: administration.user(plan.reader, user_id))
    suitability.check_integration_user(
        user, administrator_id=administrator_id, has_administrator=plan.admin is not None
    )
    memory.keep(
        ActName.USER,
        user_id=str(user.user_id),
        business_unit_id=str(user.business_unit_id),
        name=user.full_name,
    )
    return True


def _administrator_id(plan: Plan) -> UUID | None:
    if (admin := plan.admin) is None:
        return None
    return asked_as("admin-user", lambda: administration.who_am_i(admin)).user_id


def _user_id(plan: Plan, memory: Memory) -> UUID:
    by_password = plan.integration_user.kind == Connection.IdentityKind.PASSWORD
    if (admin := plan.admin) is not None and not by_password:
        return _application_user(plan, admin, memory)
    return asked_as("integration-user", lambda: _itself(plan))


def _itself(plan: Plan) -> UUID:
    """Who it is by its own token; one without roles yet is found by its name."""
    try:
        return administration.who_am_i(plan.acting).user_id
    except NotAMember:
        name = plan.integration_user.name
        found = administration.user_by_name(plan.admin, name) if plan.admin else None
        if found is None:
            raise
        return found


def _application_user(plan: Plan, admin: Client, memory: Memory) -> UUID:
    application_id = UUID(plan.integration_user.name)
    found = asked_as(
        "admin-user", lambda: administration.user_by_application(admin, application_id)
    )
    if found:
        return found
    memory.did(ActName.USER, plan.administrator, is_created=True)
    return asked_as("admin-user", lambda: _create(admin, application_id))


def _create(admin: Client, application_id: UUID) -> UUID:
    """In the root business unit: whoever administers a branch must not decide how far it sees."""
    user_id = administration.create_application_user(
        admin,
        application_id=application_id,
        business_unit_id=administration.root_business_unit(admin),
        first_name=FIRST_NAME,
        last_name=LAST_NAME,
    )
    created = administration.user(admin, user_id)
    if created.access_mode != AccessMode.NON_INTERACTIVE:
        administration.set_access_mode(admin, user_id, AccessMode.NON_INTERACTIVE)
    return user_id


def give_roles(plan: Plan, memory: Memory) -> bool:
    """The integration user holds both integration roles; no role is taken away."""
    user = asked_as(plan.reader_field, lambda: administration.user(plan.reader, memory.user_id))
    missing = [role_id for role_id in ROLES_OF_THE_INTEGRATION if not _holds(user, role_id)]
    if missing and plan.admin is None:
        raise _not_held(user, missing)
    if missing and plan.admin is not None:
        _assign(plan, plan.admin, user, missing, memory)
    names = [_role_name(one) for one in ROLES_OF_THE_INTEGRATION]
    memory.keep(ActName.ROLES, names=names, user=user.full_name)
    return True


def _holds(user: User, role_id: UUID) -> bool:
    """Directly: who leaves a team must not lose what synchronization needs."""
    return any(role.root_role_id == role_id and role.is_direct for role in user.roles)


def _assign(plan: Plan, admin: Client, user: User, missing: list[UUID], memory: Memory) -> None:
    copies = asked_as("admin-user", lambda: roles.roles_in(admin, user.business_unit_id, missing))
    _check_all_there(missing, copies)
    given = memory.of(ActName.ROLES).get("given", [])
    new = [_role_name(role_id) for role_id in missing]
    given = list(dict.fromkeys([*given, *new]))
    who = {"user": user.full_name, "user_id": str(user.user_id)}
    memory.did(ActName.ROLES, plan.administrator, given=given, **who)
    for role_id in copies.values():
        _assign_one(admin, user, role_id)


def _assign_one(admin: Client, user: User, role_id: UUID) -> None:
    asked_as("admin-user", lambda: roles.assign_role(admin, user.user_id, role_id))


def _check_all_there(wanted: list[UUID], copies: Mapping[UUID, UUID]) -> None:
    absent = [_role_name(role_id) for role_id in wanted if role_id not in copies]
    if absent:
        raise SetupProblem(
            _("Sales does not show these roles in the user's business unit: %(roles)s.")
            % {"roles": ", ".join(absent)},
            field="",
            remedy=_(
                "Try again in a minute. If they stay away, remove the solution crmsync in Sales "
                "and set up again: it is imported anew."
            ),
        )


def _not_held(user: User, missing: list[UUID]) -> SetupProblem:
    return SetupProblem(
        _("%(name)s does not hold these roles: %(roles)s.")
        % {"name": user.full_name, "roles": ", ".join(map(_role_name, missing))},
        field="",
        remedy=_(
            "Have an administrator of Sales assign them, then try again; or go back to the step "
            "Administrator and let the guide do it."
        ),
    )


def _role_name(role_id: UUID) -> str:
    return next(role.name for role in SOLUTION.roles if role.role_id == role_id)


def switch_tracking_on(plan: Plan, memory: Memory) -> bool:
    """Changes of the tables agreed to are tracked; one table a time, each takes a while."""
    off = _untracked(plan)
    agreed = [table for table in off if table in plan.tracked]
    if (admin := plan.admin) is None or not agreed:
        memory.keep(ActName.TRACKING, off=off)
        return True
    table = agreed[0]
    switched = memory.of(ActName.TRACKING).get("switched", [])
    switched = list(dict.fromkeys([*switched, table]))
    memory.did(ActName.TRACKING, plan.administrator, switched=switched)
    asked_as("admin-user", lambda: environment.enable_change_tracking(admin, table))
    return False


def _untracked(plan: Plan) -> list[str]:
    """Of every table that takes part: what nobody agreed to switch on is told, too."""
    tables = tuple(dict.fromkeys([*plan.tracked, *tables_of(plan.scopes)]))
    found = asked_as(plan.reader_field, lambda: environment.change_tracking(plan.reader, tables))
    return [table for table in tables if not found[table]]
