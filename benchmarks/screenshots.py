"""A picture of every page, to be looked at.

    python -m benchmarks.screenshots FOLDER
    python -m benchmarks.screenshots FOLDER --of PREPARED --customers 100000

The first walks through a working day: a new installation, the assisted setup with its errors,
matching, runs that are under way, without a worker, and stopped, then the demo company with all
that needs attention. Wide and narrow, light and dark, English and Danish. The second shows the
installation that ``benchmarks.pages --folder PREPARED`` left, so that big numbers are seen, too.
Exit status 1 when something on a page is cut off.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.urls import resolve
from playwright.sync_api import Browser, sync_playwright

from benchmarks import connection, guide, moments
from benchmarks.camera import LANGUAGES, Album, Camera, camera, stranger
from crmsync.frame.people import Role
from tests.browser.conftest import QUIET, chromium_binary
from tests.browser.examples import examples_of
from tests.browser.people import Installation
from tests.browser.rows import dashed
from tests.crash.stacks import Stack, running_stack
from tests.pages import ADDRESSES

# What a new installation shows before there is any record, and after it was connected.
EMPTY = (
    *("/", "/company/", "/setup/", "/tables/CUSTOMER/", "/tables/CUSTOMER/match/"),
    *("/full-synchronization/", "/full-synchronization/runs/", "/jobs/", "/errors/"),
)
SUGGESTED = (
    *("/tables/CUSTOMER/?tab=suggested", "/tables/CUSTOMER/match/?tab=likely"),
    *("/tables/CUSTOMER/match/?tab=ambiguous", "/tables/CUSTOMER/match/?tab=none"),
    *("/tables/SALESPEOPLE/match/", "/tables/SALESPEOPLE/?tab=uncoupled"),
)
# Their address alone leads to an earlier page.
WALKED_TO = ("setup_wizard:step",)
SLOW_SECONDS = 4.0
NOT_A_MEMBER = "0x80072560"
PRIVILEGE_MISSING = {"status": 403, "code": "0x80040220"}


def pictured() -> set[str]:
    """The names of all addresses of which there is a picture."""
    opened = {name for name, address in ADDRESSES.items() if address.shown}
    return opened - set(WALKED_TO) | set(moments.MOMENTS.values())


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
    album = Album(options.folder)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=QUIET)
        with (
            _place(options.of) as place,
            running_stack(place, customers=options.customers) as stack,
        ):
            if options.of:
                _show_prepared(album, stack, browser)
            else:
                _show_day(album, stack, browser, options.customers)
    print(f"{album.count} pictures in {options.folder}")
    for complaint in album.complaints:
        print(f"cut off: {complaint}")
    return 1 if album.complaints else 0


@contextmanager
def _place(prepared: Path | None) -> Iterator[Path]:
    if prepared:
        yield prepared
        return
    with tempfile.TemporaryDirectory(prefix="screenshots-") as temporary:
        yield Path(temporary)


def _show_prepared(album: Album, stack: Stack, browser: Browser) -> None:
    stack.manage("migrate", "-v0")
    stack.start()
    installation = Installation(stack, browser)
    installation.add(f"anna-{stack.port}", Role.ADMINISTRATORS)
    _pages(album, installation)


def _show_day(album: Album, stack: Stack, browser: Browser, customers: int) -> None:
    stack.manage("migrate", "-v0")
    stack.start()
    installation = Installation(stack, browser)
    installation.add("anna", Role.ADMINISTRATORS)
    _open(album, installation, "1-empty", EMPTY)
    stack.manage("seed_demo", "--customers", str(customers))
    _setup(album, installation)
    _open(album, installation, "3-connected", EMPTY)
    _matching(album, installation)
    _running(album, installation)
    _pages(album, installation)
    _acts(album, installation)
    _connection(album, installation)


def _open(album: Album, installation: Installation, chapter: str, paths: Iterable[str]) -> None:
    for language in LANGUAGES:
        with camera(album, installation, chapter, language) as one:
            for path in paths:
                one.show(path)


def _walk(
    album: Album, installation: Installation, chapter: str, walk: Callable[[Camera], None]
) -> None:
    for language in LANGUAGES:
        with camera(album, installation, chapter, language) as one:
            walk(one)


def _setup(album: Album, installation: Installation) -> None:
    """One person has one setup at a time: the last language is the one that connects."""
    ready = installation.stack.sandbox.ready
    for language in LANGUAGES:
        with camera(album, installation, "2-setup", language) as one:
            guide.walk(one, ready, is_finished=language == LANGUAGES[-1])


def _matching(album: Album, installation: Installation) -> None:
    sandbox = installation.stack.sandbox
    for language in LANGUAGES:
        sandbox.fault({"path": "/api/data/"}, {"latency": SLOW_SECONDS})
        with camera(album, installation, "4-matching", language) as one:
            moments.match_reads(one)
            sandbox.clear_faults()
            moments.match_found(one)
    _open(album, installation, "4-matching", SUGGESTED)
    _walk(album, installation, "4-matching", moments.couple_some)


def _running(album: Album, installation: Installation) -> None:
    """Ten records, a run that is watched and loses its worker, and one that stops."""
    stack, chapter = installation.stack, "5-running"
    stack.manage("couple", "accept", "SALESPEOPLE", "--certain", "--winner", "crm")
    stack.manage("couple", "accept", "CUSTOMER", "--certain", "--winner", "ledger")
    stack.manage("fullsync", "start", "--limit", "10", "--watch")
    run = _last(stack, "fullsync_fullsync")
    _walk(album, installation, chapter, lambda one: moments.of_ten(one, run))
    stack.sandbox.fault({"path": "/api/data/"}, {"latency": SLOW_SECONDS})
    stack.manage("fullsync", "start")
    stack.wait_for(lambda: _last(stack, "sync_job") > 0, "a job")
    _walk(
        album, installation, chapter, lambda one: moments.under_way(one, _last(stack, "sync_job"))
    )
    stack.lose("worker")
    _walk(album, installation, chapter, moments.without_worker)
    stack.sandbox.clear_faults()
    stack.let_recover()
    stack.wait_until_over()
    stack.sandbox.fault({"path": "transactioncurrenc"}, PRIVILEGE_MISSING)
    stack.manage("fullsync", "start", "--watch", check=False)
    query = "SELECT MAX(id) AS id FROM sync_job WHERE mapping = 'CURRENCY'"
    refused = int(stack.rows(query)[0]["id"])
    _walk(album, installation, chapter, lambda one: moments.stopped(one, refused))
    stack.sandbox.clear_faults()
    stack.manage("fullsync", "start", "--watch")


def _pages(album: Album, installation: Installation) -> None:
    """Every address, with records that exist."""
    found = examples_of(installation)
    paths = [path for path in found.signed_in if _name(path) not in WALKED_TO]
    _open(album, installation, "6-pages", paths)
    for language in LANGUAGES:
        with stranger(album, installation, "6-pages", language) as one:
            for path in found.signed_out:
                one.show(path)


def _acts(album: Album, installation: Installation) -> None:
    """What people do on pages; each language has a record of its own."""
    stack, chapter = installation.stack, "7-acts"
    query = "SELECT ledger_id FROM sync_coupling WHERE mapping = 'CUSTOMER' ORDER BY id LIMIT 9"
    records = [dashed(row["ledger_id"]) for row in stack.rows(query)][: len(LANGUAGES)]
    twin = dashed(stack.rows("SELECT id FROM ledger_customer WHERE number = '60010'")[0]["id"])
    operator = Installation(stack, installation.chromium)
    operator.add("carl", Role.OPERATIONS)
    for language, record in zip(LANGUAGES, records, strict=True):
        with camera(album, installation, chapter, language) as one:
            moments.of_list(one, record)
            moments.of_card(one, record)
            moments.of_uncoupled(one, twin)
            moments.of_errors(one)
            moments.of_forms(one)
            moments.of_problems(one)
        with stranger(album, installation, chapter, language) as one:
            moments.of_strangers(one)
        with camera(album, operator, chapter, language) as one:
            moments.without_role(one, record)


def _connection(album: Album, installation: Installation) -> None:
    """Connection Setup, and what is left when it was reset."""
    sandbox, chapter = installation.stack.sandbox, "8-connection"
    _walk(album, installation, chapter, connection.of_connection)
    with camera(album, installation, chapter, LANGUAGES[0]) as one:
        connection.disable(one, "The auditors are in the house until Friday.")
    sandbox.fault({"path": "/api/data/"}, {"status": 403, "code": NOT_A_MEMBER})
    _walk(album, installation, chapter, connection.enable_refused)
    sandbox.clear_faults()
    with camera(album, installation, chapter, LANGUAGES[0]) as one:
        connection.reset(one)
    _walk(album, installation, chapter, connection.after_reset)


def _last(stack: Stack, table: str) -> int:
    query = f"SELECT MAX(id) AS id FROM {table}"  # noqa: S608 - our own word
    return int(stack.rows(query)[0]["id"] or 0)


def _name(path: str) -> str:
    return resolve(path.partition("?")[0]).view_name


if __name__ == "__main__":
    sys.exit(main())
