"""Limits, obeyed by everybody who shares an environment.

The service protects itself per user: 6,000 requests and 1,200 s of execution in 300 s, 52 at a
time; it answers 429 with Retry-After, and going on lengthens the penalty (Microsoft docs:
service protection API limits).
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_RETRY_AFTER = 300.0
SHORTEST_RETRY_AFTER = 1.0
MOST_PARALLEL_REQUESTS = 52


def read_retry_after(header: str | None, *, now: datetime) -> float:
    """Seconds to wait, from 1 to 300: the header holds seconds or an HTTP date (RFC 9110)."""
    seconds = SHORTEST_RETRY_AFTER
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    elif text:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            moment = now
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, SHORTEST_RETRY_AFTER), LONGEST_RETRY_AFTER)


class Gate:
    """Closed while the service asked us to wait. Safe to share between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open_at = 0.0

    def close(self, seconds: float) -> float:
        """Keep closed for at least this long; a shorter wait never shortens a longer one.

        Returns the moment by the gate's clock: whatever begins after it has to wait.
        """
        with self._lock:
            now = self._clock()
            self._open_at = max(self._open_at, now + seconds)
            return now

    def remaining(self) -> float:
        """Seconds until requests may be sent again; 0.0 when open."""
        with self._lock:
            return max(0.0, self._open_at - self._clock())


@dataclass(slots=True)
class MessageSize:
    """How many rows the next bulk message carries, so that one takes about five seconds."""

    most: int
    rows: int = 200

    def __post_init__(self) -> None:
        self.rows = min(self.rows, self.most)

    def took(self, *, rows: int, seconds: float) -> None:
        """Learn from one answered message."""
        if seconds > 5.0:
            self.rows = max(1, rows // 2)
        elif seconds < 2.0 and rows >= self.rows:
            self.rows = min(self.most, self.rows * 2)


def now_utc() -> datetime:
    return datetime.now(UTC)
