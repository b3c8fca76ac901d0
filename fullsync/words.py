"""What values are called on pages, in the reader's language."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy, pgettext_lazy

from crmsync.terms import Direction, Outcome, PhaseName

OUTCOMES: Mapping[str, Promise] = {
    Outcome.INSERTED: _("Inserted"),
    Outcome.MODIFIED: _("Modified"),
    Outcome.DELETED: _("Deleted"),
    Outcome.UNCHANGED: _("Unchanged"),
    Outcome.COUPLED: _("Coupled"),
    Outcome.UNCOUPLED: _("Uncoupled"),
    Outcome.DEFERRED: _("Deferred"),
    Outcome.UNDECIDED: _("Undecided"),
    Outcome.FAILED: _("Failed"),
    Outcome.SKIPPED: _("Skipped"),
    "restored": _("Restored"),
}
# Behind a number of records, which Danish says with another form than of one.
COUNTED: Mapping[str, Promise] = {
    Outcome.INSERTED: ngettext_lazy("%(n)s inserted", "%(n)s inserted", "count"),
    Outcome.MODIFIED: ngettext_lazy("%(n)s modified", "%(n)s modified", "count"),
    Outcome.DELETED: ngettext_lazy("%(n)s deleted", "%(n)s deleted", "count"),
    Outcome.UNCHANGED: ngettext_lazy("%(n)s unchanged", "%(n)s unchanged", "count"),
    Outcome.COUPLED: ngettext_lazy("%(n)s coupled", "%(n)s coupled", "count"),
    Outcome.UNCOUPLED: ngettext_lazy("%(n)s uncoupled", "%(n)s uncoupled", "count"),
    Outcome.DEFERRED: ngettext_lazy("%(n)s deferred", "%(n)s deferred", "count"),
    Outcome.UNDECIDED: ngettext_lazy("%(n)s undecided", "%(n)s undecided", "count"),
    Outcome.FAILED: ngettext_lazy("%(n)s failed", "%(n)s failed", "count"),
    Outcome.SKIPPED: ngettext_lazy("%(n)s skipped", "%(n)s skipped", "count"),
}
# As the name of a tab that lists many.
OUTCOME_TABS: Mapping[str, Promise] = {
    Outcome.INSERTED: pgettext_lazy("records", "Inserted"),
    Outcome.MODIFIED: pgettext_lazy("records", "Modified"),
    Outcome.DELETED: pgettext_lazy("records", "Deleted"),
    Outcome.UNCHANGED: pgettext_lazy("records", "Unchanged"),
    Outcome.COUPLED: pgettext_lazy("records", "Coupled"),
    Outcome.UNCOUPLED: pgettext_lazy("records", "Uncoupled"),
    Outcome.DEFERRED: pgettext_lazy("records", "Deferred"),
    Outcome.UNDECIDED: pgettext_lazy("records", "Undecided"),
    Outcome.FAILED: pgettext_lazy("records", "Failed"),
    Outcome.SKIPPED: pgettext_lazy("records", "Skipped"),
    "restored": pgettext_lazy("records", "Restored"),
}
MEANINGS: Mapping[str, Promise] = {
    Outcome.DEFERRED: _("Waits for a record that it needs, and is tried again by itself."),
    Outcome.UNDECIDED: _("Waits for a person to decide."),
    Outcome.FAILED: _("Refused this time; the cause says what to do."),
    Outcome.SKIPPED: _("Refused earlier and not tried again until it is changed or retried."),
    Outcome.UNCHANGED: _("Both sides were equal. These records are counted, not listed."),
    "restored": _("Edited on the side that only follows, and written back."),
}
PHASES: Mapping[str, Promise] = {
    PhaseName.REFRESH: _("Read Sales"),
    PhaseName.FROM_CRM: _("From Sales to Financials"),
    PhaseName.TO_CRM: _("From Financials to Sales"),
    PhaseName.ABSORB: _("Read back what was written"),
}
DIRECTIONS: Mapping[str, Promise] = {
    Direction.BIDIRECTIONAL: _("Bidirectional"),
    Direction.TO_CRM: _("To Integration Table"),
    Direction.FROM_CRM: _("From Integration Table"),
}
JOB_TABS: Mapping[str, Promise] = {
    "": pgettext_lazy("jobs", "All"),
    "active": pgettext_lazy("jobs", "Active"),
    "finished": pgettext_lazy("jobs", "Finished"),
    "stopped": pgettext_lazy("jobs", "Stopped"),
    "cancelled": pgettext_lazy("jobs", "Cancelled"),
}
VERDICTS: Mapping[str, tuple[str, Promise]] = {
    "left-out": ("none", _("Left out")),
    "attention": ("warn", _("Needs attention")),
    "synchronized": ("good", _("Synchronized")),
    "coupled": ("info", _("Coupled, not synchronized yet")),
    "alone": ("none", _("Not coupled")),
}
