"""From 500 uncoupled customers to 500 right couplings, with every click counted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser import rows
from tests.browser.people import Installation, running_installation
from tests.browser.steps import COUPLE_CHOSEN
from tests.truth import possible_accounts

# Of so many customers 515 have an account in Sales.
CUSTOMERS = 670
RIGHT_COUPLINGS = 500
MOST_CLICKS = 40


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Installation]:
    """Connected, and nothing is coupled."""
    folder = tmp_path_factory.mktemp("large")
    with running_installation(folder, chromium, CUSTOMERS) as installation:
        installation.stack.connect_to_sales()
        yield installation


@dataclass(slots=True)
class Mouse:
    """The only way to click in this test: what was clicked is kept."""

    clicked: list[Locator] = field(default_factory=list)

    def click(self, wanted: Locator) -> None:
        wanted.click()
        self.clicked.append(wanted)


def test_five_hundred_customers_are_coupled_rightly_in_at_most_forty_clicks(
    large: Installation,
) -> None:
    mouse, right = Mouse(), possible_accounts(CUSTOMERS)
    with large.signed_in("bo") as bo:
        bo.open("/tables/CUSTOMER/")
        page = bo.page
        chosen = page.get_by_role("button", name=COUPLE_CHOSEN)
        mouse.click(page.get_by_role("link", name="Match-Based Coupling"))
        mouse.click(page.get_by_role("link", name="Match-Based Coupling of Salespeople"))
        mouse.click(page.get_by_role("button", name="Find matches"))
        mouse.click(chosen)
        bo.sees(re.compile(r"\d+ pairs are coupled"))
        mouse.click(page.get_by_role("navigation").get_by_role("link", name="Customers"))
        mouse.click(page.get_by_role("link", name="Match-Based Coupling"))
        mouse.click(page.get_by_role("button", name="Find matches"))
        expect(chosen).to_be_visible()

        preselected = rows.preselected_customers(large.stack)
        assert len(preselected) >= RIGHT_COUPLINGS
        assert rows.wrong_pairs(preselected, right) == []
        expect(chosen).to_have_text(re.compile(rf"\b{len(preselected)} chosen pairs"))
        mouse.click(
            page.get_by_role("radio", name="Financials wins: its values replace those in Sales")
        )
        mouse.click(chosen)
        bo.sees(f"{len(preselected)} pairs are coupled.")

    pairs = rows.coupled_customers(large.stack)
    assert len(pairs) >= RIGHT_COUPLINGS
    assert rows.wrong_pairs(pairs, right) == []
    assert len(mouse.clicked) <= MOST_CLICKS
