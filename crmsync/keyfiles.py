"""Key files under the data directory: made at first use, readable by their owner alone.

One key a line, the newest first.
"""

import fcntl
import os
import secrets
from pathlib import Path

KEY_BYTES = 48


def read_or_create_key(path: Path) -> str:
    """The newest key of the file; a new file gets 384 random bits, base64, and mode 0600."""
    return next(iter(read_or_create_keys(path)), "")


def read_or_create_keys(path: Path) -> list[str]:
    """Every key of the file, the newest first; a new file gets one, an emptied one has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may start at once: both write a file of their own, the first link stays.
    if not path.exists():
        draft = _draft(path, [_new_key()])
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _keys_in(path)


def add_key(path: Path) -> None:
    """A new key in front of those of the file, whoever reads it meanwhile; the others stay."""
    read_or_create_keys(path)
    with path.parent.joinpath(f"{path.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        _draft(path, [_new_key(), *_keys_in(path)]).replace(path)


def _draft(path: Path, keys: list[str]) -> Path:
    """A file of our own beside ``path`` with these keys, wholly written."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{key}\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _keys_in(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def _new_key() -> str:
    return secrets.token_urlsafe(KEY_BYTES)
