"""When a session is over: after idling, after a week, or because its person's are all ended."""

import time
from collections.abc import Iterable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session

_BEGAN = "began"
_SEEN = "seen"
# Noting every request would be a write a page.
NOTED_EVERY_SECONDS = 5 * 60


def begin(session: SessionBase, *, now: float) -> None:
    """Somebody signed in; ``now`` is in seconds, as of ``time.time``."""
    session[_BEGAN] = session[_SEEN] = now


def is_over(session: SessionBase, *, now: float) -> bool:
    """Whether this session of somebody who signed in has lasted, or idled, for too long."""
    if SESSION_KEY not in session:
        return False
    began, seen = float(session.get(_BEGAN, 0)), float(session.get(_SEEN, 0))
    is_idle = now - seen > settings.SESSION_IDLE_SECONDS
    return bool(is_idle or now - began > settings.SESSION_COOKIE_AGE)


def note_use(session: SessionBase, *, now: float) -> None:
    if SESSION_KEY in session and now - session.get(_SEEN, 0.0) > NOTED_EVERY_SECONDS:
        session[_SEEN] = now


def end_all(*, user_id: int) -> None:
    """Every session of this person; what they hold is read, as the rows name nobody."""
    Session.objects.filter(pk__in=list(_keys_of(str(user_id)))).delete()


def _keys_of(user_id: str) -> Iterable[str]:
    for session in Session.objects.all():
        if session.get_decoded().get(SESSION_KEY) == user_id:
            yield session.session_key


def begin_at_sign_in(*, request: object, **_: object) -> None:
    """Receives Django's word that somebody signed in, whichever way."""
    begin(request.session, now=time.time())  # type: ignore[attr-defined]  # an HttpRequest
