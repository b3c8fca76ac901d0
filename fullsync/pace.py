"""How fast work goes and how far it is: numbers in, numbers out."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Records a second of the present phase, and the seconds it still takes; None is unknown."""

    rate: float | None = None
    seconds_left: float | None = None


def pace(*, seen: int, seconds: float | None, rows: int | None) -> Pace:
    """``seconds``: since the phase began. ``rows``: how many records it walks, if known."""
    if not seen or not seconds or seconds <= 0:
        return Pace()
    rate = seen / seconds
    if rows is None:
        return Pace(rate)
    return Pace(rate, max(0, rows - seen) / rate)


def done(*, finished: int, phases: int, seen: int, rows: int | None) -> float:
    """How much of a job is done, from 0 to 1: whole phases, and what is known of the present."""
    if not phases:
        return 0.0
    present = min(1.0, seen / rows) if rows else 0.0
    return min(1.0, (finished + present) / phases)


def overall(parts: Sequence[float]) -> float:
    """How much of a run is done: each of its tables counts the same."""
    return sum(parts) / len(parts) if parts else 0.0
