"""An installation with something on every page, and the address of each page with real records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.urls import reverse
from playwright.sync_api import Browser

from tests.browser.people import Installation, running_installation
from tests.pages import ADDRESSES

# Contrast is judged element by element: more rows of a list only take longer.
CUSTOMERS = 32
# The first run writes so many a table, the second one the rest.
FIRST_RECORDS = 4
STEPS = ("environment", "administrator", "integration-user", "tables", "checks", "check")
SIGNED_OUT = ("frame:sign-in",)
# Pages about one record or one run, and those with a state of their own, are listed one by one.
QUERIES = {
    "coupling:list": ("", "?tab=uncoupled", "?tab=attention", "?tab=left-out", "?q=nobody"),
    "coupling:match": ("", "?tab=ambiguous", "?tab=none"),
    "coupling:couple": ("", "?q=an"),
    "fullsync:errors": ("", "?outcome=failed"),
    "fullsync:search": ("", "?q=10000"),
    "fullsync:side-by-side": ("", "?table=SALESPEOPLE"),
}


@dataclass(frozen=True, slots=True)
class Examples:
    """Paths to look at."""

    signed_in: tuple[str, ...]
    signed_out: tuple[str, ...]


@contextmanager
def prepared_installation(
    folder: Path, chromium: Browser, customers: int = CUSTOMERS
) -> Iterator[Installation]:
    """Connected, coupled and synchronized: from the terminal, which is quicker than a browser."""
    with running_installation(folder, chromium, customers) as installation:
        stack = installation.stack
        stack.connect_and_couple()
        stack.manage("fullsync", "start", "--limit", str(FIRST_RECORDS), "--watch")
        stack.manage("fullsync", "start", "--watch")
        yield installation


def examples_of(installation: Installation) -> Examples:
    """Every address of the table that shows a page, with records that exist."""
    kwargs = _kwargs(installation)
    paths: list[str] = []
    for name, address in ADDRESSES.items():
        if address.shown and name not in SIGNED_OUT:
            for values in kwargs.get(name, [dict(address.kwargs)]):
                path = reverse(name, kwargs=values)
                paths += [path + query for query in QUERIES.get(name, ("",))]
    return Examples(tuple(paths), tuple(reverse(name) for name in SIGNED_OUT))


def _kwargs(installation: Installation) -> dict[str, list[dict[str, Any]]]:
    stack = installation.stack
    coupled = _customer(installation, "10000")
    unsolved = _customer(installation, "60010")
    records = [{"mapping": "CUSTOMER", "record_id": one} for one in (coupled, unsolved)]
    job = stack.rows("SELECT MAX(id) AS id FROM sync_job WHERE mapping = 'CUSTOMER'")[0]["id"]
    (runs,) = stack.rows("SELECT MIN(id) AS first, MAX(id) AS latest FROM fullsync_fullsync")
    lists = [{"mapping": name} for name in ("CUSTOMER", "CURRENCY", "SALESPEOPLE")]
    return {
        "coupling:list": lists,
        "coupling:card": records,
        "coupling:couple": records,
        "coupling:log": records,
        "coupling:result": [{**records[0], "job_id": job}],
        "fullsync:run": [{"run_id": runs["latest"]}],
        "fullsync:side-by-side": [{"run_id": runs["first"]}],
        "fullsync:job": [{"job_id": job}],
        "fullsync:records": [{"job_id": job, "way": way} for way in ("to-crm", "from-crm")],
        "setup_wizard:step": [{"step": step} for step in STEPS],
        "frame:person": stack.rows("SELECT MAX(id) AS user_id FROM auth_user"),
    }


def _customer(installation: Installation, number: str) -> UUID:
    query = f"SELECT id FROM ledger_customer WHERE number = '{number}'"  # noqa: S608 - our own word
    return UUID(str(installation.stack.rows(query)[0]["id"]))
