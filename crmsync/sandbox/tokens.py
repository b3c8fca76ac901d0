"""Signed tokens in the JWT shape: access, refresh and identity tokens, and sign-in codes."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

import orjson

Claims = dict[str, object]

_HEADER: Final = {"typ": "JWT", "alg": "HS256", "kid": "sandbox"}


class InvalidTokenError(Exception):
    """The token is not ours, was altered, has expired, or is meant for something else."""


def encoded(data: bytes) -> str:
    """Return bytes as unpadded base64url, the alphabet of JWT."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(claims: Mapping[str, object], *, key: bytes) -> str:
    """Return the claims as a JWT signed with HMAC-SHA256."""
    signed = f"{encoded(orjson.dumps(_HEADER))}.{encoded(orjson.dumps(dict(claims)))}"
    return f"{signed}.{encoded(_signature(signed, key))}"


def verify(token: str, *, key: bytes, now: float) -> Claims:
    """Return the claims of a token of ours that has not expired at `now` (epoch seconds).

    Raises InvalidTokenError.
    """
    signed, _, signature = token.rpartition(".")
    try:
        if not hmac.compare_digest(_signature(signed, key), decoded(signature)):
            raise InvalidTokenError("signature")
        claims: Claims = orjson.loads(decoded(signed.partition(".")[2]))
    except (ValueError, binascii.Error) as error:
        raise InvalidTokenError("shape") from error
    expires = claims.get("exp")
    if not isinstance(expires, int) or expires <= now:
        raise InvalidTokenError("expired")
    return claims


def _signature(signed: str, key: bytes) -> bytes:
    return hmac.new(key, signed.encode(), hashlib.sha256).digest()
