"""What holds besides the declarations: what administrators changed, and what Sales hides."""

from typing import ClassVar

from django.db import models

from crmsync.mapping.overlay import Change, Setting


class ChangedSetting(models.Model):
    """One setting that differs from what is declared; without a row it is as declared.

    A blank ``field`` is of the table itself, otherwise it names a field by its ledger attribute.
    """

    mapping = models.CharField(max_length=40)
    field = models.CharField(max_length=60, blank=True)
    setting = models.CharField(max_length=30, choices=[(one.value, one.value) for one in Setting])
    value = models.CharField(max_length=30)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["mapping", "field", "setting"], name="each_setting_changed_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mapping} {self.field} {self.setting}: {self.value}"

    @property
    def change(self) -> Change:
        return Change(self.mapping, self.field, self.setting, self.value)


class HiddenColumn(models.Model):
    """A mapped column that the integration user may not read, as of the last reading of its table.

    Its values come as if it were empty, so it is left out of synchronization.
    """

    table = models.CharField(max_length=64)
    column = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["table", "column"], name="each_column_hidden_once"),
        ]

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"
