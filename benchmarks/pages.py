"""How long pages take while a full synchronization of many customers runs.

    python -m benchmarks.pages --customers 100000 --users 20

Starts the product and a sandbox for real, couples what certainly matches, starts a full
synchronization, and lets users look at lists, searches, tabs and cards meanwhile, each with a pause
between two looks as people make it. Prints milliseconds by kind of page; exit status 1 when the
median of all is above 300 ms or the 95th percentile above 1 s, the run ended before the users did,
or any page failed.
"""

import argparse
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from tests.crash.stacks import Stack, running_stack

MEDIAN_MS = 300.0
PERCENTILE_95_MS = 1000.0
WORDS = ("an", "berg", "cannon", "dan", "holm", "ltd", "metal", "nord", "tech", "wood")
TABS = ("uncoupled", "suggested", "coupled", "attention", "left-out")
PASSWORD = re.compile(r"password (\S+)")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(slots=True)
class Measured:
    """Milliseconds by kind of page, and what went wrong."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)

    def note(self, kind: str, answer: requests.Response, milliseconds: float) -> None:
        self.times[kind].append(milliseconds)
        if answer.status_code != 200:
            self.failures.append(f"{answer.status_code} {answer.url}")


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="pages-") as temporary:
        folder = Path(options.folder or temporary)
        with running_stack(folder, customers=options.customers) as stack:
            if not (folder / "var" / "crmsync.sqlite3").exists():
                print(f"Preparing {options.customers} customers ...", flush=True)
                stack.prepare(options.customers)
            return _measure(stack, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=2.0, help="mean pause of a user, seconds")
    parser.add_argument("--idle", action="store_true", help="without a synchronization")
    parser.add_argument("--folder", help="keep the prepared installation here, and use it again")
    return parser.parse_args()


def _measure(stack: Stack, options: argparse.Namespace) -> int:
    stack.start()
    users = [_signed_in(stack, f"user-{time.time_ns()}") for _ in range(options.users)]
    cards = [row["id"] for row in stack.rows("SELECT id FROM ledger_customer LIMIT 5000")]
    if not options.idle:
        stack.manage("fullsync", "start")
        stack.wait_for(lambda: stack.seen("from_crm") > 0, "the customers' turn")
    print("Measuring ...", flush=True)
    measured = Measured()
    until = time.monotonic() + options.seconds
    threads = [
        threading.Thread(
            target=_work,
            args=(stack, session, _paths(random.Random(number), cards), measured, until),  # noqa: S311 - not a secret
            kwargs={"pause": random.Random(number + 1000), "mean": options.pause},  # noqa: S311
        )
        for number, session in enumerate(users)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running = stack.rows("SELECT id FROM fullsync_fullsync WHERE state = 'running'")
    if not running and not options.idle:
        measured.failures.append("the synchronization ended before the users did")
    return _tell(measured)


def _signed_in(stack: Stack, name: str) -> requests.Session:
    said = stack.manage("add_person", name, "--group", "Accountants", "--keep-password").stdout
    session = requests.Session()
    # As a browser does: a connection that was closed while it was idle is opened anew.
    session.mount("http://", HTTPAdapter(max_retries=Retry(total=2, status=0)))
    found = PASSWORD.search(said)
    page = session.get(f"{_base(stack)}/sign-in/", timeout=60).text
    token = TOKEN.search(page)
    assert found, said
    assert token, page
    form = {"username": name, "password": found[1], "csrfmiddlewaretoken": token[1]}
    assert session.post(f"{_base(stack)}/sign-in/", form, timeout=60).status_code == 200
    return session


def _base(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.port}"


def _paths(choices: random.Random, cards: list[str]) -> Callable[[], tuple[str, str]]:
    def card() -> str:
        hexadecimal = str(choices.choice(cards)).replace("-", "")
        parts = (hexadecimal[:8], hexadecimal[8:12], hexadecimal[12:16], hexadecimal[16:20])
        return f"/tables/CUSTOMER/{'-'.join((*parts, hexadecimal[20:]))}/"

    makers: dict[str, Callable[[], str]] = {
        "list": lambda: f"/tables/CUSTOMER/?sort={choices.choice(('number', 'name', '-name'))}",
        "search": lambda: f"/tables/CUSTOMER/?q={choices.choice(WORDS)}",
        "tab": lambda: f"/tables/CUSTOMER/?tab={choices.choice(TABS)}",
        "card": card,
    }

    def choose() -> tuple[str, str]:
        kind = choices.choice(sorted(makers))
        return kind, makers[kind]()

    return choose


def _work(
    stack: Stack,
    session: requests.Session,
    choose: Callable[[], tuple[str, str]],
    measured: Measured,
    until: float,
    *,
    pause: random.Random,
    mean: float,
) -> None:
    time.sleep(pause.uniform(0, mean))
    while time.monotonic() < until:
        kind, path = choose()
        began = time.monotonic()
        answer = session.get(f"{_base(stack)}{path}", timeout=60)
        measured.note(kind, answer, (time.monotonic() - began) * 1000)
        time.sleep(pause.uniform(0.5, 1.5) * mean)


def _tell(measured: Measured) -> int:
    print(f"{'page':10} {'n':>6} {'median':>8} {'95 %':>8} {'most':>8}   ms")
    everything = [one for times in measured.times.values() for one in times]
    for kind, times in [*sorted(measured.times.items()), ("all", everything)]:
        print(f"{kind:10} {len(times):6} {_line(times)}")
    for failure in measured.failures[:10]:
        print(f"failed: {failure}")
    is_slow = (
        statistics.median(everything) > MEDIAN_MS or _percentile_95(everything) > PERCENTILE_95_MS
    )
    return 1 if is_slow or measured.failures else 0


def _line(times: list[float]) -> str:
    return f"{statistics.median(times):8.0f} {_percentile_95(times):8.0f} {max(times):8.0f}"


def _percentile_95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]


if __name__ == "__main__":
    sys.exit(main())
