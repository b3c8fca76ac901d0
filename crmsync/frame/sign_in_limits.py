"""Who has to wait before the next attempt to sign in: a name at an address, or a whole address.

Ten wrong passwords for one name hold up that name at that address. Whoever tries one password on
many names stays below that; so an address from which many different names failed has to wait as
well. A name that got in at last is forgotten, so that an office where people mistype is not held
up; and what is tried while waiting does not count, so that the wait ends.
"""

from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from crmsync.frame import visitors


def address_waits(address: str) -> bool:
    """Whether too many different names have failed from there lately."""
    if not visitors.are_told_apart():
        return False
    cooloff: timedelta = settings.AXES_COOLOFF_TIME
    lately = AccessAttempt.objects.filter(
        ip_address=address, attempt_time__gte=timezone.now() - cooloff
    )
    names = lately.values("username").distinct().count()
    return bool(names >= settings.SIGN_IN_NAMES_AN_ADDRESS)


class SignInLimits(AxesDatabaseHandler):  # type: ignore[misc]  # axes ships no types
    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Of the name at the address; as many as are too many where the address has to wait."""
        failures = int(super().get_failures(request, credentials))
        if address_waits(visitors.address(request)):
            return max(failures, settings.AXES_FAILURE_LIMIT)
        return failures
