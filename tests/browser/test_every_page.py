"""Every page, as the judge of accessibility and the browser's own console see it.

The table of addresses leads the way; a page without an example fails.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.examples import Examples, examples_of, prepared_installation
from tests.browser.people import Installation, Person

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1280, 360)
# Read once by each page, which is asked four times.
JUDGE = Axe().axe_script
VIOLATIONS = """options => axe.run(document, options).then(
    found => found.violations.map(one => [one.id, one.nodes.map(node => node.target)])
)"""
# Reflow (WCAG 1.4.10) asks for the first; the others stand on both sides of where pages change.
DANISH_WIDTHS = (320, 768, 1024, 1280)
ENGLISH_WIDTHS = (360, 768, 1024, 1280)
# What is wider than its place: the page, a card with a table, an entry of the navigation.
TOO_WIDE = """() => {
    const found = [];
    const page = document.documentElement;
    if (page.scrollWidth > page.clientWidth) found.push(`page ${page.scrollWidth}`);
    for (const card of document.querySelectorAll(".card"))
        if (card.scrollWidth > card.clientWidth + 1)
            found.push(`card ${card.scrollWidth} > ${card.clientWidth}`);
    for (const entry of document.querySelectorAll(".side a"))
        if (entry.scrollWidth > entry.clientWidth + 1) found.push(entry.textContent.trim());
    return found;
}"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Installation]:
    """A connected company after its first full synchronization, with all that needs attention."""
    with prepared_installation(tmp_path_factory.mktemp("pages"), chromium) as installation:
        yield installation


@pytest.fixture(scope="module")
def examples(prepared: Installation) -> Examples:
    return examples_of(prepared)


def test_every_page_is_accessible_and_fits(prepared: Installation, examples: Examples) -> None:
    """Wide and narrow; in dark only the contrast can be another one."""
    found: list[str] = []
    with prepared.signed_in("anna") as anna:
        for path in examples.signed_in:
            found += _complaints(anna, path)
    with prepared.visiting() as stranger:
        for path in examples.signed_out:
            found += _complaints(stranger, path)
    assert found == []


def _complaints(person: Person, path: str) -> Iterator[str]:
    person.page.emulate_media(color_scheme="light")
    person.open(path)
    person.page.evaluate(JUDGE)
    for width in WIDTHS:
        person.page.set_viewport_size({"width": width, "height": 900})
        person.page.emulate_media(color_scheme="light")
        yield from _violations(person, f"{path} at {width}", RULES)
        person.page.emulate_media(color_scheme="dark")
        yield from _violations(person, f"{path} at {width}, dark", ["color-contrast"])
    yield from _overflows(person, path, ENGLISH_WIDTHS)


def _violations(person: Person, where: str, rules: list[str]) -> Iterator[str]:
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    for rule, targets in person.page.evaluate(VIOLATIONS, options):
        yield f"{where}: {rule} {targets[:3]}"


def _overflows(person: Person, path: str, widths: tuple[int, ...]) -> Iterator[str]:
    for width in widths:
        person.page.set_viewport_size({"width": width, "height": 900})
        for what in person.page.evaluate(TOO_WIDE):
            yield f"{path} at {width}: too wide: {what}"


def test_every_page_speaks_danish_and_fits_every_screen(
    prepared: Installation, examples: Examples
) -> None:
    """Danish words are the longer ones; that none is missing another test finds out."""
    found: list[str] = []
    with prepared.signed_in("anna") as anna:
        anna.page.get_by_role("button", name="Dansk").click()
        for path in examples.signed_in:
            anna.open(path)
            assert anna.page.locator("html").get_attribute("lang") == "da"
            found += _overflows(anna, path, DANISH_WIDTHS)
    assert found == []


def test_every_page_works_without_javascript(prepared: Installation, examples: Examples) -> None:
    with prepared.signed_in("anna", scripts=False) as anna:
        for path in examples.signed_in:
            anna.open(path)
            assert anna.page.get_by_role("main").is_visible(), path
            assert anna.page.get_by_role("heading", level=1).count() == 1, path


def test_html_in_synchronized_names_stays_text(prepared: Installation) -> None:
    """The demo company has a customer whose name holds markup, coupled with an account."""
    with prepared.signed_in("anna") as anna:
        for path in ("/tables/CUSTOMER/?q=Games", "/errors/search/?q=Games"):
            anna.open(path)
            anna.sees("<b>Games</b>")
            assert anna.page.locator("main b").count() == 0
