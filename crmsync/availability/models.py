"""Who may read item availability, and with which key."""

from django.conf import settings
from django.db import models


class WebServiceKey(models.Model):
    """The one access key of an account; only a hash of it is kept."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="web_service_key",
    )
    hashed = models.CharField(max_length=64)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"the key of {self.user_id}, {self.changed_at:%Y-%m-%d}"
