"""Where a read left off: the opaque tokens of nextLink and deltaLink."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import orjson

from crmsync.sandbox.errors import bad_query
from crmsync.sandbox.messages import Request

_COOKIE: Final = re.compile(
    r'<cookie pagenumber="(\d+)" pagingcookie="([\w=-]*)" istracking="(True|False)" />'
)
_DELTA_FORMAT: Final = "%m/%d/%Y %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Position:
    """The place after the last row of a page.

    `key` holds the sort values of that row. `version` is set on reads that track changes: the
    highest version when their first page was read, so that later writes fall to the next delta.
    """

    page: int
    key: list[object]
    version: int | None = None

    def token(self) -> str:
        packed = base64.urlsafe_b64encode(orjson.dumps([self.key, self.version])).decode()
        tracking = self.version is not None
        return (
            f'<cookie pagenumber="{self.page}" pagingcookie="{packed}" istracking="{tracking}" />'
        )


def position(token: str | None) -> Position | None:
    """Read a `$skiptoken` that an earlier page handed out; refuse any other with 400."""
    if token is None:
        return None
    match = _COOKIE.fullmatch(token)
    if match is None:
        raise bad_query("Malformed XML in the paging cookie of the request.")
    try:
        key, version = orjson.loads(base64.urlsafe_b64decode(match[2]))
    except (ValueError, binascii.Error):
        raise bad_query("Malformed XML in the paging cookie of the request.") from None
    return Position(int(match[1]), key, version)


@dataclass(frozen=True, slots=True)
class DeltaMark:
    """How far a client knows the changes: a version, and when it was handed out (epoch)."""

    version: int
    time: float

    def token(self) -> str:
        moment = datetime.fromtimestamp(self.time, UTC).strftime(_DELTA_FORMAT)
        return f"{self.version}!{moment}"


def delta_mark(token: str) -> DeltaMark:
    """Read a `$deltatoken`: version, "!", date and time (docs: use-change-tracking)."""
    version, _, moment = token.partition("!")
    try:
        time = datetime.strptime(moment, _DELTA_FORMAT).replace(tzinfo=UTC).timestamp()
        return DeltaMark(int(version), time)
    except ValueError:
        raise bad_query(f"The delta token '{token}' is not valid.") from None


def link_with(request: Request, name: str, token: str, *, keep: frozenset[str]) -> str:
    """Return the request's own URL with the options in `keep` and the token in `name`."""
    path = request.target.partition("?")[0]
    kept = [item for item in request.query.split("&") if _option_name(item) in keep]
    encoded = quote(token, safe="")
    return f"{request.origin}{path}?{'&'.join((*kept, f'{name}={encoded}'))}"


def _option_name(item: str) -> str:
    name = item.partition("=")[0].replace("%24", "$").replace("%40", "@")
    return "@" if name.startswith("@") else name
