"""The permissions of the product, and what is known of an account beside Django's own."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class Access(models.Model):
    """What a group of people may do, not which table it may touch. No rows: a home for them."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions: ClassVar = [
            ("set_up", "Set up the connection"),
            ("couple", "Edit records and couple them"),
            ("operate", "Run synchronizations"),
        ]

    def __str__(self) -> str:
        return "access"


class Account(models.Model):
    """How somebody may sign in. An account without a row is an ordinary one."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="account",
    )
    # Signs in to no page: a program that reads with a web service key.
    is_non_interactive = models.BooleanField(default=False)
    # The password was made by us and shown to somebody else: it only opens the page to change it.
    must_choose_password = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"account {self.user_id}"
