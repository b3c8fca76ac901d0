"""Checks of the solutions that are installed there."""

from django.utils.translation import gettext as _

from crmsync.dataverse.environment import installed_others
from crmsync.dataverse.solutions import Installed, installed
from setup_wizard.checks.subject import Finding, State, Subject
from setup_wizard.guide.steps import StepName
from setup_wizard.integration_solution import SOLUTION


def our_solution(subject: Subject) -> Finding:
    """Installed in a version that will do, or about to be imported."""
    found = installed(subject.reader, SOLUTION.unique_name)
    if found is not None and found.version is not None and found.version >= SOLUTION.version:
        versions = {"name": found.friendly_name, "version": _text(found.version)}
        return Finding(State.GOOD, _("%(name)s %(version)s is installed.") % versions)
    if subject.admin is None:
        return Finding(
            State.BAD,
            _not_there(found),
            _("Name an administrator who imports it, or have it imported first."),
            step=StepName.ADMINISTRATOR,
        )
    wanted = {"version": _text(SOLUTION.version)}
    return Finding(
        State.GOOD, f"{_not_there(found)} {_('Version %(version)s will be imported.') % wanted}"
    )


def other_integrations(subject: Subject) -> Finding:
    """Microsoft's own integration would write the same records."""
    found = installed_others(subject.reader)
    if not found:
        return Finding(State.GOOD, _("No other integration with books was found."))
    names = dict.fromkeys(f"{one.product} ({one.solution.unique_name})" for one in found)
    return Finding(
        State.WARN,
        _("Other integrations are installed in Sales: %(names)s.") % {"names": ", ".join(names)},
        _("Switch them off for the tables chosen here: two integrations overwrite each other."),
    )


def _not_there(found: Installed | None) -> str:
    if found is None:
        return _("The integration solution is not installed yet.")
    installed_version = _text(found.version) if found.version else "?"
    return _("The integration solution is installed in version %(version)s, which is older.") % {
        "version": installed_version
    }


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
