"""Takes secrets out of what is kept about an act. Pure.

A value under a name that speaks of a secret becomes "set" or "changed". Callers should hand over no
secret to begin with; this is the second lock on that door.
"""

import re
from collections.abc import Mapping
from typing import Any

SET = "set"
CHANGED = "changed"

# As a part of a name, however it is written: clientSecret, client-secret, CLIENT_SECRET.
_TELLING_PARTS = (
    *("password", "passphrase", "passwd", "secret", "token", "credential", "cookie"),
    *("authorization", "assertion", "certificatedata", "apikey", "accesskey", "privatekey"),
)
# Only as a whole word: a monkey is no key.
_TELLING_WORDS = frozenset({"key", "keys", "pem", "pfx", "pin", "verifier", "hash"})
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")

Values = Mapping[str, Any]


def cleaned(before: Values | None, after: Values | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both without their secrets, and without what is the same in both."""
    old, new = dict(before or {}), dict(after or {})
    for name in [name for name in old.keys() & new.keys() if old[name] == new[name]]:
        del old[name], new[name]
    return (
        {name: _hidden(name, value) for name, value in old.items()},
        {name: _hidden(name, value, old.get(name)) for name, value in new.items()},
    )


def speaks_of_a_secret(name: str) -> bool:
    letters = "".join(character for character in name.lower() if character.isalnum())
    words = {word.lower() for word in _WORDS.findall(name)}
    return any(part in letters for part in _TELLING_PARTS) or bool(words & _TELLING_WORDS)


def _hidden(name: str, value: Any, former: Any = None) -> Any:
    # What is missing, true or false tells nothing.
    if value is None or value == "" or isinstance(value, bool):
        return value
    if speaks_of_a_secret(name):
        return CHANGED if former else SET
    return _hidden_inside(value)


def _hidden_inside(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _hidden(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden_inside(inner) for inner in value]
    return value
