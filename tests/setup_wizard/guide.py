"""A browser that goes through the assisted setup, as far as a test wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.test import Client

from crmsync.frame.people import Role
from setup_wizard.models import SetupProgress
from tests.people import client_of
from tests.sandboxes import Sandbox

STEPS = ("environment", "administrator", "integration-user", "tables", "checks", "check")


@dataclass(frozen=True, slots=True)
class Guide:
    """``client`` is signed in; right answers come from the sandbox's demo identities."""

    client: Client
    sandbox: Sandbox

    def right(self, step: str) -> dict[str, Any]:
        ready = self.sandbox.ready
        application, admin = ready["application"], ready["administrator"]
        return {
            "environment": {"url": ready["origin"], "application_id": application["client_id"]},
            "administrator": {
                "kind": "password",
                "username": admin["username"],
                "password": admin["password"],
            },
            "integration-user": {
                "kind": "application",
                "application": application["client_id"],
                "application_secret": application["client_secret"],
            },
            "tables": {"scopes": ["salespeople", "currencies", "customers"]},
            "checks": {},
            "check": {"revision": self.revision()},
        }[step]

    def revision(self) -> int:
        mine = SetupProgress.objects.filter(user_id=self.client.session["_auth_user_id"])
        return mine.values_list("revision", flat=True).first() or 0

    def post(self, step: str, changes: Mapping[str, Any] | None = None) -> Any:
        """One step, right but for the changes."""
        form = {"setup-current_step": step, **self.right(step), **(changes or {})}
        return self.client.post(f"/setup/{step}/", form)

    def get(self, step: str) -> Any:
        return self.client.get(f"/setup/{step}/")

    def until(self, step: str) -> None:
        """Answer every step before this one."""
        for earlier in STEPS[: STEPS.index(step)]:
            answer = self.post(earlier)
            assert answer.status_code == 302, text(answer)

    def kept_cookies(self) -> set[str]:
        return {name for name, morsel in self.client.cookies.items() if morsel.value}

    def again(self, *, name: str) -> "Guide":
        """Somebody else, with a browser of their own."""
        return Guide(client_of(Role.ADMINISTRATORS, name=name), self.sandbox)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def leads_to(answer: Any) -> str:
    """Where it redirects to; the page itself where it does not."""
    return str(answer.headers.get("Location") or text(answer))
