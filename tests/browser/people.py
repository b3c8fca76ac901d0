"""Three people at their browsers, and the installation they work on."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from crmsync.frame.people import Role
from tests.crash.stacks import Command, Stack, demo_company, running_stack

CUSTOMERS = 120
PASSWORD = re.compile(r"^(\S+) is in .*, password (\S+)$", re.MULTILINE)
PEOPLE = {"anna": Role.ADMINISTRATORS, "bo": Role.ACCOUNTANTS, "carl": Role.OPERATIONS}
# A page that does not come in this time is broken, whatever the machine is busy with.
PATIENCE_MS = 30_000

expect.set_options(timeout=PATIENCE_MS)


@dataclass(slots=True)
class Person:
    """Somebody signed in; ``complaints`` is what the browser's console found wrong."""

    installation: "Installation"
    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        answer = self.page.goto(self.installation.url(path))
        assert answer is not None
        assert answer.status < 400, f"{path}: {answer.status}"

    def press(self, name: str | re.Pattern[str]) -> None:
        """A button or a link by the whole of what it says; the first where several say so."""
        button = self.page.get_by_role("button", name=name, exact=True)
        button.or_(self.page.get_by_role("link", name=name, exact=True)).first.click()

    def types(self, label: str, text: str) -> None:
        """Key by key, as fingers do."""
        self.page.get_by_label(label, exact=True).press_sequentially(text)

    def is_at(self, heading: str | re.Pattern[str]) -> None:
        """Wait for the page with this heading."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.get_by_role("main")).to_contain_text(text)

    def listen(self, page: Page) -> None:
        def note(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.complaints.append(f"{page.url}: {message.text}")

        page.on("console", note)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))


@dataclass(slots=True)
class Installation:
    """A running stack with one person a role; passwords are made when they are first needed."""

    stack: Stack
    chromium: Browser
    passwords: dict[str, str] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.stack.port}{path}"

    def add(self, name: str, role: Role) -> None:
        self.note_passwords(self.stack.manage_all(_add_person(name, role)))

    def note_passwords(self, said: str) -> None:
        """What ``add_person`` said of each."""
        self.passwords.update(PASSWORD.findall(said))

    @contextmanager
    def signed_in(
        self, name: str, *, width: int = 1280, scheme: str = "light", scripts: bool = True
    ) -> Iterator[Person]:
        """Sign in through the page; whatever the console complained of fails in the end."""
        with self.visiting(width=width, scheme=scheme, scripts=scripts) as person:
            person.open("/sign-in/")
            person.page.fill("#id_username", name)
            person.page.fill("#id_password", self.passwords[name])
            person.page.get_by_role("main").get_by_role("button", name="Sign in").click()
            expect(person.page).to_have_url(self.url("/"))
            yield person

    @contextmanager
    def visiting(
        self, *, width: int = 1280, scheme: str = "light", scripts: bool = True
    ) -> Iterator[Person]:
        context = self.chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=scripts,
            # Colours that are on their way to another one are judged by nobody.
            reduced_motion="reduce",
            locale="en-GB",
        )
        context.set_default_timeout(PATIENCE_MS)
        try:
            person = Person(self, context, context.new_page())
            person.listen(person.page)
            yield person
            assert person.complaints == []
        finally:
            context.close()


@contextmanager
def running_installation(
    folder: Path,
    chromium: Browser,
    customers: int = CUSTOMERS,
    *,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Installation]:
    """Up, with a demo company that is not connected, and one person a role."""
    with running_stack(folder, customers=customers, environment=environment) as stack:
        installation = Installation(stack, chromium)
        people = (_add_person(name, role) for name, role in PEOPLE.items())
        installation.note_passwords(stack.manage_all(*demo_company(customers), *people))
        stack.start()
        yield installation


def _add_person(name: str, role: Role) -> Command:
    return "add_person", name, "--group", role.value, "--keep-password"
