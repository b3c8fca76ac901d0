"""Takes pictures of what a person sees, in the looks of one language."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Locator

from tests.browser.people import Installation, Person

NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+", re.IGNORECASE)
# Boxes that hide what does not fit into them.
CUT_OFF = """
    Array.from(document.querySelectorAll("main .flush"))
        .filter((box) => box.scrollWidth > box.clientWidth + 1).length
"""


@dataclass(frozen=True, slots=True)
class Look:
    width: int
    scheme: Literal["light", "dark"]
    language: str

    @property
    def folder(self) -> str:
        return f"{self.width}-{self.scheme}-{self.language}"


LOOKS = (
    Look(1280, "light", "English"),
    Look(1280, "dark", "English"),
    Look(360, "light", "Dansk"),
)
# Every page, wide in the language of the longer words: the other chapters show the same tables.
FURTHER = {"6-pages": (Look(1280, "light", "Dansk"),)}
LANGUAGES = tuple(dict.fromkeys(look.language for look in LOOKS))


@dataclass(slots=True)
class Album:
    """Where pictures go; ``complaints`` name those on which something is cut off."""

    folder: Path
    count: int = 0
    complaints: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Camera:
    """One person's page; each picture is taken in every look of the language."""

    album: Album
    chapter: str
    person: Person
    language: str

    def take(self, name: str) -> None:
        for look in LOOKS + FURTHER.get(self.chapter, ()):
            if look.language == self.language:
                self._take(look, name)
        self._widen_to(_width(self.language))

    def _take(self, look: Look, name: str) -> None:
        page = self.person.page
        self._widen_to(look.width)
        page.emulate_media(color_scheme=look.scheme)
        path = Path(self.chapter, look.folder, f"{name}.png")
        if page.evaluate(CUT_OFF):
            self.album.complaints.append(str(path))
        page.screenshot(path=self.album.folder / path, full_page=True)
        self.album.count += 1

    def _widen_to(self, width: int) -> None:
        size = self.person.page.viewport_size
        if size and size["width"] != width:
            self.person.page.set_viewport_size({**size, "width": width})

    def show(self, path: str, name: str = "") -> None:
        """The page at an address, whatever its status."""
        self.person.page.goto(self.person.installation.url(path))
        self.take(name or NOT_IN_A_NAME.sub("-", path).strip("-") or "home")

    def within(self, css: str) -> Locator:
        """Found by what is the same in every language."""
        return self.person.page.get_by_role("main").locator(css)

    def press(self, css: str) -> None:
        self.within(css).first.click()

    def send(self, url: str) -> None:
        """Press the button of the form that leads there."""
        self.press(f'form[action="{url}"] button, button[formaction="{url}"]')


@contextmanager
def camera(
    album: Album, installation: Installation, chapter: str, language: str
) -> Iterator[Camera]:
    """Of the first person of the installation, signed in."""
    name = next(iter(installation.passwords))
    with installation.signed_in(name, width=_width(language)) as person:
        person.page.get_by_role("button", name=language).click()
        yield Camera(album, chapter, person, language)
        # An answer that is an error is complained of by the console, too.
        person.complaints.clear()


@contextmanager
def stranger(
    album: Album, installation: Installation, chapter: str, language: str
) -> Iterator[Camera]:
    """Of somebody who has not signed in."""
    with installation.visiting(width=_width(language)) as person:
        person.open("/sign-in/")
        person.page.get_by_role("button", name=language).click()
        yield Camera(album, chapter, person, language)
        person.complaints.clear()


def _width(language: str) -> int:
    return next(look.width for look in LOOKS if look.language == language)
