"""How far a person has come with the assisted setup."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class SetupProgress(models.Model):
    """One a person. Secrets are in ``sealed`` alone, under a key that only the browser has.

    ``answers`` and ``seen`` hold, by step, what was typed (declared fields only) and what the
    live check showed; beside the steps, whether the solution shall be imported again.
    ``revision`` grows with every answer: finishing names the one it confirms. ``claimed_until``
    is set while one request finishes. ``finish`` is how far the finish of these answers has come,
    by act, with what must not be forgotten in the middle of one.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    answers = models.JSONField(default=dict)
    seen = models.JSONField(default=dict)
    problem = models.JSONField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=0)
    sealed = models.JSONField(default=dict)
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)
    finish = models.JSONField(default=dict)
    claimed_until = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(sealed={}) | models.Q(expires_at__isnull=False),
                name="what_is_sealed_expires",
            ),
        ]

    def __str__(self) -> str:
        return f"setup by user {self.user_id}"


class FormerConnection(models.Model):
    """The connection that was reset: its couplings stay, and belong to this organization.

    ``receipt`` tells what its setups did in Sales. Gone when the next connection is enabled.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    origin = models.CharField(max_length=200)
    organization_id = models.UUIDField()
    organization_name = models.CharField(max_length=200)
    receipt = models.JSONField(default=dict, blank=True)
    reset_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_former_connection"),
        ]

    def __str__(self) -> str:
        return f"formerly {self.organization_name}"
