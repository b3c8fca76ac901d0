"""What an administrator chooses of one table mapping; the form follows from its declaration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _

from crmsync.mapping.overlay import (
    OFF,
    Change,
    Setting,
    can_be_switched_off,
    default_of,
    directions_within,
)
from crmsync.mapping.types import FieldMapping, TableMapping
from crmsync.mapping.wording import POLICIES, SETTINGS
from crmsync.terms import ConflictPolicy, Direction
from setup_wizard.mappings.queries import FieldLine, MappingPage, direction_word

# Beside the names of the table's own settings.
_SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A line of the page; without an input the setting is fixed by the declaration."""

    line: FieldLine
    direction: BoundField | None
    takes_part: BoundField | None


class MappingForm(forms.Form):
    """``shown`` says what the settings were when the page was made."""

    shown = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, page: MappingPage, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={_SHOWN: page.fingerprint, **_chosen(page)})
        self.page = page
        for name, field in _table_inputs(page.declared):
            self.fields[name] = field
        for mapped in page.declared.fields:
            for name, field in _field_inputs(page.declared, mapped):
                self.fields[name] = field

    @property
    def of_table(self) -> Iterator[BoundField]:
        return (self[name] for name, _field in _table_inputs(self.page.declared))

    @property
    def rows(self) -> Iterator[FieldRow]:
        for line in self.page.fields:
            yield FieldRow(
                line,
                self._input(line.field, Setting.DIRECTION),
                self._input(line.field, Setting.TAKES_PART),
            )

    def wanted(self) -> frozenset[Change]:
        """Every setting that was chosen otherwise than declared. Only of a valid form."""
        return frozenset(
            change
            for field, setting in _settings(self.page.declared)
            if (change := self._change(field, setting)) is not None
        )

    def _input(self, field: str, setting: Setting) -> BoundField | None:
        name = _name(field, setting)
        return self[name] if name in self.fields else None

    def _change(self, field: str, setting: Setting) -> Change | None:
        name, table = _name(field, setting), self.page.declared
        if name not in self.fields:
            return None
        chosen = self.cleaned_data[name]
        value = ("" if chosen else OFF) if isinstance(chosen, bool) else chosen
        is_default = value == default_of(table, field, setting)
        return None if is_default else Change(table.name, field, setting.value, value)


def _name(field: str, setting: Setting) -> str:
    return f"{field}-{setting}" if field else setting.value


def _settings(table: TableMapping) -> Iterator[tuple[str, Setting]]:
    yield from (("", setting) for setting in Setting)
    yield from ((one.ledger, setting) for one in table.fields for setting in Setting)


def _chosen(page: MappingPage) -> dict[str, Any]:
    """What is in force of each setting, by the name of its input."""
    changed = {(one.field, one.setting): one.value for one in page.changes}
    found: dict[str, Any] = {}
    for field, setting in _settings(page.declared):
        value = changed.get((field, setting), default_of(page.declared, field, setting))
        has_words = setting in (Setting.DIRECTION, Setting.CONFLICT_POLICY)
        found[_name(field, setting)] = value if has_words else value != OFF
    return found


def _table_inputs(table: TableMapping) -> Iterator[tuple[str, forms.Field]]:
    if len(directions_within(table.direction)) > 1:
        yield Setting.DIRECTION.value, _directions(table.direction, _about_direction())
        yield Setting.CONFLICT_POLICY.value, _policies()
    if table.creates_in_crm:
        yield Setting.CREATES_IN_CRM.value, _switch(Setting.CREATES_IN_CRM, _about_creation())
    if table.creates_in_ledger:
        yield Setting.CREATES_IN_LEDGER.value, _switch(Setting.CREATES_IN_LEDGER, "")


def _field_inputs(table: TableMapping, mapped: FieldMapping) -> Iterator[tuple[str, forms.Field]]:
    if len(directions_within(mapped.direction)) > 1:
        yield _name(mapped.ledger, Setting.DIRECTION), _directions(mapped.direction, "")
    if can_be_switched_off(table, mapped):
        yield _name(mapped.ledger, Setting.TAKES_PART), _switch(Setting.TAKES_PART, "")


def _directions(declared: Direction, help_text: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=str(SETTINGS[Setting.DIRECTION]),
        help_text=help_text,
        choices=[(one.value, direction_word(one)) for one in directions_within(declared)],
    )


def _policies() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=str(SETTINGS[Setting.CONFLICT_POLICY]),
        help_text=_(
            "For a field that was changed on both sides since they agreed. A pair that was never "
            "compared before is not meant: what coupled it says who wins."
        ),
        choices=[(one.value, POLICIES[one]) for one in ConflictPolicy],
    )


def _switch(setting: Setting, help_text: str) -> forms.BooleanField:
    return forms.BooleanField(label=str(SETTINGS[setting]), help_text=help_text, required=False)


def _about_direction() -> str:
    return _(
        "With one way only, nothing is written to the other side. What people change on the "
        "receiving side is written back, and kept on record."
    )


def _about_creation() -> str:
    return _(
        "Without this, records that are not coupled stay as they are; they are no error. Records "
        "of other tables that must name one of them wait."
    )
