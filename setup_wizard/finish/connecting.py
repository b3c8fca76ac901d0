"""The acts on our side: the connection is stored, gets its counterpart, and is enabled.

A connection that is enabled works on until the last act replaces it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crmsync.audit import services as audit
from crmsync.audit.acts import Act
from crmsync.connections import secrets
from crmsync.connections.models import Connection
from crmsync.connections.services import SECRET_PLACE
from crmsync.dataverse import administration
from crmsync.frame import people
from crmsync.frame.errors import NameTaken
from crmsync.ledger.queries import get_company
from crmsync.sync import services as sync
from setup_wizard.errors import ConnectionChanged, SetupProblem
from setup_wizard.finish import deeds
from setup_wizard.finish.plan import ActName, Memory, Plan, now
from setup_wizard.finish.receipt import receipt
from setup_wizard.guide import preflight
from setup_wizard.guide.asking import asked_as
from setup_wizard.models import FormerConnection

# Our own user that stands for the integration user in Sales; nobody signs in with it.
COUNTERPART = "Dynamics 365 Sales"
COUNTERPARTS = (COUNTERPART, *(f"{COUNTERPART} {number}" for number in range(2, 10)))


def store(plan: Plan, memory: Memory) -> bool:
    """Keep the connection, sealed and disabled; where one works already, it is left alone."""
    # A sign-in that has ended is not the fault of the address.
    asked_as(plan.reader_field, lambda: administration.who_am_i(plan.reader))
    seen = preflight.check_organization(plan.reader)
    organization = seen.organization
    memory.keep(
        ActName.STORED,
        organization_id=str(seen.organization_id),
        organization=organization.name,
        organization_version=organization.version,
        currency_id=str(organization.base_currency_id),
        currency=organization.base_currency_code,
    )
    with transaction.atomic():
        plan.expect_wanted()
        present = Connection.objects.select_for_update().first()
        replaces = present is not None and not present.is_being_set_up
        if not replaces:
            _save(
                _values(plan, memory),
                is_enabled=False,
                is_being_set_up=True,
                disabled_because=_("The connection is being set up."),
            )
    memory.keep(ActName.STORED, replaces=replaces, former=_which(present))
    return True


def _which(connection: Connection | None) -> str:
    """Tells one working connection from another; blank where there is none."""
    if connection is None or connection.is_being_set_up:
        return ""
    return f"{connection.origin} {connection.organization_id} {connection.connected_at}"


def pending(plan: Plan, memory: Memory) -> Connection:
    """The connection as it will be enabled: what was stored, or else what will replace another.

    Raises ConnectionChanged where somebody else has connected since it was stored.
    """
    present = Connection.objects.first()
    _expect_the_former(present, memory)
    if present is not None and present.is_being_set_up:
        return present
    return Connection(**_values(plan, memory))


def _expect_the_former(present: Connection | None, memory: Memory) -> None:
    if _which(present) != memory.of(ActName.STORED)["former"]:
        raise ConnectionChanged(
            _("Somebody else has set up the connection meanwhile."),
            field="",
            remedy=_("Look at your answers, and confirm them again if yours is to replace theirs."),
        )


def _save(values: Mapping[str, Any], **state: Any) -> Connection:
    saved, _is_new = Connection.objects.update_or_create(pk=1, defaults={**values, **state})
    return saved


def _values(plan: Plan, memory: Memory) -> dict[str, Any]:
    """Of the connection, but for its state. The secret is sealed as it will rest."""
    user, found = plan.integration_user, memory.of(ActName.STORED)
    by_password = user.kind == Connection.IdentityKind.PASSWORD
    return {
        "origin": plan.environment.origin,
        "organization_id": UUID(found["organization_id"]),
        "organization_name": found["organization"],
        "organization_version": found["organization_version"],
        "base_currency_id": UUID(found["currency_id"]),
        "base_currency_code": found["currency"],
        "authority_url": plan.environment.authority.url,
        "tenant": plan.environment.authority.tenant,
        "identity_kind": user.kind,
        "application_id": plan.environment.application_id if by_password else user.name,
        "registration_id": plan.environment.application_id,
        "integration_username": user.name if by_password else "",
        "integration_user_id": memory.user_id,
        "integration_user_name": memory.of(ActName.USER)["name"],
        "sealed_secret": secrets.seal(user.secret, place=SECRET_PLACE),
        "credential_expires_at": plan.expires_at,
        "solution_version": memory.of(ActName.SOLUTION).get("version", ""),
        "scopes": [scope.value for scope in plan.scopes],
        "ownership": plan.owner.ownership,
        "owner_id": plan.owner.owner_id,
        "owner_name": plan.owner.name,
    }


def add_counterpart(plan: Plan, memory: Memory) -> bool:
    """Our own user that stands for the integration; asked again, it is the same one.

    A person who has its name keeps it: then the counterpart has the next name that is free.
    """
    for name in COUNTERPARTS:
        try:
            user_id = people.add_non_interactive(name=name, by=plan.by)
        except NameTaken:
            continue
        memory.keep(ActName.COUNTERPART, user_id=user_id, name=name)
        return True
    raise SetupProblem(
        _("People have every name that the counterpart among our own users could have."),
        field="",
        remedy=_("Ask whoever keeps this installation, then try again."),
    )


def enable(plan: Plan, memory: Memory) -> bool:
    """The connection works from here on; in the same moment all that was sealed is dropped.

    Raises SetupProblem when what was checked no longer holds, and changes nothing then.
    """
    if obstacle := preflight.company_obstacle(get_company()):
        raise obstacle
    values, connected_at = _values(plan, memory), now()
    with transaction.atomic():
        former = Connection.objects.select_for_update().first()
        _expect_the_former(former, memory)
        preflight.check_not_elsewhere(values["organization_id"])
        _forget_the_former(former, values)
        before = _told(former)
        made = _save(
            values,
            is_enabled=True,
            is_being_set_up=False,
            disabled_because="",
            connected_at=connected_at,
            connected_by=plan.by.name,
            answered_at=_answered_at(memory),
            receipt=receipt(
                plan, memory, dropped_at=connected_at, former=_receipt_of(former, values)
            ),
            gate_open_at=_gate(former, values),
        )
        FormerConnection.objects.all().delete()
        sync.look_at_tracking_again(tables=memory.of(ActName.TRACKING).get("switched", []))
        audit.record(
            act=Act.CONNECTION_SET_UP,
            by=plan.by,
            subject=audit.Subject("connection", str(made.pk), made.organization_name),
            before=before,
            after={**_told(made), **_done_in_sales(plan, memory)},
        )
        plan.conclude()
    memory.keep(ActName.ENABLED, organization=made.organization_name)
    return True


def _gate(former: Connection | None, values: Mapping[str, Any]) -> datetime | None:
    """The same user is set up over its own connection: the wait that Sales asked for goes on."""
    names = ("organization_id", "integration_user_id")
    is_same = former is not None and all(getattr(former, name) == values[name] for name in names)
    return former.gate_open_at if former is not None and is_same else None


def _answered_at(memory: Memory) -> datetime | None:
    """When Sales last answered the integration user, as far as the setup knows."""
    at = memory.of(ActName.VERIFIED).get("at")
    return datetime.fromisoformat(at) if at else None


def _forget_the_former(former: Connection | None, values: Mapping[str, Any]) -> None:
    """Links and rows of another address or organization would be followed and compared.

    After a reset they are of the connection that was reset.
    """
    is_new = former is None or former.is_being_set_up
    last = FormerConnection.objects.first() if is_new else former
    if last is None:
        return
    is_other = last.organization_id != values["organization_id"]
    if is_other or last.origin != values["origin"]:
        sync.leave_sales(rows=is_other)


def _receipt_of(former: Connection | None, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an earlier setup did in the same organization, if it is known."""
    is_new = former is None or former.is_being_set_up
    known = FormerConnection.objects.first() if is_new else former
    if known is None or known.organization_id != values["organization_id"]:
        return None
    return known.receipt or None


def _done_in_sales(plan: Plan, memory: Memory) -> dict[str, Any]:
    """Kept on record, too: the receipt ends with a connection to another organization."""
    done = deeds.recorded(deeds.done_by(plan, memory), environment=plan.environment.origin)
    former = [one["administrator"] for one in plan.before.get("accesses", [])]
    names = dict.fromkeys([*([plan.administrator] if plan.admin else []), *former])
    return {**done, "administrator": ", ".join(names)}


def _told(connection: Connection | None) -> dict[str, Any]:
    """What the audit log keeps of a connection that works or worked."""
    if connection is None or connection.is_being_set_up:
        return {}
    return {
        "environment": connection.origin,
        "organization": connection.organization_name,
        "integration_user": connection.integration_user_name,
        "scopes": connection.scopes,
        "ownership": connection.ownership,
        "owner": connection.owner_name,
        # No more than when it was stored: each setup stores one anew.
        "credentials": connection.connected_at,
    }
