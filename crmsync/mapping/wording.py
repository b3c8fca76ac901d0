"""What settings of mappings are called, and their values, in the reader's language."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.mapping.captions import caption_of
from crmsync.mapping.overlay import Change, Setting
from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping
from crmsync.terms import ConflictPolicy, Direction

DIRECTIONS: Mapping[Direction, Promise] = {
    Direction.TO_CRM: gettext_lazy("To Sales"),
    Direction.FROM_CRM: gettext_lazy("From Sales"),
    Direction.BIDIRECTIONAL: gettext_lazy("Bidirectional"),
}
ARROWS: Mapping[Direction, str] = {
    Direction.TO_CRM: "→",
    Direction.FROM_CRM: "←",
    Direction.BIDIRECTIONAL: "↔",
}
POLICIES: Mapping[ConflictPolicy, Promise] = {
    ConflictPolicy.ASK: gettext_lazy("Ask a person"),
    ConflictPolicy.LEDGER_WINS: gettext_lazy("Financials wins"),
    ConflictPolicy.CRM_WINS: gettext_lazy("Sales wins"),
}
SETTINGS: Mapping[Setting, Promise] = {
    Setting.DIRECTION: gettext_lazy("Direction"),
    Setting.CONFLICT_POLICY: gettext_lazy("Resolve Update Conflicts"),
    Setting.CREATES_IN_CRM: gettext_lazy("Creates missing records in Sales"),
    Setting.CREATES_IN_LEDGER: gettext_lazy("Creates missing records in Financials"),
    Setting.TAKES_PART: gettext_lazy("Enabled"),
}
HIDDEN_REMEDY = gettext_lazy(
    "They are left out of synchronization. Add the integration user to a column security profile "
    "that may read and update them; the next synchronization takes them up."
)


def setting_caption(mapping: TableMapping, field: str, setting: str) -> str:
    """``Direction`` of the table, ``Fax No.: Direction`` of a field; codes where unknown."""
    known = setting in set(Setting)
    said = str(SETTINGS[Setting(setting)]) if known else setting
    if not field:
        return said
    is_mapped = any(one.ledger == field for one in mapping.fields)
    named = {"field": caption_of(mapping, field) if is_mapped else field, "setting": said}
    return _("%(field)s: %(setting)s") % named


def value_caption(setting: str, value: str) -> str:
    """A stored value; a blank one is that of a switch that is not off."""
    if setting == Setting.DIRECTION and value in set(Direction):
        return str(DIRECTIONS[Direction(value)])
    if setting == Setting.CONFLICT_POLICY and value in set(ConflictPolicy):
        return str(POLICIES[ConflictPolicy(value)])
    return _("No") if value else _("Yes")


def change_caption(mapping: TableMapping, change: Change) -> str:
    return setting_caption(mapping, change.field, change.setting)


def hidden_captions() -> list[str]:
    """Columns there that are left out, as they may not be read: the table, our field, the name."""
    return [
        f"{capfirst(str(table.crm_caption))}: {caption_of(table, mapped.ledger)} ({mapped.crm})"
        for table in all_mappings()
        for mapped in table.fields
        if mapped.is_hidden
    ]
