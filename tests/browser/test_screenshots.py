"""The pictures that are looked at leave out no page."""

from benchmarks.moments import MOMENTS
from benchmarks.screenshots import pictured
from setup_wizard.guide.steps import StepName
from tests.pages import ADDRESSES, url_names

# Each of them answers a request to change something with a question of its own.
ASKING = {
    *("coupling:create", "coupling:leave-out", "coupling:uncouple-many"),
    *("fullsync:cancel", "fullsync:cancel-job", "fullsync:leave-out"),
    "setup_wizard:cancel",
}
STATUSES = {"403", "404", "405", "500", "csrf"}


def test_there_is_a_picture_of_every_page() -> None:
    shown = {name for name, address in ADDRESSES.items() if address.shown}

    assert shown | ASKING <= pictured()


def test_every_step_of_the_guide_is_pictured_and_those_that_ask_with_an_error_too() -> None:
    asking = {StepName.ENVIRONMENT, StepName.ADMINISTRATOR, StepName.INTEGRATION_USER}

    assert {f"setup-{step}" for step in StepName} <= set(MOMENTS)
    assert {f"setup-{step}-error" for step in asking} <= set(MOMENTS)


def test_every_picture_is_of_a_page_that_exists() -> None:
    assert pictured() <= set(url_names()) | STATUSES
