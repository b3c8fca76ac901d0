"""The key that seals secrets during the setup. The browser alone keeps it, in a cookie.

HttpOnly: no script reads it. SameSite=Strict and the path: it comes with requests of these pages
alone. The word key in its name keeps its value out of Django's error reports.
"""

import base64
import binascii
import os

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from setup_wizard.guide.progress import MOST_SECONDS

COOKIE = "setup_key"
_BYTES = 32


def new() -> bytes:
    return os.urandom(_BYTES)


def read(request: HttpRequest) -> bytes | None:
    """The key of this browser, if it has a sound one."""
    try:
        key = base64.b64decode(request.COOKIES.get(COOKIE, ""), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _BYTES else None


def give(response: HttpResponseBase, key: bytes, *, request: HttpRequest) -> None:
    """Let the browser keep it for as long as what it seals may rest."""
    response.set_cookie(
        COOKIE,
        base64.urlsafe_b64encode(key).decode(),
        max_age=MOST_SECONDS,
        path=reverse("setup_wizard:start"),
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )


def take(response: HttpResponseBase) -> None:
    response.delete_cookie(COOKIE, path=reverse("setup_wizard:start"), samesite="Strict")
