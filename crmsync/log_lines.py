"""How the log is written: one entry begins one line, and no secret stands in it.

Nothing of ours logs a secret; this is the second lock, for libraries at debug level and for
whatever a traceback drags along.
"""

import logging
import re
from types import TracebackType
from typing import TypeAlias

HIDDEN = "***"
_NAMES = (
    "password|passwd|client_secret|client_assertion|code_verifier|access_token|refresh_token"
    "|id_token|assertion|setup_key|sessionid|csrftoken|web_service_key"
)
_SECRETS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|$)", re.S), ""),
    (re.compile(r"\b(Bearer\s+|Authorization\W+Basic\s+)[\w.~+/=-]{8,}", re.I), r"\1"),
    # A signed token, wherever it stands (RFC 7515).
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), ""),
    (re.compile(rf"\b((?:{_NAMES})[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;}}]+", re.I), r"\1"),
    # The code and the state of a sign-in, in the address that a browser came back to.
    (re.compile(r"([?&](?:code|state)=|[\"']code[\"']: [\"'](?=\S{20}))[^&\s\"']+"), r"\1"),
)
_CONTROL = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}
_CONTROL |= {9: "\\t", 10: "\\n", 13: "\\r", 0x2028: "\\u2028", 0x2029: "\\u2029"}
# In front of the lines that belong to an entry, so that none of them passes for another one.
_INDENT = "\n    "

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class OneEntryOneLine(logging.Formatter):
    """An entry's own line holds no control character; lines of its traceback are indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name there
        return without_secrets(super().formatMessage(record)).translate(_CONTROL)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802
        return _belonging(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        return _belonging(super().formatStack(stack_info))


def without_secrets(text: str) -> str:
    for secret, kept in _SECRETS:
        text = secret.sub(f"{kept}{HIDDEN}", text)
    return text


def _belonging(text: str) -> str:
    lines = without_secrets(text).splitlines()
    return _INDENT.lstrip("\n") + _INDENT.join(line.translate(_CONTROL) for line in lines)
