"""From the values of a request body to stored values, with the checks the service makes."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from crmsync.sandbox.errors import bad_payload, bad_request
from crmsync.sandbox.schema import Column, Kind, Table
from crmsync.sandbox.store import timestamp

STRING_TOO_LONG: Final = "0x80044331"
DECIMAL_OUT_OF_RANGE: Final = "0x80044330"
INTEGER_OUT_OF_RANGE: Final = "0x8004432f"
CHOICE_OUT_OF_RANGE: Final = "0x8004431a"


def stored(table: Table, column: Column, value: object) -> object:
    """Return a body's value as it is stored, or refuse it with 400.

    Guess: an empty text is stored as null, as the service's database does.
    """
    if value is None:
        return None
    return _CONVERSIONS[column.kind](table, column, value)


def canonical_guid(text: object) -> str | None:
    """Return a GUID in its usual form, or None for anything else."""
    if not isinstance(text, str) or len(text) not in {32, 36, 38}:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None


def canonical_moment(text: str) -> str | None:
    """Return a date and time in UTC with whole seconds, or None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # A time without zone is taken as UTC, like a bare date.
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return timestamp(aware.timestamp())


def canonical_date(text: str) -> str | None:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _text(table: Table, column: Column, value: object) -> str | None:
    if not isinstance(value, str):
        raise _wrong_type(table, column, value)
    if len(value) > column.length:
        raise bad_request(
            STRING_TOO_LONG,
            f"A validation error occurred.  The length of the '{column.name}' attribute of the "
            f"'{table.name}' entity exceeded the maximum allowed length of '{column.length}'.",
        )
    return value or None


def _integer(table: Table, column: Column, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(table, column, value)
    _check_range(table, column, value, INTEGER_OUT_OF_RANGE)
    return value


def _decimal(table: Table, column: Column, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _wrong_type(table, column, value)
    _check_range(table, column, value, DECIMAL_OUT_OF_RANGE)
    return round(float(value), column.precision)


def _boolean(table: Table, column: Column, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(table, column, value)
    return value


def _choice(table: Table, column: Column, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(table, column, value)
    if value not in column.options:
        accepted = ",".join(map(str, sorted(column.options)))
        raise bad_request(
            CHOICE_OUT_OF_RANGE,
            f"The value {value} of '{column.name}' on record of type '{table.name}' is outside "
            f"the valid range. Accepted Values: {accepted}",
        )
    return value


def _guid(table: Table, column: Column, value: object) -> str:
    found = canonical_guid(value)
    if found is None:
        raise _wrong_type(table, column, value)
    return found


def _moment(table: Table, column: Column, value: object) -> str:
    found = canonical_moment(value) if isinstance(value, str) else None
    if found is None:
        raise _wrong_type(table, column, value)
    return found


def _date(table: Table, column: Column, value: object) -> str:
    found = canonical_date(value) if isinstance(value, str) else None
    if found is None:
        raise _wrong_type(table, column, value)
    return found


def _check_range(table: Table, column: Column, value: float, code: str) -> None:
    if not column.minimum <= value <= column.maximum:
        raise bad_request(
            code,
            f"A validation error occurred.  The value of '{column.name}' on record of type "
            f"'{table.name}' is outside the valid range.",
        )


def _wrong_type(table: Table, column: Column, value: object) -> Exception:
    return bad_payload(
        table.entity_set,
        f"Cannot convert the literal '{value}' of property '{column.name}' to the expected type "
        f"'{column.kind.edm}'.",
    )


_CONVERSIONS: Final[dict[Kind, Callable[[Table, Column, object], object]]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.BIG_INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.MONEY: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.DATE_TIME: _moment,
    Kind.DATE: _date,
    Kind.GUID: _guid,
    Kind.CHOICE: _choice,
    Kind.LOOKUP: _guid,
}
