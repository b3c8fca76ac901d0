"""What can be wrong with asking for a full synchronization.

FullSyncProblem
├── AlreadyRunning
├── NothingToRestart
├── NothingToSynchronize
└── StillRunning
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from fullsync.models import FullSync


class FullSyncProblem(Exception):
    """``str()`` says what is wrong, ``remedy`` what to do."""

    code: ClassVar[str] = "full_synchronization_problem"
    remedy: ClassVar[str | Promise] = ""


class AlreadyRunning(FullSyncProblem):
    """There is one run at a time; ``full_sync`` is it."""

    code = "already_running"
    remedy = gettext_lazy("Wait for its end, or cancel it.")

    def __init__(self, full_sync: FullSync) -> None:
        named = {"number": full_sync.pk}
        super().__init__(_("Full synchronization %(number)d is under way.") % named)
        self.full_sync = full_sync


class NothingToRestart(FullSyncProblem):
    code = "nothing_to_restart"
    remedy = gettext_lazy(
        "Use Start on CRM Full Synch. Review, or 'manage.py fullsync start', for a new run."
    )


class NothingToSynchronize(FullSyncProblem):
    code = "nothing_to_synchronize"
    remedy = gettext_lazy("Choose what to exchange in Dynamics 365 Connection Setup.")


class StillRunning(FullSyncProblem):
    code = "still_running"
    remedy = gettext_lazy("Wait until it is over, or cancel the run.")
