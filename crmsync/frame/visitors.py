"""Where a request comes from: the peer, or whom the proxy in front says that it speaks for."""

from django.conf import settings
from django.http import HttpRequest


def address(request: HttpRequest) -> str:
    """The visitor's address, for limits and for the audit log.

    The last entry of X-Forwarded-For is the one that the proxy added itself; whatever stands
    before it was sent by the visitor. Without CRMSYNC_FORWARDED_FOR the header is not looked at.
    """
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.CRMSYNC_FORWARDED_FOR else ""
    nearest = forwarded.rpartition(",")[2].strip()
    return nearest or str(request.META.get("REMOTE_ADDR", ""))


def are_told_apart() -> bool:
    """Whether two visitors have two addresses; behind a proxy that names nobody they share one."""
    return bool(settings.CRMSYNC_FORWARDED_FOR or not settings.CRMSYNC_HTTPS)
