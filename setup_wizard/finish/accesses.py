"""Who had access to Sales as an administrator in the course of one setup. No effects."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from setup_wizard.finish.plan import Facts
from setup_wizard.guide.steps import AdministratorKind, StepName
from setup_wizard.models import SetupProgress

Kept = dict[str, str]


def administrator_of(row: SetupProgress) -> Kept:
    """Whose access the finish of these answers has; empty where nobody signs in."""
    kind = row.answers.get(StepName.ADMINISTRATOR, {}).get("kind", AdministratorKind.NONE)
    if kind == AdministratorKind.NONE:
        return {}
    name = str(row.seen.get(StepName.ADMINISTRATOR, {}).get("full_name", ""))
    return {"administrator": name, "environment": str(row.answers[StepName.ENVIRONMENT]["url"])}


def ended(finish: Facts, present: Mapping[str, str], *, at: datetime) -> list[Kept]:
    """The accesses of this setup but for the ``present`` one, with when each was over at last."""
    kept: list[dict[str, Any]] = [*_last(finish, at), *finish.get("accesses", [])]
    return [one for one in kept if not _is_same(one, present)]


def _last(finish: Facts, at: datetime) -> list[Kept]:
    had = finish.get("administrator")
    return [{**had, "at": at.isoformat()}] if had else []


def _is_same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    names = ("administrator", "environment")
    return bool(other) and all(one[name] == other[name] for name in names)
