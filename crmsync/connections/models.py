"""This installation tied to one environment."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from crmsync.connections import wording

# So long before a certificate ends it is warned about.
WARNED_BEFORE = timedelta(days=30)


class Connection(models.Model):
    """The one connection. The organization id is verified whenever work begins.

    ``sealed_secret`` is the integration user's: a client secret, a certificate with its private
    key (PEM) or a password. ``is_being_set_up``: stored by a setup that has not ended yet, and
    never enabled so far. ``receipt`` tells what the setup did in Sales. ``answered_at`` is when
    Sales last answered the integration user. ``registration_id`` is the app registration through
    which people sign in; ``application_id`` is what the integration user signs in as or through.

    ``owner_id`` owns rows that we create there: the team, or a user where a record has no
    salesperson who is coupled (None is the integration user itself).
    """

    class Ownership(models.TextChoices):
        SALESPERSON = "salesperson", "the salesperson's user"
        TEAM = "team", "a team"

    class IdentityKind(models.TextChoices):
        APPLICATION = "application", "application with secret"
        CERTIFICATE = "certificate", "application with certificate"
        PASSWORD = "password", "user with password"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    origin = models.CharField(max_length=200)
    organization_id = models.UUIDField()
    organization_name = models.CharField(max_length=200)
    base_currency_id = models.UUIDField()
    base_currency_code = models.CharField(max_length=10)
    authority_url = models.CharField(max_length=200)
    tenant = models.CharField(max_length=100)
    identity_kind = models.CharField(max_length=20, choices=IdentityKind.choices)
    application_id = models.CharField(max_length=100)
    registration_id = models.CharField(max_length=100, blank=True, default="")
    integration_username = models.CharField(max_length=200, blank=True)
    integration_user_id = models.UUIDField()
    integration_user_name = models.CharField(max_length=200, blank=True)
    # By name, as they were seen the last time; blank before anybody looked.
    integration_roles = models.CharField(max_length=1000, blank=True, default="")
    sealed_secret = models.TextField()
    credential_expires_at = models.DateTimeField(null=True, blank=True)
    solution_version = models.CharField(max_length=50, blank=True)
    organization_version = models.CharField(max_length=50, blank=True)
    scopes = models.JSONField(default=list)
    ownership = models.CharField(
        max_length=20, choices=Ownership.choices, default=Ownership.SALESPERSON
    )
    owner_id = models.UUIDField(null=True, blank=True)
    owner_name = models.CharField(max_length=200, blank=True)
    is_enabled = models.BooleanField(default=True)
    # A person's reason is text; what made the product disable itself is a code, said in the
    # reader's language, with the code that the service gave.
    disabled_because = models.TextField(blank=True)
    disabled_code = models.CharField(max_length=50, blank=True)
    disabled_service_code = models.CharField(max_length=50, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_by = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    connected_by = models.CharField(max_length=150, blank=True)
    is_being_set_up = models.BooleanField(default=False)
    receipt = models.JSONField(default=dict, blank=True)
    # The one gate: nobody sends before this moment of the database's clock.
    gate_open_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.organization_name} ({self.origin})"

    @property
    def credential_state(self) -> str:
        """``over``, ``soon`` within thirty days, ``good``; blank where nobody knows its end."""
        if self.credential_expires_at is None:
            return ""
        left = self.credential_expires_at - timezone.now()
        if left <= timedelta():
            return "over"
        return "soon" if left <= WARNED_BEFORE else "good"

    @property
    def why_disabled(self) -> wording.Wording:
        """In the reader's language; only of a connection that is disabled."""
        return wording.of_disabled(
            because=self.disabled_because,
            code=self.disabled_code,
            service_code=self.disabled_service_code,
        )


class WorkerHeartbeat(models.Model):
    """The latest sign of life of one worker process, by the database's clock."""

    name = models.CharField(max_length=200, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
