"""A run over all tables, and one table's line in it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from crmsync.sync.models import Job
from crmsync.terms import ACTIVE_STATES, JobState

_STATES = [(value, value) for value in JobState]


class FullSync(models.Model):
    state = models.CharField(max_length=20, choices=_STATES, default=JobState.RUNNING)
    # What it was begun with: it does not go on with another one.
    organization_id = models.UUIDField(null=True)
    limit = models.PositiveIntegerField(null=True)
    # Synchronize Modified Records: coupled records alone, none is created on either side.
    modified_only = models.BooleanField(default=False)
    started_by = models.CharField(max_length=150, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    cancelled_by = models.CharField(max_length=150, blank=True)
    # Reset: the page shows fresh lines again, this run is one of the past.
    put_aside_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            # A constant unique expression among active runs: there is one at most.
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(state__in=[state.value for state in sorted(ACTIVE_STATES)]),
                name="one_active_full_synchronization",
            ),
        ]

    def __str__(self) -> str:
        return f"full synchronization {self.pk}"


class ReviewLine(models.Model):
    full_sync = models.ForeignKey(FullSync, on_delete=models.CASCADE, related_name="lines")
    mapping = models.CharField(max_length=40)
    ordinal = models.PositiveIntegerField()
    needs = models.JSONField(default=list)
    state = models.CharField(max_length=20, choices=_STATES, default=JobState.WAITING)
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    retries_failed = models.BooleanField(default=False)
    attempt = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["full_sync", "mapping"], name="one_line_a_mapping"),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} of {self.full_sync_id}"
