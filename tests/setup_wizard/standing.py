"""A connection as the whole guide leaves it, and a browser at the page of the connection."""

import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.frame.people import Role
from crmsync.ledger import demo
from tests.conftest import _begin_with
from tests.kept import Kept
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.attempts import Attempt
from tests.setup_wizard.finishes import imports_go

PAGE = "/setup/connection/"


@dataclass(frozen=True, slots=True)
class Standing:
    """Connected, with the solution imported and both roles held; ``client`` is an administrator."""

    sandbox: Sandbox
    client: Client

    def page(self) -> str:
        return text(self.client.get(PAGE))

    def post(self, act: str, **form: Any) -> Any:
        return self.client.post(f"{PAGE}{act}/", form)

    def reset(self) -> Any:
        """As the page sends it, where there is one."""
        found = re.search(r'name="shown" value="(\w+)"', text(self.client.get(f"{PAGE}reset/")))
        return self.post("reset", shown=found[1] if found else "")

    def shown(self) -> str:
        """What the page of the connection sends along when somebody enables it."""
        found = re.search(r'name="shown" value="([^"]+)"', self.page())
        return found[1] if found else ""

    @property
    def secret(self) -> str:
        return str(self.sandbox.ready["application"]["client_secret"])


def text(answer: Any) -> str:
    return str(answer.content.decode())


def stand(sandbox: Sandbox, kept_states: dict[str, Kept]) -> Standing:
    _begin_with("set up by the guide", set_up, sandbox, kept_states)
    return Standing(sandbox, client_of(Role.ADMINISTRATORS))


def set_up(sandbox: Sandbox) -> None:
    imports_go(sandbox, seconds=0, hidden=0)
    demo.plant(customers=60, seed=1)
    Attempt(sandbox).connect()


def stored() -> Connection:
    return Connection.objects.get()


def refuse_sign_in(sandbox: Sandbox, code: int = 7000222) -> None:
    """The sign-in service refuses the integration application from now on."""
    body = f'{{"error": "invalid_client", "error_codes": [{code}]}}'
    sandbox.fault({"path": "oauth2/v2.0/token"}, {"status": 401, "body": body})
    connections._clients.clear()
