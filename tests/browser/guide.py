"""What an administrator does in the assisted setup, page by page."""

from collections.abc import Mapping
from typing import Any

from playwright.sync_api import expect

from tests.browser.people import Person

CONNECT = "Connect and import the solution"


def fill(person: Person, label: str, text: str) -> None:
    """In place of what stands there."""
    person.page.get_by_label(label, exact=True).fill(text)


def choose(person: Person, label: str) -> None:
    person.page.get_by_label(label, exact=True).check()


def answer_environment(person: Person, ready: Mapping[str, Any]) -> None:
    person.is_at("Environment")
    fill(person, "Dynamics 365 Sales URL", ready["origin"])
    fill(
        person, "Application (client) ID of the app registration", ready["application"]["client_id"]
    )
    person.press("Next")


def administrator_with_password(person: Person, username: str, password: str) -> None:
    person.is_at("Administrator")
    choose(person, "User name and password")
    fill(person, "User name", username)
    fill(person, "Password", password)
    person.press("Next")


def sign_in_at_microsoft(person: Person, identity: Mapping[str, str]) -> None:
    """From the administrator's step to the page of the sandbox, and back by itself."""
    person.is_at("Administrator")
    choose(person, "Sign in with Microsoft (recommended)")
    person.press("Next")
    expect(person.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    person.page.get_by_label("User name").fill(identity["username"])
    person.page.get_by_label("Password").fill(identity["password"])
    person.page.get_by_role("button", name="Sign in").click()


def no_administrator(person: Person) -> None:
    person.is_at("Administrator")
    choose(person, "Do not import the solution")
    person.press("Next")


def integration_application(person: Person, identity: Mapping[str, str]) -> None:
    person.is_at("Integration user")
    choose(person, "Application with a secret (recommended)")
    fill(person, "Application (client) ID of the integration application", identity["client_id"])
    fill(person, "Client secret", identity["client_secret"])
    person.press("Next")


def integration_certificate(person: Person, identity: Mapping[str, str]) -> None:
    person.is_at("Integration user")
    choose(person, "Application with a certificate")
    fill(person, "Application (client) ID of the integration application", identity["client_id"])
    fill(person, "Certificate and private key", identity["pem"])
    person.press("Next")


def integration_password(person: Person, username: str, password: str) -> None:
    person.is_at("Integration user")
    choose(person, "User with a password")
    fill(person, "User name", username)
    fill(person, "Password", password)
    person.press("Next")


def accept_tables_and_checks(person: Person) -> None:
    person.is_at("What to synchronize")
    person.press("Next")
    person.is_at("Checks")
    person.press("Next")
    person.is_at("Check your answers")


def confirm(person: Person, button: str = CONNECT) -> None:
    """And watch the finish go on by itself to its end."""
    person.press(button)
    person.is_at("Connected")
