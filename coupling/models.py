"""What is suggested, by which criteria, and the run that found it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from coupling.matching import Certainty
from crmsync.sync.models import SERVICE_CODE_LENGTH
from crmsync.terms import ACTIVE_STATES, JobState


class MatchCriteria(models.Model):
    """What a person set for a table mapping; without a row the declaration holds.

    ``fields`` is a list of {"field", "priority", "is_case_sensitive"}: the fields to match on.
    """

    mapping = models.CharField(max_length=40, primary_key=True)
    fields = models.JSONField()
    saved_by = models.CharField(max_length=150, blank=True)
    saved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"match criteria of {self.mapping}"


class Matching(models.Model):
    """One run of Match-Based Coupling over a table mapping: it only suggests.

    Claimed by one guarded UPDATE; every later write is conditional on its ``epoch``.
    ``waits_because`` says why a queued run does not begin.
    """

    mapping = models.CharField(max_length=40)
    criteria = models.JSONField()
    reads_sales = models.BooleanField(default=True)
    state = models.CharField(
        max_length=20, choices=[(v, v) for v in JobState], default=JobState.QUEUED
    )
    requested_by = models.CharField(max_length=150, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    deaths = models.PositiveIntegerField(default=0)
    waits_because = models.CharField(max_length=200, blank=True)
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
                name="one_active_matching_a_mapping",
            ),
        ]

    def __str__(self) -> str:
        return f"matching {self.pk} of {self.mapping}"


class Suggestion(models.Model):
    """The pair that was found for a ledger record; ``number`` is its number at that time.

    ``reasons`` is {"same": [fields], "similar": field}; ``rivals`` a list of {"side", "id",
    "label"}, five at most a side. ``refusal`` says why the pair could not be coupled.
    """

    mapping = models.CharField(max_length=40)
    ledger_id = models.UUIDField()
    number = models.CharField(max_length=100, blank=True)
    crm_table = models.CharField(max_length=100)
    crm_id = models.UUIDField()
    certainty = models.CharField(max_length=10, choices=[(v, v) for v in Certainty])
    reasons = models.JSONField(default=dict)
    rivals = models.JSONField(default=list)
    is_chosen = models.BooleanField(default=False)
    refusal = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mapping", "ledger_id"], name="one_suggestion_a_ledger_record"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mapping", "certainty", "number", "id"], name="suggestion_list"),
            models.Index(fields=["mapping", "number", "id"], name="suggestion_list_all"),
            models.Index(fields=["mapping", "is_chosen", "id"], name="suggestion_ticks"),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.number}: {self.certainty}"


class RowKey(models.Model):
    """An identifying value of a row there, as the latest run compared it.

    A large table is looked up by it while a person waits; what is found is compared anew.
    """

    mapping = models.CharField(max_length=40)
    crm_id = models.UUIDField()
    field = models.CharField(max_length=60)
    key = models.CharField(max_length=300)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mapping", "field", "key", "crm_id"], name="one_key_a_row_and_field"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.field} {self.key}"
