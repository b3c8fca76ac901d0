"""Keep on record who did what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.audit.models import LONGEST_DETAIL, LONGEST_NAME, LONGEST_RECORD, Entry
from crmsync.audit.redaction import cleaned


@dataclass(frozen=True, slots=True)
class Subject:
    """What something was done to: its kind, its id there, and what people call it."""

    table: str
    record: str
    label: str


def record(
    *,
    act: Act,
    by: Actor,
    subject: Subject,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    detail: str = "",
) -> None:
    """Add an entry. Call it inside the transaction of the change, so that both happen or neither.

    ``before`` and ``after`` are values by name, as people read them; only what differs is kept, and
    what is kept under the name of a secret says no more than "set" or "changed".
    """
    old, new = cleaned(before, after)
    with transaction.atomic():
        Entry.objects.create(
            who=_fitting(by.name, LONGEST_NAME),
            user_id=by.user_id,
            door=by.door,
            act=act,
            table=subject.table,
            record=_fitting(subject.record, LONGEST_RECORD),
            label=_fitting(subject.label, LONGEST_NAME),
            before=old,
            after=new,
            detail=_fitting(detail, LONGEST_DETAIL),
        )


def _fitting(text: str, longest: int) -> str:
    """PostgreSQL keeps no zero character, and refuses what is longer than its column."""
    return text.replace("\x00", "")[:longest]
