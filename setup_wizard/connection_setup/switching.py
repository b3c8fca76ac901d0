"""Enable, disable and reset the connection."""

import hashlib
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.connections.models import Connection
from crmsync.ledger.queries import get_company
from crmsync.sync import disabling
from crmsync.sync import services as sync
from crmsync.sync.models import Job
from crmsync.terms import ACTIVE_STATES
from setup_wizard.connection_setup import trying
from setup_wizard.connection_setup.trying import Trial
from setup_wizard.errors import SetupProblem
from setup_wizard.guide import preflight
from setup_wizard.models import FormerConnection


def present() -> Connection | None:
    """The connection, enabled or not; none that a setup has not finished yet."""
    return Connection.objects.filter(is_being_set_up=False).first()


def enable(*, by: Actor, shown: str = "") -> Trial | None:
    """Test the connection, and enable it if nothing stands in the way; None: it was enabled.

    ``shown`` is when the page said it was disabled (see ``disabling_of``), blank where nobody
    looked: what was disabled again since then, for another reason, stays so. Work begins when
    somebody asks for it. Raises SetupProblem where there is no connection, where it was changed
    meanwhile, or where the company cannot be connected.
    """
    connection = _required()
    if connection.is_enabled:
        return None
    if shown and shown != disabling_of(connection):
        raise changed_meanwhile()
    if obstacle := preflight.company_obstacle(get_company()):
        raise obstacle
    trial = trying.try_connection(connection=connection)
    if trial.has_passed:
        _enable(connection, by)
    return trial


def _enable(tested: Connection, by: Actor) -> None:
    """That very connection; when it was disabled stays known, to whoever still worked with it."""
    same = {name: getattr(tested, name) for name in ("origin", "organization_id", "sealed_secret")}
    with transaction.atomic():
        rows = Connection.objects.select_for_update().filter(is_being_set_up=False, **same)
        found = rows.first()
        if found is None or disabling_of(found) != disabling_of(tested):
            raise changed_meanwhile()
        if found.is_enabled:
            return
        rows.update(
            is_enabled=True, disabled_because="", disabled_code="", disabled_service_code=""
        )
        audit.record(
            act=Act.CONNECTION_ENABLED,
            by=by,
            subject=subject(found),
            before={"enabled": False},
            after={"enabled": True},
        )


def disabling_of(connection: Connection) -> str:
    """Tells one disabling from the next."""
    return connection.disabled_at.isoformat() if connection.disabled_at else ""


def disable(*, by: Actor, because: str) -> bool:
    """No request follows those that are under way; True when it was enabled.

    Raises SetupProblem where there is no connection.
    """
    _required()
    return disabling.disable(by=by, because=because)


def which(connection: Connection) -> str:
    """Names the connection that a page shows, so that no other one is forgotten in its place."""
    told = f"{connection.origin} {connection.organization_id} {connection.connected_at}"
    return hashlib.sha256(told.encode()).hexdigest()


def reset(*, by: Actor, shown: str) -> bool:
    """Forget the connection with its secret; couplings stay. False when there was none.

    With which organization the couplings were made is kept, and what its setups did in Sales.
    Raises SetupProblem while a run is active and where it is not the one that was ``shown``
    (see ``which``), and forgets nothing.
    """
    with transaction.atomic():
        connection = Connection.objects.select_for_update().filter(is_being_set_up=False).first()
        if connection is None:
            return False
        if shown != which(connection):
            raise changed_meanwhile()
        if Job.objects.filter(state__in=ACTIVE_STATES).exists():
            raise _still_running()
        FormerConnection.objects.update_or_create(pk=1, defaults=_kept(connection))
        sync.forget_sales(rows=False)
        connection.delete()
        audit.record(
            act=Act.CONNECTION_RESET,
            by=by,
            subject=audit.Subject("connection", "1", connection.organization_name),
            before={
                "environment": connection.origin,
                "organization": connection.organization_name,
                "integration_user": connection.integration_user_name,
                "scopes": connection.scopes,
            },
            after={},
        )
    return True


def _kept(connection: Connection) -> dict[str, Any]:
    names = ("origin", "organization_id", "organization_name", "receipt")
    return {name: getattr(connection, name) for name in names}


def subject(connection: Connection) -> audit.Subject:
    return audit.Subject("connection", str(connection.pk), connection.organization_name)


def changed_meanwhile() -> SetupProblem:
    return SetupProblem(
        _("The connection was changed meanwhile."),
        field="",
        remedy=_("Look at it as it is now, then try again."),
    )


def _required() -> Connection:
    connection = present()
    if connection is None:
        raise SetupProblem(
            _("This installation is not connected to Sales yet."),
            field="",
            remedy=_("Connect with Assisted Setup."),
        )
    return connection


def _still_running() -> SetupProblem:
    return SetupProblem(
        _("A synchronization is under way."),
        field="",
        remedy=_("Wait for its end or cancel it, then reset the connection."),
    )
