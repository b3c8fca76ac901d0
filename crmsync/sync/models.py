"""What synchronization knows: their rows as last seen, what is coupled, what is being done."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from crmsync.terms import (
    ACTIVE_STATES,
    CouplingOrigin,
    FirstWinner,
    JobState,
    Outcome,
    PhaseName,
    Side,
)

_OUTCOMES = [(value, value) for value in Outcome]


class CrmTable(models.Model):
    """One table there: how it can be followed, and how far it was read."""

    logical_name = models.CharField(max_length=100, primary_key=True)
    is_tracked = models.BooleanField(null=True)
    takes_create_multiple = models.BooleanField(null=True)
    columns = models.TextField(blank=True)
    delta_link = models.TextField(blank=True)
    modified_until = models.CharField(max_length=40, blank=True)
    reading = models.PositiveIntegerField(default=0)
    refreshed_at = models.DateTimeField(null=True)
    full_read_because = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.logical_name


class CrmRecord(models.Model):
    """What we last saw of a row there: chosen columns as the Web API gave them, and its ETag."""

    table = models.CharField(max_length=100)
    crm_id = models.UUIDField()
    etag = models.CharField(max_length=60)
    values = models.JSONField(default=dict)
    is_deleted = models.BooleanField(default=False)
    # The full read in which it was last seen: one not seen in the latest was deleted.
    reading = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["table", "crm_id"], name="one_record_a_crm_row"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.crm_id}"


class Coupling(models.Model):
    """One ledger record tied to one CRM row, and what both sides last held in common.

    It is committed before the row there is created (``is_intent``), with the id chosen for it and,
    in ``agreed``, the very values that will be sent. Delete Coupling leaves a tombstone
    (``removed_at``), so that the next coupling of the record gets another generation.
    """

    mapping = models.CharField(max_length=40)
    ledger_id = models.UUIDField()
    crm_table = models.CharField(max_length=100)
    crm_id = models.UUIDField()
    generation = models.PositiveIntegerField(default=1)
    origin = models.CharField(max_length=20, choices=[(v, v) for v in CouplingOrigin])
    coupled_by = models.CharField(max_length=150, blank=True)
    coupled_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    is_intent = models.BooleanField(default=False)
    # The request body of an intent: each try sends the very same, so that whichever try got
    # through, ``agreed`` is what stands there.
    intent_body = models.JSONField(null=True)
    first_winner = models.CharField(
        max_length=20, choices=[(v, v) for v in FirstWinner], default=FirstWinner.FILL_BLANKS
    )
    # Canonical values by field; a field that never agreed is absent.
    agreed = models.JSONField(default=dict)
    ledger_stamp = models.BigIntegerField(null=True)
    crm_etag = models.CharField(max_length=60, blank=True)
    # The ETag that our own latest write made obsolete: while the CRM record still shows it, what
    # we know of the row is older than what we wrote.
    superseded_etag = models.CharField(max_length=60, blank=True)
    has_unresolved = models.BooleanField(default=False)
    # The job that was about to write the row when this was committed: should its answer be lost,
    # a row that holds the values already was written by that job.
    sent_by_job = models.BigIntegerField(null=True)
    # The canonical values that it was about to write: whatever stands there of them is agreed.
    sent = models.JSONField(default=dict)

    to_crm_job = models.BigIntegerField(null=True)
    to_crm_outcome = models.CharField(max_length=20, choices=_OUTCOMES, blank=True)
    to_crm_at = models.DateTimeField(null=True)
    from_crm_job = models.BigIntegerField(null=True)
    from_crm_outcome = models.CharField(max_length=20, choices=_OUTCOMES, blank=True)
    from_crm_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mapping", "ledger_id"],
                condition=Q(removed_at__isnull=True),
                name="one_live_coupling_a_ledger_record",
            ),
            models.UniqueConstraint(
                fields=["crm_table", "crm_id"],
                condition=Q(removed_at__isnull=True),
                name="one_live_coupling_a_crm_row",
            ),
            models.UniqueConstraint(
                fields=["mapping", "ledger_id", "generation"], name="one_coupling_a_generation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.ledger_id} = {self.crm_id}"


class Obstacle(models.Model):
    """Why one record of one side is deferred, undecided, failed or skipped; gone when it is not."""

    mapping = models.CharField(max_length=40)
    side = models.CharField(max_length=10, choices=[(v, v) for v in Side])
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

    def __str__(self) -> str:
        return f"{self.mapping} {self.record_id}: {self.code}"


class Restoration(models.Model):
    """A one-way field that was edited on its wrong side, and was written back: kept on record."""

    mapping = models.CharField(max_length=40)
    side = models.CharField(max_length=10, choices=[(v, v) for v in Side])
    record_id = models.UUIDField()
    field = models.CharField(max_length=60)
    stood = models.JSONField(null=True)
    becomes = models.JSONField(null=True)
    job_id = models.BigIntegerField()
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.mapping} {self.record_id} {self.field}"


class Job(models.Model):
    """One pass over one table mapping, phase by phase."""

    mapping = models.CharField(max_length=40)
    state = models.CharField(
        max_length=20, choices=[(v, v) for v in JobState], default=JobState.QUEUED
    )
    phases = models.JSONField()
    phase = models.CharField(max_length=20, choices=[(v, v) for v in PhaseName])
    limit = models.PositiveIntegerField(null=True)
    retries_failed = models.BooleanField(default=False)
    requested_by = models.CharField(max_length=150, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
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
    # Workers that died, and attempts that the service broke off, since the last checkpoint.
    deaths = models.PositiveIntegerField(default=0)
    breaks = models.PositiveIntegerField(default=0)
    # In caution: the record in hand, so that one which kills the worker is known by name.
    suspect = models.UUIDField(null=True)
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


def crm_row_id(
    *, organization_id: uuid.UUID, crm_table: str, ledger_id: uuid.UUID, generation: int
) -> uuid.UUID:
    """The id of the row that will be created there for a ledger record.

    The same after a restored backup, another one after Delete Coupling.
    """
    return uuid.uuid5(organization_id, f"{crm_table}/{ledger_id}/{generation}")
