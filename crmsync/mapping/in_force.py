"""When a process takes up what administrators changed.

A worker does so at the start of each slice, whoever asks for a job when asking, a command at its
start, a page when it is opened, though at most once a second; whoever saves, at once. Between
those moments everything in the process decides by the same set.
"""

import time
from threading import Lock

from crmsync.mapping.models import ChangedSetting
from crmsync.mapping.overlay import Change
from crmsync.mapping.registry import put_in_force

# A page may show what was so a moment ago: what it begins looks again.
PAGE_SECONDS = 1.0


# Two threads that look at once must not put the older answer over the newer one.
_looking = Lock()


class _Looked:
    at = float("-inf")


def take_up() -> None:
    """Read the changes, one question, and decide by them from now on in this process."""
    with _looking:
        _Looked.at = time.monotonic()
        put_in_force(stored())


def take_up_now_and_then() -> None:
    """The same, unless this process looked within the last second."""
    if time.monotonic() - _Looked.at > PAGE_SECONDS:
        take_up()


def stored() -> frozenset[Change]:
    """Every change that is kept, whether it holds or not."""
    columns = ("mapping", "field", "setting", "value")
    return frozenset(Change(*row) for row in ChangedSetting.objects.values_list(*columns))
