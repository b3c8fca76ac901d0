"""When a process takes up what administrators changed.

A worker does so at the start of each slice, whoever asks for a job when asking, a command at its
start, a page when it is opened, though at most once a second; whoever saves, at once. Between
those moments everything in the process decides by the same set.
"""

import time
from threading import Lock

from django.db.models import CharField, Value

from crmsync.mapping.models import ChangedSetting, HiddenColumn
from crmsync.mapping.overlay import Change
from crmsync.mapping.registry import put_in_force

# A page may show what was so a moment ago: what it begins looks again.
PAGE_SECONDS = 1.0


# Two threads that look at once must not put the older answer over the newer one.
_looking = Lock()


class _Looked:
    at = float("-inf")


def take_up() -> None:
    """Read what was changed and what is hidden, and decide by it from now on in this process.

    One question.
    """
    with _looking:
        _Looked.at = time.monotonic()
        put_in_force(*_kept())


def take_up_now_and_then() -> None:
    """The same, unless this process looked within the last second."""
    if time.monotonic() - _Looked.at > PAGE_SECONDS:
        take_up()


def _kept() -> tuple[list[Change], list[tuple[str, str]]]:
    """What was changed and what is hidden, by one question."""
    nothing = Value("", output_field=CharField())
    hidden = HiddenColumn.objects.values_list("table", "column", nothing, nothing)
    changed = ChangedSetting.objects.values_list("mapping", "field", "setting", "value")
    rows = list(changed.union(hidden, all=True))
    settings = [Change(*row) for row in rows if row[2]]
    return settings, [(table, column) for table, column, setting, _ in rows if not setting]


def stored() -> frozenset[Change]:
    """Every change that is kept, whether it holds or not."""
    columns = ("mapping", "field", "setting", "value")
    return frozenset(Change(*row) for row in ChangedSetting.objects.values_list(*columns))


def hidden() -> frozenset[tuple[str, str]]:
    """Tables there and their columns that the integration user could not read the last time."""
    return frozenset(HiddenColumn.objects.values_list("table", "column"))
