"""What was asked and answered, kept in the data file with secrets cut out."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from crmsync.sandbox.store import Store

BODY_LIMIT: Final = 200_000  # bytes
CUT: Final = "[cut]"

_SECRET_HEADERS: Final = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-ms-authorization-auxiliary"}
)
_CUT_NAMES: Final = (
    "password|passwd|client_secret|client_assertion|assertion|code|code_verifier|device_code"
    "|access_token|refresh_token|id_token|secret"
)
_FORM_SECRET: Final = re.compile(rf"(?i)(^|[?&\s])({_CUT_NAMES})=[^&\s]*")
_JSON_SECRET: Final = re.compile(rf'(?i)("(?:{_CUT_NAMES})"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|$)')
_BEARER: Final = re.compile(r"(?i)(bearer\s+)[\w.~+/=-]{16,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request. `time` is when it had arrived, in epoch seconds.

    `url` is the path with its query as it came. `rows` counts the rows written. `caller` is a
    systemuser id, or None before anybody was recognized.
    """

    time: float
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None
    rows: int
    fault: int | None
    caller: str | None

    def kept(self) -> dict[str, object]:
        return {
            "time": self.time,
            "method": self.method,
            "url": without_secrets(self.url),
            "headers": {
                name: CUT if name in _SECRET_HEADERS else value
                for name, value in self.headers.items()
            },
            "body": _body_text(self.body),
            "status": self.status,
            "applied": self.rows > 0,
            "rows": self.rows,
            "fault": self.fault,
            "caller": self.caller,
        }


class Journal:
    """Append-only, numbered from 1, never renumbered."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append(self, entry: Entry) -> int:
        """Keep the entry, with `ended`: when the answer began to leave, in epoch seconds.

        That moment is taken when the store lets us write: until then the answer waits, too.
        Returns the entry's number.
        """
        kept = entry.kept()
        with self._store.write() as transaction:
            return transaction.append_journal(orjson.dumps({**kept, "ended": time.time()}))

    def has_left(self, n: int) -> None:
        """Correct `ended` of an answer that clients have to obey from the moment they have it."""
        with self._store.write() as transaction:
            transaction.correct_journal(n, "ended", time.time())

    def since(self, n: int) -> dict[str, object]:
        """Return the entries numbered above `n`, and the number to ask from next time."""
        with self._store.read() as snapshot:
            found = snapshot.all("SELECT n, entry FROM _journal WHERE n > ? ORDER BY n", (n,))
        value = [{"n": number, **orjson.loads(str(entry))} for number, entry in found]
        return {"next": found[-1][0] if found else n, "value": value}


def without_secrets(text: str) -> str:
    """Return a URL or body with the values of secrets and tokens replaced."""
    cut = _FORM_SECRET.sub(rf"\1\2={CUT}", text)
    cut = _JSON_SECRET.sub(rf'\1"{CUT}"', cut)
    return _BEARER.sub(rf"\1{CUT}", cut)


def _body_text(body: bytes) -> str:
    kept = without_secrets(body[:BODY_LIMIT].decode("utf-8", "replace"))
    return kept if len(body) <= BODY_LIMIT else f"{kept} [cut: {len(body)} bytes in all]"
