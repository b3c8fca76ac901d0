"""What the three people do and see more than once on their pages."""

import re

from playwright.sync_api import Locator, expect

from tests.browser import rows
from tests.browser.people import Person
from tests.crash.stacks import Stack

ALL_FINISHED = "3 of 3 jobs finished, 100 %"
COUPLE_CHOSEN = re.compile(r"^Couple .*chosen pairs?$")


def headings_of(regions: Locator) -> list[str]:
    return [text.strip() for text in regions.get_by_role("heading").all_text_contents()]


def find_matches(bo: Person) -> None:
    """And wait until the page shows them by itself."""
    bo.press("Find matches")
    expect(bo.page.get_by_role("button", name=COUPLE_CHOSEN)).to_be_visible()


def tick(bo: Person, count: int) -> None:
    """The first on the page, but for the one that bo will couple by hand."""
    boxes = bo.page.get_by_role("checkbox", name=re.compile("^Couple (?!Relecloud)"))
    for place in range(count):
        boxes.nth(place).check()


def open_card(person: Person, stack: Stack, number: str) -> None:
    record = rows.dashed(rows.customer(stack, number)["id"])
    person.open(f"/tables/CUSTOMER/{record}/")


def line(person: Person, caption: str) -> Locator:
    """A table's line on CRM Full Synch. Review."""
    table = person.page.get_by_role("table", name="Lines")
    return table.get_by_role("row").filter(
        has=person.page.get_by_role("rowheader", name=caption, exact=True)
    )


def sees_the_end(person: Person, stack: Stack) -> None:
    """Of the run; a worker that starts again may need longer than a page."""
    stack.wait_until_over()
    person.sees(ALL_FINISHED)


def assert_page_equals_rows(person: Person, stack: Stack) -> dict[str, dict[str, int]]:
    """The outcomes of each line as shown; they are what the parts of its job add up to."""
    shown = {}
    for mapping, caption in rows.CAPTIONS.items():
        said = line(person, caption).get_by_role("listitem").all_inner_texts()
        counted = {word: int(n.replace(",", "")) for n, word in map(str.split, said)}
        assert counted == rows.outcomes_of_latest_run(stack, mapping), caption
        shown[caption] = counted
    waiting = rows.waiting_records(stack)
    if waiting:
        person.sees(re.compile(rf"\b{waiting} need attention"))
    return shown
