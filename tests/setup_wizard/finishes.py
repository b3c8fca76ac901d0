"""What the tests of the finish share: the way to its page, and what Sales holds afterwards."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import requests

from crmsync.connections import services as connections
from crmsync.dataverse.client import Client
from crmsync.dataverse.solution import Version
from crmsync.dataverse.solution_zip import build
from crmsync.dataverse.solutions import start_import
from setup_wizard.guide import preflight
from setup_wizard.integration_solution import ROLES_OF_THE_INTEGRATION, SOLUTION
from setup_wizard.models import SetupProgress
from tests.sandboxes import Sandbox
from tests.setup_wizard.guide import Guide, leads_to

FINISH, DONE = "/setup/finish/", "/setup/done/"
ROLE_IDS = {str(role_id) for role_id in ROLES_OF_THE_INTEGRATION}


def imports_go(sandbox: Sandbox, **how: Any) -> None:
    """How imports go that begin after this: seconds, hidden, outcome, message."""
    answer = requests.post(sandbox.url("/_sandbox/imports"), json=how, timeout=10)
    assert answer.status_code == 200, answer.text


def plant(sandbox: Sandbox, *wishes: Any) -> None:
    """What others have installed or switched on in Sales."""
    answer = requests.post(sandbox.url("/_sandbox/plant"), json=list(wishes), timeout=30)
    assert answer.status_code == 200, answer.text


def confirmed(guide: Guide, **changes: dict[str, Any]) -> None:
    """Every step answered, right but for the changes by step, and the answers confirmed."""
    for step in ("environment", "administrator", "integration_user", "tables", "checks"):
        answer = guide.post(step.replace("_", "-"), changes.get(step))
        assert answer.status_code == 302, answer.content.decode()
    assert leads_to(guide.post("check")) == FINISH


def press_continue(guide: Guide) -> Any:
    """Without scripts: as many acts as can be done at once."""
    return guide.client.post(FINISH)


def one_act(guide: Guide) -> Any:
    """As htmx asks for it."""
    return guide.client.post(FINISH, headers={"HX-Request": "true"})


def finish(guide: Guide) -> None:
    """To the end, with an import that takes no time."""
    for _ in range(9):
        if leads_to(press_continue(guide)) == DONE:
            return
    raise AssertionError(guide.client.get(FINISH).content.decode())


def states() -> dict[str, str]:
    """By act, what the progress keeps."""
    kept = SetupProgress.objects.get().finish["acts"]
    return {act: one.get("state", "open") for act, one in kept.items()}


def holders(sandbox: Sandbox) -> dict[str, set[str]]:
    """Who holds our integration roles directly, by the role's id."""
    held: dict[str, set[str]] = {role_id: set() for role_id in ROLE_IDS}
    for row in sandbox.dump("systemuserrolescollection"):
        if row["roleid"] in held:
            held[row["roleid"]].add(row["systemuserid"])
    return held


def imports_sent(sandbox: Sandbox, since: int = 0) -> list[dict[str, Any]]:
    return [one for one in sandbox.journal(since) if "ImportSolution" in one["url"]]


def solutions(sandbox: Sandbox) -> list[str]:
    return [row["version"] for row in sandbox.dump("solutions") if row["uniquename"] == "crmsync"]


def by_administrator(sandbox: Sandbox, since: int) -> list[str]:
    """What was asked of the Web API as the administrator."""
    admin = sandbox.ready["administrator"]["id"]
    return [one["url"] for one in sandbox.journal(since) if one["caller"] == admin]


def administrator(sandbox: Sandbox) -> Client:
    """Sales as its administrator sees it."""
    ready = sandbox.ready
    environment = preflight.check_environment(
        url=ready["origin"], application_id=ready["application"]["client_id"]
    )
    identity = ready["administrator"]
    token = preflight.sign_in_administrator(
        environment=environment,
        administrator=preflight.Administrator(identity["username"], identity["password"]),
    )
    return connections.new_client(origin=environment.origin, tokens=token)


def has_version(sandbox: Sandbox, version: Version) -> None:
    """Our solution in another version than this one's, as another installation left it."""
    data = build(replace(SOLUTION, version=version))
    start_import(administrator(sandbox), data, import_job_id=uuid4())
