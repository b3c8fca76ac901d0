"""Checks of what reacts in Sales when synchronization writes, and of what it may ask for."""

from collections.abc import Iterable

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.dataverse.automations import Automation, AutomationKind
from crmsync.dataverse.automations import automations as automations_of
from crmsync.dataverse.automations import duplicate_rules as duplicate_rules_of
from setup_wizard.checks.subject import Finding, State, Subject

_MOST_NAMES = 10
_KINDS = {
    AutomationKind.WORKFLOW: gettext_lazy("workflow"),
    AutomationKind.FLOW: gettext_lazy("flow"),
    AutomationKind.PLUGIN: gettext_lazy("plug-in"),
}


def automations(subject: Subject) -> Finding:
    """They run for every record that is written, and may change what was written."""
    captions = subject.written
    found = automations_of(subject.reader, captions) if captions else ()
    if not found:
        return Finding(State.GOOD, _("None reacts to the tables that will be written."))
    names = _list(_name(one, captions) for one in found)
    return Finding(
        State.WARN,
        _("These run when records are written: %(names)s.") % {"names": names},
        _(
            "Look at what they do before the first full synchronization; switch off what sends "
            "mail."
        ),
    )


def _name(one: Automation, captions: dict[str, str]) -> str:
    return f"{capfirst(captions[one.table])}: {one.name} ({_KINDS[one.kind]})"


def duplicate_rules(subject: Subject) -> Finding:
    """They do not stop us, but people who merge what the rules find do."""
    captions = subject.written
    found = duplicate_rules_of(subject.reader, captions) if captions else ()
    if not found:
        return Finding(State.GOOD, _("No published rule for the tables that will be written."))
    names = _list(f"{capfirst(captions[one.table])}: {one.name}" for one in found)
    return Finding(
        State.WARN,
        _("Published rules: %(names)s.") % {"names": names},
        _("They do not stop synchronization. Couple what belongs together before it starts."),
    )


def limits(subject: Subject) -> Finding:
    """Source: Microsoft docs, service protection API limits; the hint comes with every answer."""
    facts = {"hint": subject.reader.channel.dop_hint, "requests": 6000, "minutes": 5}
    return Finding(
        State.GOOD,
        _(
            "Sales recommends %(hint)s requests at once, and takes %(requests)s of each user "
            "within %(minutes)s minutes. Synchronization keeps to that by itself."
        )
        % facts,
    )


def _list(names: Iterable[str]) -> str:
    known = list(dict.fromkeys(names))
    more = len(known) - _MOST_NAMES
    shown = ", ".join(known[:_MOST_NAMES])
    if more <= 0:
        return shown
    return _("%(names)s and %(count)s more") % {"names": shown, "count": more}
