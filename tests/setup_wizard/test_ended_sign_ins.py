"""An administrator's sign-in that ended during the setup: to sign in again is all it takes."""

import pytest

from tests.sandboxes import Sandbox
from tests.setup_wizard.finishes import FINISH, confirmed, finish, imports_go, one_act, solutions
from tests.setup_wizard.guide import Guide, text
from tests.setup_wizard.microsoft import begin, come_back, sign_in

TWO_HOURS = {"clock": {"advance": 7200}}
ASKED_FOR = "The sign-in has expired. Sign in again as administrator."


@pytest.fixture
def confirmed_guide(guide: Guide) -> Guide:
    """Confirmed by an administrator who signed in with Microsoft."""
    imports_go(guide.sandbox, seconds=0, hidden=0)
    guide.until("administrator")
    sign_in(guide, guide.sandbox.ready["administrator"])
    for step in ("integration-user", "tables", "checks", "check"):
        guide.post(step)
    return guide


def test_the_finish_asks_to_sign_in_again_and_not_for_a_password(confirmed_guide: Guide) -> None:
    guide = confirmed_guide
    guide.sandbox.edit(TWO_HOURS)

    one_act(guide)

    for page in (text(guide.client.get(FINISH)), text(guide.get("administrator"))):
        assert ASKED_FOR in page
        assert "the password or secret" not in page


def test_the_finish_goes_on_once_the_administrator_signed_in_again(
    guide: Guide, sandbox: Sandbox
) -> None:
    imports_go(sandbox, seconds=0, hidden=0)
    confirmed(guide)
    sandbox.edit(TWO_HOURS)
    one_act(guide)

    for step in ("administrator", "checks", "check"):
        guide.post(step)
    finish(guide)

    assert solutions(sandbox) == ["1.0.0.0"]


@pytest.mark.parametrize("code", ["AADSTS54005", "AADSTS65004", "AADSTS70008"])
def test_what_ended_at_microsofts_page_is_begun_again_from_here(guide: Guide, code: str) -> None:
    guide.until("administrator")
    state = begin(guide).asked["state"]

    come_back(guide, {"error": "x", "error_description": f"{code}: no", "state": state})

    page = text(guide.get("administrator"))
    assert "Sign in again as administrator." in page
    assert "the password or secret" not in page
