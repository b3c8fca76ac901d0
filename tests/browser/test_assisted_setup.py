"""The assisted setup in a real browser: each way to sign in, forward, backward and interrupted.

The tests share an installation and set it up again and again, which is what its start page offers.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser import guide
from tests.browser.people import Installation, running_installation


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Installation]:
    """Up, with books, not connected."""
    with running_installation(tmp_path_factory.mktemp("guide"), chromium, 32) as installation:
        yield installation


def kind_of_connection(installation: Installation) -> str:
    (row,) = installation.stack.rows("SELECT identity_kind FROM connections_connection")
    return str(row["identity_kind"])


def test_signed_in_with_microsoft_and_an_application_with_a_secret(empty: Installation) -> None:
    ready = empty.stack.sandbox.ready
    with empty.signed_in("anna") as anna:
        anna.open("/setup/")
        anna.press("Begin")
        guide.answer_environment(anna, ready)
        guide.sign_in_at_microsoft(anna, ready["administrator"])
        anna.is_at("Integration user")
        anna.sees("Signed in with Microsoft.")
        anna.press("Back")
        anna.sees("Signed in as Sandbox Administrator.")
        anna.press("Next")
        guide.integration_application(anna, ready["application"])
        guide.accept_tables_and_checks(anna)
        anna.sees("Import the solution crmsync Integration")
        guide.confirm(anna)
        assert "code=" not in anna.page.url
    assert kind_of_connection(empty) == "application"


def test_without_scripts_the_way_back_from_microsoft_has_a_button(empty: Installation) -> None:
    ready = empty.stack.sandbox.ready
    with empty.signed_in("anna", scripts=False) as anna:
        anna.open("/setup/environment/")
        guide.answer_environment(anna, ready)
        guide.sign_in_at_microsoft(anna, ready["administrator"])
        anna.is_at("Back from Microsoft")
        anna.press("Continue")
        anna.is_at("Integration user")
        expect(anna.page.get_by_label("Client secret", exact=True)).to_be_visible()
        anna.press("Cancel setup")
        anna.press("Forget this setup")


def test_a_password_and_a_certificate_interrupted_and_resumed(empty: Installation) -> None:
    ready = empty.stack.sandbox.ready
    administrator = ready["administrator"]
    typed = (administrator["username"], administrator["password"])
    with empty.signed_in("anna") as anna:
        anna.open("/setup/environment/")
        guide.answer_environment(anna, ready)
        guide.administrator_with_password(anna, *typed)
        anna.is_at("Integration user")
    with empty.signed_in("anna") as anna:  # another browser: the secrets stay with the first
        anna.open("/setup/")
        anna.press("Continue the setup")
        anna.sees("Type this one again")
        guide.administrator_with_password(anna, *typed)
        guide.integration_certificate(anna, ready["certificate_application"])
        anna.is_at("What to synchronize")
        anna.sees("Thumbprint")
        guide.accept_tables_and_checks(anna)
        anna.press("Change Certificate")
        anna.is_at("Integration user")
        anna.press("Next")
        anna.is_at("Check your answers")
        guide.confirm(anna)
    assert kind_of_connection(empty) == "certificate"


def test_the_finish_goes_on_by_itself_after_a_request_that_was_lost(empty: Installation) -> None:
    ready = empty.stack.sandbox.ready
    administrator = ready["administrator"]
    lost: list[Route] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route)
            route.abort()
        else:
            route.continue_()

    with empty.signed_in("anna") as anna:
        anna.open("/setup/environment/")
        guide.answer_environment(anna, ready)
        guide.administrator_with_password(
            anna, administrator["username"], administrator["password"]
        )
        guide.integration_application(anna, ready["application"])
        guide.accept_tables_and_checks(anna)
        anna.page.route("**/setup/finish/", lose_the_first)
        guide.confirm(anna)
        # The browser complains of the request that was lost, and the page goes on.
        assert anna.complaints
        anna.complaints.clear()
    assert len(lost) == 1


def test_without_an_administrator_once_everything_is_there(empty: Installation) -> None:
    ready = empty.stack.sandbox.ready
    with empty.signed_in("anna") as anna:
        anna.open("/setup/environment/")
        guide.answer_environment(anna, ready)
        guide.no_administrator(anna)
        user = ready["integration_user"]
        guide.integration_password(anna, user["username"], user["password"])
        anna.is_at("What to synchronize")
        anna.press("Next")
        anna.is_at("Checks")
        anna.press("Next")
        anna.sees("Something stands in the way of the connection.")
        anna.sees("The integration user lacks privileges in Sales")
        anna.open("/setup/integration-user/")
        guide.integration_application(anna, ready["application"])
        anna.is_at("Checks")
        anna.press("Next")
        anna.sees("no solution is imported")
        guide.confirm(anna, "Connect to Sales")


def test_two_tabs_do_not_disturb_each_other_and_a_double_finish_connects_once(
    empty: Installation,
) -> None:
    ready = empty.stack.sandbox.ready
    administrator = ready["administrator"]
    with empty.signed_in("anna") as anna:
        anna.open("/setup/environment/")
        guide.answer_environment(anna, ready)
        guide.administrator_with_password(
            anna, administrator["username"], administrator["password"]
        )
        guide.integration_application(anna, ready["application"])
        guide.accept_tables_and_checks(anna)
        tab = anna.context.new_page()
        tab.goto(empty.url("/setup/tables/"))
        tab.get_by_label("Customers").uncheck()
        tab.get_by_role("button", name="Next").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Checks")
        anna.press(guide.CONNECT)
        anna.is_at("Checks")
        anna.press("Next")
        anna.is_at("Check your answers")
        tab.get_by_role("button", name="Next").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Check your answers")
        anna.open("/setup/check/")
        tab.goto(empty.url("/setup/check/"))
        anna.page.get_by_role("button", name=guide.CONNECT).click(no_wait_after=True)
        tab.get_by_role("button", name=guide.CONNECT).click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Connected")
        anna.is_at("Connected")
    (row,) = empty.stack.rows("SELECT scopes FROM connections_connection")
    assert "customers" not in str(row["scopes"])
    imports = [one for one in empty.stack.sandbox.journal() if "ImportSolution" in one["url"]]
    assert len(imports) == 1
