"""Why a change of a mapping is refused; nothing is stored then. ``str()`` says what, ``remedy``
what to do.

MappingProblem
├── NotWithinDeclaration    a change asks for more than the declaration, or what others need
├── TableBusy               a job of the table is under way
└── NotTheSettingsShown     somebody else changed the settings since they were shown
"""

from collections.abc import Sequence
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.mapping.overlay import Reason, Refusal


class MappingProblem(Exception):
    code: ClassVar[str] = "mapping_problem"
    remedy: ClassVar[str | Promise] = ""


class NotWithinDeclaration(MappingProblem):
    """``refusals`` are the changes that do not hold; the sentence is of the first one."""

    code = "not_within_declaration"
    remedy = gettext_lazy("Choose what the page offers for it.")

    def __init__(self, refusals: Sequence[Refusal], *, what: str) -> None:
        super().__init__(_SENTENCES[refusals[0].reason] % {"what": what})
        self.refusals = tuple(refusals)


class TableBusy(MappingProblem):
    code = "table_busy"
    remedy = gettext_lazy(
        "Wait until it is over, or cancel it on its page, and save again. What a job has begun is "
        "finished by the settings that it began with."
    )

    def __init__(self, tables: Sequence[str]) -> None:
        named = {"tables": ", ".join(tables)}
        super().__init__(_("A synchronization is under way: %(tables)s.") % named)


class NotTheSettingsShown(MappingProblem):
    code = "not_the_settings_shown"
    remedy = gettext_lazy("Look at the settings as they are now, then decide again.")

    def __init__(self) -> None:
        super().__init__(_("Somebody changed the settings since this page was shown."))


_SENTENCES: dict[Reason, str | Promise] = {
    Reason.UNKNOWN: gettext_lazy("%(what)s: there is no such setting."),
    Reason.WIDER: gettext_lazy("%(what)s: this mapping does not go that way."),
    Reason.NEEDED: gettext_lazy(
        "%(what)s cannot be switched off: records are named, found or created by it."
    ),
    Reason.NEEDED_TO_CREATE: gettext_lazy(
        "%(what)s must go both ways: a record that is created on the other side needs it."
    ),
}
