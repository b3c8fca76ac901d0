"""Checks of the tables there: can changes be followed, can every column be read."""

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crmsync.dataverse import environment
from crmsync.dataverse.column_security import unreadable_columns
from crmsync.mapping.wording import HIDDEN_REMEDY
from setup_wizard.checks.subject import Finding, State, Subject


def change_tracking(subject: Subject) -> Finding:
    """Switched on only where a person agrees: it cannot be switched off again."""
    captions = subject.tables
    tracked = environment.change_tracking(subject.reader, captions)
    off = tuple(table for table, is_on in tracked.items() if not is_on)
    if not off:
        return Finding(State.GOOD, _("On for every table: changes are found quickly."))
    names = {"tables": ", ".join(capfirst(captions[table]) for table in off)}
    seen = _(
        "Off for: %(tables)s. Changes are found by the time of modification, deletions by "
        "comparing all rows."
    )
    if subject.admin is None:
        remedy = _("An administrator of Sales can switch it on.")
        return Finding(State.WARN, seen % names, remedy)
    remedy = _("Tick the tables to switch it on for. It cannot be switched off again.")
    return Finding(State.WARN, seen % names, remedy, tables=off)


def secured_columns(subject: Subject) -> Finding:
    """A column that may not be read looks empty; synchronization leaves it out."""
    user_id = subject.draft.integration_user_id
    if user_id is None:
        return Finding(
            State.WARN,
            _("The user of the application does not exist yet, so nobody can tell."),
            _("Columns that it may not read are left out of synchronization, with a warning."),
        )
    hidden = [
        f"{capfirst(caption)}: {column}"
        for table, caption in subject.tables.items()
        for column in unreadable_columns(
            subject.reader, user_id=user_id, table=table, columns=subject.columns(table)
        )
    ]
    if not hidden:
        return Finding(State.GOOD, _("The integration user may read every column it needs."))
    return Finding(
        State.WARN,
        _("The integration user may not read: %(columns)s.") % {"columns": ", ".join(hidden)},
        str(HIDDEN_REMEDY),
    )
