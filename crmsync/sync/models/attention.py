"""What stands in a record's way, and what people said about records and pairs."""

from typing import ClassVar

from django.db import models

from crmsync.terms import Outcome, Side

_OUTCOMES = [(value, value) for value in Outcome]
_SIDES = [(value, value) for value in Side]


class Obstacle(models.Model):
    """Why one record of one side is deferred, undecided, failed or skipped; gone when it is not."""

    mapping = models.CharField(max_length=40)
    side = models.CharField(max_length=10, choices=_SIDES)
    record_id = models.UUIDField()
    outcome = models.CharField(max_length=20, choices=_OUTCOMES)
    code = models.CharField(max_length=60)
    sentence = models.TextField()
    details = models.JSONField(default=dict)
    # What was tried; while both are the same a refused record is not tried again.
    ledger_stamp = models.BigIntegerField(null=True)
    crm_etag = models.CharField(max_length=60, blank=True)
    job_id = models.BigIntegerField(null=True)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mapping", "side", "record_id"], name="one_obstacle_a_record_and_side"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mapping", "record_id"], name="obstacle_by_record"),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.record_id}: {self.code}"


class LeftOut(models.Model):
    """A record that a person excluded from synchronization, and why.

    Neither it nor the record it is coupled with is walked, matched or taken for a twin.
    """

    mapping = models.CharField(max_length=40)
    side = models.CharField(max_length=10, choices=_SIDES)
    record_id = models.UUIDField()
    reason = models.CharField(max_length=500)
    left_out_by = models.CharField(max_length=150, blank=True)
    left_out_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mapping", "side", "record_id"], name="left_out_once_a_record_and_side"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.record_id} is left out"


class NotTheSame(models.Model):
    """Two records that look alike, of which a person said that they are two."""

    mapping = models.CharField(max_length=40)
    ledger_id = models.UUIDField()
    crm_id = models.UUIDField()
    said_by = models.CharField(max_length=150, blank=True)
    said_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mapping", "ledger_id", "crm_id"], name="not_the_same_once_a_pair"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.ledger_id} is not {self.crm_id}"
