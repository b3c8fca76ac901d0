"""What was done to this installation, by whom. Entries are only ever added."""

from collections.abc import Iterable
from typing import Any, ClassVar, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from crmsync.audit.actors import Door
from crmsync.audit.errors import NeverChanged

LONGEST_NAME, LONGEST_RECORD, LONGEST_DETAIL = 200, 100, 500


class Entries(models.QuerySet["Entry"]):
    """Rows that are read and added to, and nothing else."""

    def update(self, **_: Any) -> NoReturn:
        raise NeverChanged

    def delete(self) -> NoReturn:
        raise NeverChanged

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        raise NeverChanged

    def bulk_create(self, objs: Iterable["Entry"], *args: Any, **how: Any) -> list["Entry"]:
        """Raises NeverChanged where an entry that is kept already would be written over."""
        if how.get("update_conflicts"):
            raise NeverChanged
        return super().bulk_create(objs, *args, **how)


class Entry(models.Model):
    """One act, kept in the transaction of the change that it tells of.

    People are named, not referred to: an entry outlives the account. ``before`` and ``after`` hold
    what differed, without secrets.
    """

    at = models.DateTimeField(auto_now_add=True)
    who = models.CharField(max_length=LONGEST_NAME, blank=True)
    user_id = models.BigIntegerField(null=True)
    door = models.CharField(max_length=10, choices=[(door.value, door.value) for door in Door])
    act = models.CharField(max_length=40)
    table = models.CharField(max_length=40)
    record = models.CharField(max_length=LONGEST_RECORD, blank=True)
    label = models.CharField(max_length=LONGEST_NAME, blank=True)
    before = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    after = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    detail = models.CharField(max_length=LONGEST_DETAIL, blank=True)

    objects: ClassVar[models.Manager["Entry"]] = Entries.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["act", "id"], name="audit_by_act"),
            models.Index(fields=["at"], name="audit_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.who} {self.act} {self.label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Once. Raises NeverChanged for an entry that is kept already."""
        if not self._state.adding:
            raise NeverChanged
        # Django would write over the entry with this key, if there was one.
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise NeverChanged
