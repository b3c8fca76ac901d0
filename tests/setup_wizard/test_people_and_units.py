"""What the finish makes: a user in the root business unit, and a counterpart of our own."""

import orjson
import pytest

from crmsync.frame import people
from crmsync.frame.models import Account
from crmsync.frame.roles import Role
from setup_wizard.errors import SetupProblem
from setup_wizard.finish.connecting import COUNTERPARTS
from tests.sandboxes import Sandbox
from tests.setup_wizard.attempts import Attempt, application
from tests.setup_wizard.finishes import administrator, imports_go

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def at_once(sandbox: Sandbox) -> Sandbox:
    imports_go(sandbox, seconds=0, hidden=0)
    return sandbox


def somebody_named(name: str) -> None:
    people.add_person(name=name, role=Role.ACCOUNTANTS, password="p" * 20)


def counterparts() -> list[str]:
    found = Account.objects.filter(is_non_interactive=True)
    return list(found.values_list("user__username", flat=True))


def test_a_new_application_user_goes_to_the_root_whoever_the_administrator_is(
    at_once: Sandbox,
) -> None:
    client = administrator(at_once)
    (root,) = [row["businessunitid"] for row in at_once.dump("businessunits")]
    json = {"Content-Type": "application/json"}
    unit = {"name": "Branch", "parentbusinessunitid@odata.bind": f"/businessunits({root})"}
    client.channel.send("POST", "businessunits", headers=json, body=orjson.dumps(unit))
    (branch,) = [
        row["businessunitid"]
        for row in at_once.dump("businessunits")
        if row["businessunitid"] != root
    ]
    moved = orjson.dumps({"businessunitid@odata.bind": f"/businessunits({branch})"})
    admin = at_once.ready["administrator"]["id"]
    client.channel.send("PATCH", f"systemusers({admin})", headers=json, body=moved)
    stray = at_once.ready["flawed"]["application_without_user"]

    Attempt(at_once, {"integration_user": application(stray)}).connect()

    units = {
        row["systemuserid"]: row["_businessunitid_value"] for row in at_once.dump("systemusers")
    }
    (made,) = [
        row["systemuserid"]
        for row in at_once.dump("systemusers")
        if row["applicationid"] == stray["client_id"]
    ]
    assert (units[admin], units[made]) == (branch, root)


@pytest.mark.parametrize("name", ["Dynamics 365 Sales", "DYNAMICS 365 sales"])
def test_a_person_with_the_name_of_the_counterpart_keeps_it(at_once: Sandbox, name: str) -> None:
    somebody_named(name)

    Attempt(at_once).connect()
    Attempt(at_once).connect()

    assert counterparts() == ["Dynamics 365 Sales 2"]
    assert not Account.objects.filter(user__username=name, is_non_interactive=True).exists()


def test_where_every_name_is_taken_it_is_said_and_nothing_is_enabled(at_once: Sandbox) -> None:
    for name in COUNTERPARTS:
        somebody_named(name)

    with pytest.raises(SetupProblem, match="every name"):
        Attempt(at_once).connect()

    assert counterparts() == []
