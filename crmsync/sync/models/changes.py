"""What was written where: the synchronization log of every record."""

from typing import ClassVar

from django.db import models

from crmsync.terms import Outcome, Side

_SIDES = [(value, value) for value in Side]


class Change(models.Model):
    """One write that happened, on one side, kept in the transaction that took note of it.

    ``fields`` holds ``{name: {"stood": ..., "becomes": ...}}`` for a modification, with values as
    people read them; it is empty for a record that was created.
    """

    mapping = models.CharField(max_length=40)
    ledger_id = models.UUIDField()
    crm_id = models.UUIDField()
    side = models.CharField(max_length=10, choices=_SIDES)
    outcome = models.CharField(max_length=20, choices=[(value, value) for value in Outcome])
    fields = models.JSONField(default=dict)
    job_id = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["mapping", "ledger_id"], name="change_by_record"),
            models.Index(fields=["job_id"], name="change_by_job"),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.ledger_id} {self.outcome} in {self.side}"


class Restoration(models.Model):
    """A one-way field that was edited on its wrong side, and was written back: kept on record."""

    mapping = models.CharField(max_length=40)
    side = models.CharField(max_length=10, choices=_SIDES)
    record_id = models.UUIDField()
    field = models.CharField(max_length=60)
    stood = models.JSONField(null=True)
    becomes = models.JSONField(null=True)
    job_id = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.mapping} {self.record_id} {self.field}"
