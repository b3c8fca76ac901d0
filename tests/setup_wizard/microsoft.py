"""A person at Microsoft's sign-in page, as the sandbox shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.setup_wizard.guide import Guide, leads_to

# Microsoft sends browsers back to addresses of https, or on the person's own machine.
HERE: dict[str, Any] = {"SERVER_NAME": "127.0.0.1"}
BACK = "/setup/signed-in/"


@dataclass(frozen=True, slots=True)
class SignInPage:
    """Where the guide sends the browser to."""

    guide: Guide
    url: str

    @property
    def asked(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query))

    def sign_in(self, identity: Mapping[str, str]) -> dict[str, str]:
        """With name and password; returns what the browser brings back."""
        typed = {"username": identity["username"], "password": identity["password"]}
        return self._answer(typed)

    def cancel(self) -> dict[str, str]:
        return self._answer({"cancel": "1"})

    def _answer(self, typed: Mapping[str, str]) -> dict[str, str]:
        answer = requests.post(
            self.url.partition("?")[0],
            data={**self.asked, **typed},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        assert back.path == BACK
        return dict(parse_qsl(back.query))


def begin(guide: Guide, **changes: Any) -> SignInPage:
    """From the administrator's step to Microsoft."""
    form = {"setup-current_step": "administrator", "kind": "microsoft", **changes}
    answer = guide.client.post("/setup/administrator/", form, **HERE)
    assert answer.status_code == 302, answer.content.decode()
    return SignInPage(guide, leads_to(answer))


def come_back(guide: Guide, brought: Mapping[str, str]) -> Any:
    """What the page does by itself, or by its button."""
    return guide.client.post(BACK, brought, **HERE)


def sign_in(guide: Guide, identity: Mapping[str, str], **changes: Any) -> Any:
    """All of it."""
    return come_back(guide, begin(guide, **changes).sign_in(identity))
