import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.people import Installation, running_installation

QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# The one without a window first: it is the same engine, and a fifth quicker.
WANTED = (
    "CRMSYNC_CHROMIUM",
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)


def chromium_binary() -> str | None:
    """The browser that is installed, by setting or on the PATH."""
    named = os.environ.get(WANTED[0])
    return named or next((found for name in WANTED[1:] if (found := shutil.which(name))), None)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Closed with the package: its event loop would stand in the way of other tests."""
    binary = chromium_binary()
    if binary is None:
        reason = "no chromium is installed"
        if os.environ.get("CRMSYNC_TEST_REQUIRE_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def installation(
    tmp_path_factory: pytest.TempPathFactory, chromium: Browser
) -> Iterator[Installation]:
    """The product as its users meet it: up, with a demo company, not connected yet."""
    folder = tmp_path_factory.mktemp("browser")
    with running_installation(folder, chromium) as installation:
        yield installation
