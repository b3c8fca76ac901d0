"""The permissions of the product: what a group of people may do, not which table it may touch."""

from typing import ClassVar

from django.db import models


class Access(models.Model):
    """No rows: it only gives the permissions a home."""

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
