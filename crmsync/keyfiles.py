"""Key files under the data directory: made at first use, readable by their owner alone."""

import os
import secrets
from pathlib import Path


def read_or_create_key(path: Path) -> str:
    """The text of the key file; a new file gets 256 random bits, base64, and mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may start at once: both write a file of their own, the first link stays.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
