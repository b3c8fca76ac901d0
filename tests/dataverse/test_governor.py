"""How long to wait, and how much to send at a time."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.dataverse.governor import Gate, MessageSize, read_retry_after
from tests.dataverse.wires import Clock

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        (" 17 ", 17.0),
        ("0", 1.0),
        ("299", 299.0),
        ("1000000000", 300.0),
        ("9" * 400, 300.0),
        (format_datetime(NOW + timedelta(seconds=40), usegmt=True), 40.0),
        (format_datetime(NOW - timedelta(hours=1), usegmt=True), 1.0),
        (format_datetime(NOW + timedelta(days=2), usegmt=True), 300.0),
        ("Sun, 01 Mar 2026 12:00:09 -0000", 9.0),
        (None, 1.0),
        ("", 1.0),
        ("-5", 1.0),
        ("1.5", 1.0),
        ("soon", 1.0),
        ("\u00b2", 1.0),
        ("Thu, 01 Jan 99999999999999999999 00:00:00 GMT", 1.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_longer_than_five_minutes(
    header: str | None, seconds: float
) -> None:
    assert read_retry_after(header, now=NOW) == seconds


@settings(deadline=None)
@given(st.one_of(st.text(), st.from_regex(r"\w{3}, \d+ (Jan|Foo) \d+ \d+:\d+:\d+ [+-]?\w+")))
def test_whatever_retry_after_holds_the_wait_is_between_one_second_and_five_minutes(
    header: str,
) -> None:
    assert 1.0 <= read_retry_after(header, now=NOW) <= 300.0


def test_a_gate_opens_by_itself_when_its_time_has_come() -> None:
    clock = Clock()
    gate = Gate(clock)
    assert gate.remaining() == 0.0

    gate.close(10.0)
    clock.now += 4.0
    assert gate.remaining() == 6.0

    clock.now += 6.0
    assert gate.remaining() == 0.0


def test_a_shorter_wait_never_shortens_a_longer_one() -> None:
    gate = Gate(Clock())

    gate.close(30.0)
    gate.close(2.0)

    assert gate.remaining() == 30.0


def test_a_message_that_took_too_long_is_halved_and_a_quick_one_doubled() -> None:
    size = MessageSize(1000)
    assert size.rows == 200

    size.took(rows=200, seconds=1.0)
    assert size.rows == 400
    size.took(rows=400, seconds=6.0)
    assert size.rows == 200
    size.took(rows=200, seconds=3.0)
    assert size.rows == 200


def test_a_quick_rest_of_a_page_says_nothing_about_full_messages() -> None:
    size = MessageSize(1000)

    size.took(rows=3, seconds=0.1)

    assert size.rows == 200


@settings(deadline=None)
@given(
    st.integers(1, 1000),
    st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 60, allow_nan=False))),
)
def test_a_message_never_has_more_rows_than_allowed_nor_none(
    most: int, answers: list[tuple[int, float]]
) -> None:
    size = MessageSize(most)
    for rows, seconds in answers:
        size.took(rows=min(rows, size.rows), seconds=seconds)
        assert 1 <= size.rows <= most
