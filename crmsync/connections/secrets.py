"""Secrets at rest: AES-GCM under keys that can be rotated, each bound to its row and column.

A sealed text is ``key id . base64(nonce + ciphertext)``. The place is authenticated with it, so
that a ciphertext moved to another row or column does not open.
"""

import base64
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from crmsync.connections.errors import SecretUnreadable
from crmsync.keyfiles import read_or_create_keys

_NONCE_BYTES = 12
_NO_KEY = "The key that sealed the integration user's secret is not at hand."


def seal(text: str, *, place: str) -> str:
    """The text, sealed with the newest key for one place such as ``connection/1/secret``.

    Raises SecretUnreadable when there is no key.
    """
    key = _newest_key()
    return f"{_key_id(key)}.{seal_under(key, text, place=place)}"


def unseal(sealed: str, *, place: str) -> str:
    """The text again. Raises SecretUnreadable when no key at hand opens it at this place."""
    key_id, _, payload = sealed.partition(".")
    for key in _keys():
        if _key_id(key) == key_id:
            return open_under(key, payload, place=place)
    raise SecretUnreadable(_NO_KEY)


def is_sealed_with_newest_key(sealed: str) -> bool:
    return sealed.partition(".")[0] == _key_id(_newest_key())


def keys_at_hand() -> int:
    """How many keys may have sealed what is stored."""
    return len(_keys())


def seal_under(key: bytes, text: str, *, place: str) -> str:
    """The text, sealed with a key of 256 bits that the caller keeps, for one place."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), place.encode())
    return base64.urlsafe_b64encode(nonce + sealed).decode()


def open_under(key: bytes, payload: str, *, place: str) -> str:
    """What ``seal_under`` sealed. Raises SecretUnreadable for another key or place, or damage."""
    try:
        raw = base64.urlsafe_b64decode(payload)
        return AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadable("The secret was damaged or moved.") from error


def key_file() -> Path:
    """Where the keys lie, one a line, unless CRMSYNC_SEALING_KEYS gives them."""
    folder: Path = settings.CRMSYNC_DATA_DIR
    return folder / "sealing.key"


def _newest_key() -> bytes:
    for key in _keys():
        return key
    raise SecretUnreadable(_NO_KEY)


def _keys() -> list[bytes]:
    """The newest first, each 256 bits."""
    texts = settings.CRMSYNC_SEALING_KEYS or read_or_create_keys(key_file())
    return [hashlib.sha256(text.encode()).digest() for text in texts]


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"key id" + key).hexdigest()[:8]
