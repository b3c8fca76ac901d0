"""Delete Coupling can be taken back for a while by the person who chose it."""

from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

_KEY = "fullsync.undo"
UNDO_FOR = timedelta(minutes=10)


def offer(request: HttpRequest, coupling_id: int) -> None:
    until = (timezone.now() + UNDO_FOR).isoformat()
    request.session[_KEY] = {"coupling_id": coupling_id, "until": until}


def on_offer(request: HttpRequest) -> int | None:
    """The coupling that can be taken back; None when there is none, or too late."""
    offered = request.session.get(_KEY)
    if not offered or datetime.fromisoformat(offered["until"]) < timezone.now():
        return None
    coupling_id: int = offered["coupling_id"]
    return coupling_id


def take(request: HttpRequest) -> int | None:
    """The same, and nothing is on offer any more."""
    coupling_id = on_offer(request)
    request.session.pop(_KEY, None)
    return coupling_id
