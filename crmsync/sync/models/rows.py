"""What is known of rows there, and which record here each one is."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from crmsync.terms import CouplingOrigin, FirstWinner, Outcome

_OUTCOMES = [(value, value) for value in Outcome]
# Long enough for the titles of all tables there; a search compares no more than this.
TITLE_LENGTH = 200


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
    # What people call the row, apart from the values so that it can be searched by index.
    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    is_deleted = models.BooleanField(default=False)
    # The full read in which it was last seen: one not seen in the latest was deleted.
    reading = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["table", "crm_id"], name="one_record_a_crm_row"),
        ]
        indexes: ClassVar = [models.Index(fields=["table", "title"], name="crm_record_by_title")]

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
    settled_by = models.CharField(max_length=150, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
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
    # The salesperson here whom the owner of the row does not follow: it was theirs already when
    # somebody else owned the row by choice. Null where the owner follows whoever it is.
    not_followed = models.UUIDField(null=True)
    # The job that was about to write the row when this was committed: should its answer be lost,
    # a row that holds the values already was written by that job.
    sent_by_job = models.BigIntegerField(null=True)
    # The canonical values that it was about to write: whatever stands there of them is agreed.
    sent = models.JSONField(default=dict)
    # The same write as people read it: what stood there and what was to replace it, by field.
    sent_fields = models.JSONField(default=dict)

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
        # Counting what is coupled must not read the rows: their values make them wide.
        indexes: ClassVar = [
            models.Index(
                fields=["mapping", "ledger_id"],
                condition=Q(removed_at__isnull=True, is_intent=False),
                name="live_couplings",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.ledger_id} = {self.crm_id}"


def crm_row_id(
    *, organization_id: uuid.UUID, crm_table: str, ledger_id: uuid.UUID, generation: int
) -> uuid.UUID:
    """The id of the row that will be created there for a ledger record.

    The same after a restored backup, another one after Delete Coupling.
    """
    return uuid.uuid5(organization_id, f"{crm_table}/{ledger_id}/{generation}")
