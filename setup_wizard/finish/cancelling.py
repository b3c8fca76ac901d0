"""Cancel a setup: what was typed is forgotten, what was done in Sales stays known.

It is told to the person and kept on record; where this installation is or was connected at the
same address, its receipt tells it, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db import transaction

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.connections.models import Connection
from setup_wizard.finish import accesses
from setup_wizard.finish.deeds import Deed, deeds_of, recorded
from setup_wizard.finish.plan import ActName, now
from setup_wizard.finish.receipt import Entry, entry, with_cancelled
from setup_wizard.guide import progress
from setup_wizard.guide.steps import StepName
from setup_wizard.models import FormerConnection, SetupProgress


@dataclass(frozen=True, slots=True)
class Left:
    """Something that stays in Sales; ``is_needed`` by the connection that works."""

    entry: Entry
    is_needed: bool


def left(*, user_id: int) -> list[Left]:
    """What would stay in Sales if the person cancelled now."""
    row = SetupProgress.objects.filter(user_id=user_id).first()
    return list(_left(row)) if row else []


def cancel(*, user_id: int, by: Actor) -> list[Left]:
    """Forget everything that was typed and sealed; returns what stays in Sales, to be told."""
    with transaction.atomic():
        row = SetupProgress.objects.select_for_update().filter(user_id=user_id).first()
        stays = list(_left(row)) if row else []
        progress.cancel(user_id=user_id)
        if row and row.finish:
            _keep_known(row)
            _record(row, by)
    return stays


def _left(row: SetupProgress) -> Iterator[Left]:
    for deed in deeds_of(row.finish):
        if deed.told:
            yield Left(_told(deed, row), _is_needed(deed))


def _told(deed: Deed, row: SetupProgress) -> Entry:
    """With its environment, where that is not the one of the answers confirmed last."""
    elsewhere = deed.environment if deed.environment != _origin(row) else ""
    return replace(entry(deed.act, deed.told), environment=elsewhere)


def _is_needed(deed: Deed) -> bool:
    """The user and its roles only where it is the one that synchronization acts as."""
    rows = Connection.objects.filter(is_being_set_up=False, origin=deed.environment)
    working = rows.first()
    if working is None or deed.act not in (ActName.USER, ActName.ROLES):
        return working is not None
    return bool(deed.facts.get("user_id") == str(working.integration_user_id))


def _origin(row: SetupProgress) -> str:
    agreed = row.finish.get("agreed", {}).get(StepName.ENVIRONMENT, {})
    return str(agreed.get("url", ""))


def _keep_known(row: SetupProgress) -> None:
    """With the connection that works, or else the one that was reset: what was done there."""
    done, had = deeds_of(row.finish), accesses.ended(row.finish, {}, at=now())
    for model in (Connection, FormerConnection):
        known = model.objects.select_for_update().first()
        there = known.origin if known else ""
        theirs = [deed for deed in done if deed.environment == there]
        if known and (theirs or _origin(row) == there):
            access = [one for one in had if one["environment"] == there]
            known.receipt = with_cancelled(known.receipt, done=theirs, accesses=access)
            known.save(update_fields=["receipt"])
            return


def _record(row: SetupProgress, by: Actor) -> None:
    found = row.seen.get(StepName.ADMINISTRATOR, {})
    label = str(found.get("organization") or _origin(row))
    names = [one["administrator"] for one in accesses.ended(row.finish, {}, at=now())]
    audit.record(
        act=Act.SETUP_CANCELLED,
        by=by,
        subject=audit.Subject("connection", "1", label),
        after={
            "environment": _origin(row),
            "administrator": ", ".join(dict.fromkeys(names)),
            **recorded(deeds_of(row.finish), environment=_origin(row)),
        },
    )
