"""Cancel a setup: what was typed is forgotten, what was done in Sales stays known.

It is told to the person and kept on record; where this installation is or was connected at the
same address, its receipt tells it, too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.connections.models import Connection
from setup_wizard.finish.plan import ActName, Facts, State, now
from setup_wizard.finish.receipt import Entry, entry, with_cancelled
from setup_wizard.guide import progress
from setup_wizard.guide.steps import AdministratorKind, StepName
from setup_wizard.integration_solution import SOLUTION
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
    working = _working(row)
    for act, facts in _done(row).items():
        told = entry(act, facts)
        if told.removal and told.text:
            yield Left(told, _is_needed(act, row, working))


def _is_needed(act: ActName, row: SetupProgress, working: Connection | None) -> bool:
    """The user and its roles only where it is the one that synchronization acts as."""
    if working is None or act not in (ActName.USER, ActName.ROLES):
        return working is not None
    user = row.finish["acts"].get(ActName.USER, {}).get("seen", {}).get("user_id")
    return bool(user == str(working.integration_user_id))


def _working(row: SetupProgress) -> Connection | None:
    """The connection at the address of this setup, enabled or not."""
    return Connection.objects.filter(is_being_set_up=False, origin=_origin(row)).first()


def _origin(row: SetupProgress) -> str:
    agreed = row.finish.get("agreed", {}).get(StepName.ENVIRONMENT, {})
    return str(agreed.get("url", ""))


def _done(row: SetupProgress) -> dict[ActName, Facts]:
    """What each act did or asked for, in order."""
    kept: Mapping[str, Any] = row.finish.get("acts", {})
    found = {act: _facts(act, kept[act]) for act in ActName if act in kept}
    return {act: facts for act, facts in found.items() if facts}


def _facts(act: ActName, kept: Mapping[str, Any]) -> Facts:
    facts: dict[str, Any] = dict(kept["seen"])
    if act != ActName.SOLUTION or "version" in facts:
        return facts
    # Sent, or perhaps: an answer may have been lost. One that failed has no job any more.
    is_refused = kept.get("state") == State.FAILED and not facts.get("is_sent")
    if "job_id" not in facts or is_refused:
        return {}
    return {"is_imported": True, "goes_on": True, "former": facts.get("former", "")}


def _administrator(row: SetupProgress) -> str:
    """Blank where nobody had access."""
    kind = row.answers.get(StepName.ADMINISTRATOR, {}).get("kind", AdministratorKind.NONE)
    if kind == AdministratorKind.NONE:
        return ""
    return str(row.seen.get(StepName.ADMINISTRATOR, {}).get("full_name", ""))


def _keep_known(row: SetupProgress) -> None:
    """With the connection at the same address, or else the one that was reset."""
    for model in (Connection, FormerConnection):
        rows = model.objects.select_for_update().filter(origin=_origin(row))
        if known := rows.first():
            known.receipt = with_cancelled(
                known.receipt, acts=_done(row), administrator=_administrator(row), at=now()
            )
            known.save(update_fields=["receipt"])
            return


def _record(row: SetupProgress, by: Actor) -> None:
    found = row.seen.get(StepName.ADMINISTRATOR, {})
    label = str(found.get("organization") or _origin(row))
    audit.record(
        act=Act.SETUP_CANCELLED,
        by=by,
        subject=audit.Subject("connection", "1", label),
        after={
            "environment": _origin(row),
            "administrator": _administrator(row),
            **dict(_told(_done(row))),
        },
    )


def _told(done: Mapping[ActName, Facts]) -> Iterator[tuple[str, Any]]:
    """What had been done in Sales, by the names that the audit log keeps it under."""
    facts = {act: done.get(act, {}) for act in ActName}
    if facts[ActName.SOLUTION].get("is_imported"):
        version = ".".join(map(str, SOLUTION.version))
        yield "solution", facts[ActName.SOLUTION].get("version", version)
    if facts[ActName.SOLUTION].get("goes_on"):
        yield "import_goes_on", True
    if facts[ActName.USER].get("is_created"):
        yield "user_created", facts[ActName.USER].get("name", True)
    if given := facts[ActName.ROLES].get("given"):
        yield "roles_given", given
    if switched := facts[ActName.TRACKING].get("switched"):
        yield "tracking_switched_on", switched
    if address := facts[ActName.ADDRESS].get("address"):
        yield "told_address", address
