"""What is being done: jobs in phases, phases in parts."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from crmsync.terms import ACTIVE_STATES, JobState, PhaseName

SERVICE_CODE_LENGTH = 60


class Job(models.Model):
    """One pass over one table mapping, phase by phase."""

    mapping = models.CharField(max_length=40)
    state = models.CharField(
        max_length=20, choices=[(v, v) for v in JobState], default=JobState.QUEUED
    )
    phases = models.JSONField()
    phase = models.CharField(max_length=20, choices=[(v, v) for v in PhaseName])
    # By the database's clock, as all times that a worker is judged by.
    phase_began_at = models.DateTimeField(null=True)
    # How many records the phase will walk; null where only Sales knows.
    phase_rows = models.PositiveBigIntegerField(null=True)
    limit = models.PositiveIntegerField(null=True)
    # {"ledger": [ids], "crm": [ids]}: these records and their counterparts; null is all.
    only = models.JSONField(null=True)
    # Coupled records alone: whatever has no counterpart is left as it is.
    modified_only = models.BooleanField(default=False)
    retries_failed = models.BooleanField(default=False)
    requested_by = models.CharField(max_length=150, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    # Of Sales or its sign-in service: then the sentence is theirs.
    error_service_code = models.CharField(max_length=SERVICE_CODE_LENGTH, blank=True)
    error_sentence = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mapping"],
                condition=Q(state__in=[state.value for state in sorted(ACTIVE_STATES)]),
                name="one_active_job_a_mapping",
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.pk} of {self.mapping}"


class Part(models.Model):
    """A key range of a phase that one worker owns for as long as its lease holds.

    ``low`` is outside the range, ``high`` inside; null is no bound. ``checkpoint`` is how far it
    got; counters change in the same transaction.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="parts")
    phase = models.CharField(max_length=20, choices=[(v, v) for v in PhaseName])
    ordinal = models.PositiveIntegerField()
    low = models.UUIDField(null=True)
    high = models.UUIDField(null=True)
    state = models.CharField(
        max_length=20, choices=[(v, v) for v in JobState], default=JobState.QUEUED
    )
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    checkpoint = models.JSONField(default=dict)
    # Workers that died since the last checkpoint, and attempts in a row that Sales broke off
    # before anything was kept.
    deaths = models.PositiveIntegerField(default=0)
    breaks = models.PositiveIntegerField(default=0)
    # {record id: messages with it that Sales broke off while it answered others}, likewise.
    broken_off = models.JSONField(default=dict)
    # In caution: the record in hand, so that one which kills the worker is known by name.
    suspect = models.UUIDField(null=True)
    waits_code = models.CharField(max_length=60, blank=True)
    waits_because = models.CharField(max_length=200, blank=True)

    seen = models.PositiveIntegerField(default=0)
    inserted = models.PositiveIntegerField(default=0)
    modified = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    coupled = models.PositiveIntegerField(default=0)
    uncoupled = models.PositiveIntegerField(default=0)
    deferred = models.PositiveIntegerField(default=0)
    undecided = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "phase", "ordinal"], name="one_part_a_range"),
            models.CheckConstraint(
                condition=Q(
                    seen=models.F("inserted")
                    + models.F("modified")
                    + models.F("deleted")
                    + models.F("unchanged")
                    + models.F("coupled")
                    + models.F("uncoupled")
                    + models.F("deferred")
                    + models.F("undecided")
                    + models.F("failed")
                    + models.F("skipped")
                ),
                name="every_record_seen_has_one_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"part {self.ordinal} of {self.phase}, job {self.job_id}"
