"""Connection Setup without the guide in a real browser: look, test, disable, mend, enable, reset.

Also without scripts, and with the same button pressed by several tabs at once.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.guide import fill
from tests.browser.people import Installation, Person, running_installation

PAGE = "/setup/connection/"
AT_ONCE = """async ([path, count]) => {
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const press = () => fetch(path, {
        method: "POST", body: new URLSearchParams({csrfmiddlewaretoken: token}),
    });
    const answers = await Promise.all(Array.from({length: count}, press));
    return answers.map((answer) => answer.status);
}"""


@pytest.fixture(scope="module")
def connected(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("connection")
    with running_installation(folder, chromium, 32) as installation:
        installation.stack.connect_to_sales()
        yield installation


def is_enabled(installation: Installation) -> bool:
    (row,) = installation.stack.rows("SELECT is_enabled FROM connections_connection")
    return bool(row["is_enabled"])


def entries(installation: Installation, act: str) -> int:
    found = installation.stack.rows(f"SELECT id FROM audit_entry WHERE act = '{act}'")  # noqa: S608
    return len(found)


def disable(person: Person, reason: str) -> None:
    person.press("Disable…")
    person.is_at("Disable the connection")
    fill(person, "Reason", reason)
    person.press("Disable")
    person.is_at("Dynamics 365 Connection Setup")


def test_anna_tests_disables_changes_the_secret_and_enables(connected: Installation) -> None:
    secret = connected.stack.sandbox.ready["application"]["client_secret"]
    with connected.signed_in("anna") as anna:
        anna.press("Dynamics 365 Connection Setup")
        anna.is_at("Dynamics 365 Connection Setup")
        anna.sees("0 of 3")
        anna.press("Test Connection")
        anna.sees("Everything works")
        disable(anna, "The contract ended.")
        anna.sees("The contract ended.")
        assert not is_enabled(connected)

        anna.press("Change credentials")
        fill(anna, "New client secret", "wrong")
        anna.press("Try and store")
        anna.sees("The credentials were not changed.")
        fill(anna, "New client secret", secret)
        anna.press("Try and store")
        anna.sees("The new credentials work, and are stored.")

        assert set(anna.page.evaluate(AT_ONCE, [f"{PAGE}enable/", 4])) == {200}
        assert is_enabled(connected)
        assert entries(connected, "connection_enabled") == 1
        anna.open(PAGE)
        before = anna.page.locator("#live time").first.get_attribute("datetime")
        expect(anna.page.locator("#live time").first).not_to_have_attribute(
            "datetime", before or ""
        )
        anna.press("Start Synchronize Modified Records")
        anna.is_at("CRM Full Synch. Review")
        anna.sees("coupled records only, none is created")


def test_without_scripts_all_of_it_works_too(connected: Installation) -> None:
    with connected.signed_in("anna", scripts=False, width=360) as anna:
        anna.open(PAGE)
        anna.press("Test Connection")
        anna.sees("Everything works")
        disable(anna, "For a moment.")
        anna.press("Enable")
        anna.sees("The connection is enabled.")
        anna.press("Begin Redeploy Integration Solution")
        anna.is_at("Environment")
        anna.press("Cancel setup")
        anna.press("Forget this setup")


def test_a_reset_forgets_the_connection_and_nothing_else(connected: Installation) -> None:
    with connected.signed_in("anna") as anna:
        anna.open(PAGE)
        anna.press("Reset the connection")
        anna.sees("What is forgotten")
        anna.press("Forget the connection")
        anna.sees("The connection is forgotten.")
        assert connected.stack.rows("SELECT id FROM connections_connection") == []
