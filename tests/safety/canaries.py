"""The secrets of one setup as they pass by, gathered from the requests that carry them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from django.conf import settings

from setup_wizard.views import browser_key
from tests.safety import search
from tests.setup_wizard.guide import STEPS, Guide

SECRET_INPUTS = ("password", "client_secret", "code", "code_verifier", "client_assertion")
SECRET_ANSWERS = ("access_token", "refresh_token", "id_token")
PAGES = (
    "/",
    "/people/",
    "/audit/",
    "/audit/export/",
    "/setup/",
    "/setup/finish/",
    "/setup/done/",
    "/setup/signed-in/",
    *(f"/setup/{step}/" for step in STEPS),
)


@dataclass(slots=True)
class Canaries:
    """``known`` grows with each request; ``shown`` are the answers that people got."""

    guide: Guide
    logs: pytest.LogCaptureFixture
    known: set[str] = field(default_factory=set)
    shown: list[str] = field(default_factory=list)

    def show(self, answer: Any) -> str:
        """Keep all of an answer but the one cookie that belongs to the browser."""
        cookies = [
            morsel.OutputString()
            for name, morsel in answer.cookies.items()
            if name != browser_key.COOKIE
        ]
        body = (answer.getvalue() if answer.streaming else answer.content).decode()
        self.shown.append(f"{answer.status_code} {dict(answer.headers)} {cookies} {body}")
        return self.shown[-1]

    def look_everywhere(self, guide: Guide | None = None) -> None:
        """Every page that tells of the setup: as after pressing Back, and as somebody else."""
        for page in PAGES:
            self.show((guide or self.guide).client.get(page))

    def leaks(self) -> list[str]:
        """Where one of them shows, whatever it went through so far."""
        self._note_key()
        places = {
            "log": self.logs.text,
            "database": search.database(),
            "cache": search.files(Path(str(settings.CACHES["default"]["LOCATION"]))),
            "page": "\n".join(self.shown),
        }
        self.shown.clear()
        return search.found(self.known, places)

    def hear(self, request: requests.PreparedRequest, answer: requests.Response) -> None:
        """One request and its answer, as they crossed the wire."""
        if bearer := request.headers.get("Authorization", ""):
            self.known.add(str(bearer).removeprefix("Bearer "))
        if "/token" not in str(request.url):
            return
        asked = parse_qs(str(request.body or ""))
        self.known |= {asked[name][0] for name in SECRET_INPUTS if name in asked}
        try:
            told = answer.json()
        except requests.JSONDecodeError:
            return
        if isinstance(told, dict):
            self.known |= {str(told[name]) for name in SECRET_ANSWERS if told.get(name)}

    def _note_key(self) -> None:
        cookie = self.guide.client.cookies.get(browser_key.COOKIE)
        if cookie is not None and cookie.value:
            self.known.add(cookie.value)


def listening(canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> Canaries:
    """From here on it hears every request that this process sends."""
    send: Callable[..., requests.Response] = requests.Session.send

    def heard(
        session: requests.Session, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        answer = send(session, request, **options)
        if not options.get("stream"):
            canaries.hear(request, answer)
        elif bearer := request.headers.get("Authorization"):
            canaries.known.add(str(bearer).removeprefix("Bearer "))
        return answer

    monkeypatch.setattr(requests.Session, "send", heard)
    return canaries
