"""A picture of every page, to be looked at.

    python -m benchmarks.screenshots FOLDER
    python -m benchmarks.screenshots FOLDER --of PREPARED --customers 100000

The first shows a new installation and then the demo company with all that needs attention, wide
and narrow, light and dark, English and Danish. The second shows the installation that
``benchmarks.pages --folder PREPARED`` left, so that big numbers are seen, too.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from crmsync.frame.people import Role
from tests.browser.conftest import QUIET, chromium_binary
from tests.browser.examples import examples_of
from tests.browser.people import Installation, Person
from tests.crash.stacks import Stack, running_stack

LOOKS = ((1280, "light", "English"), (1280, "dark", "English"), (360, "light", "Dansk"))
# What a new installation shows before there is any record.
EMPTY = (
    *("/", "/company/", "/setup/", "/tables/CUSTOMER/", "/tables/CUSTOMER/match/"),
    *("/full-synchronization/", "/jobs/", "/errors/"),
)
NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+", re.IGNORECASE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--of", type=Path, help="a prepared installation")
    parser.add_argument("--customers", type=int, default=500)
    options = parser.parse_args()
    binary = chromium_binary()
    if binary is None:
        print("No chromium is installed: name it in CRMSYNC_CHROMIUM.", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=QUIET)
        with (
            _place(options.of) as place,
            running_stack(place, customers=options.customers) as stack,
        ):
            count = _show(Installation(stack, browser), options)
    print(f"{count} pictures in {options.folder}")
    return 0


@contextmanager
def _place(prepared: Path | None) -> Iterator[Path]:
    if prepared:
        yield prepared
        return
    with tempfile.TemporaryDirectory(prefix="screenshots-") as temporary:
        yield Path(temporary)


def _show(installation: Installation, options: argparse.Namespace) -> int:
    stack: Stack = installation.stack
    count = 0
    if not options.of:
        stack.manage("migrate", "-v0")
        stack.start()
        installation.add("anna", Role.ADMINISTRATORS)
        count += _take(installation, options.folder / "empty", EMPTY)
        stack.manage("seed_demo", "--customers", str(options.customers))
        stack.connect_and_couple()
        stack.manage("fullsync", "start", "--watch")
    else:
        stack.start()
        installation.add(f"anna-{stack.port}", Role.ADMINISTRATORS)
    found = examples_of(installation)
    count += _take(installation, options.folder / "pages", found.signed_in)
    return count + _take_signed_out(installation, options.folder / "pages", found.signed_out)


def _take(installation: Installation, folder: Path, paths: tuple[str, ...]) -> int:
    (name,) = installation.passwords
    for width, scheme, language in LOOKS:
        with installation.signed_in(name, width=width, scheme=scheme) as anna:
            anna.page.get_by_role("button", name=language).click()
            for path in paths:
                _picture(anna, path, folder / f"{width}-{scheme}-{language}")
    return len(paths) * len(LOOKS)


def _take_signed_out(installation: Installation, folder: Path, paths: tuple[str, ...]) -> int:
    for width, scheme, language in LOOKS:
        with installation.visiting(width=width, scheme=scheme) as stranger:
            for path in paths:
                _picture(stranger, path, folder / f"{width}-{scheme}-{language}")
    return len(paths) * len(LOOKS)


def _picture(person: Person, path: str, folder: Path) -> None:
    person.open(path)
    name = NOT_IN_A_NAME.sub("-", path).strip("-") or "home"
    person.page.screenshot(path=folder / f"{name}.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main())
