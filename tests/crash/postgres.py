"""A PostgreSQL server of the test's own, on a unix socket in its own folder."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest


def binaries() -> Path | None:
    """Where Debian, or the PATH, keeps initdb."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of an empty database; the server ends with the block.

    PostgreSQL refuses to run as root, so that it runs as the user postgres then.
    """
    place = binaries()
    if place is None:
        if os.environ.get("CRMSYNC_TEST_REQUIRE_ALL"):
            pytest.fail("PostgreSQL is not installed, and every test is required.")
        pytest.skip("PostgreSQL is not installed on this machine")
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    # A short path of its own: a socket's is limited, and another user must be able to enter it.
    folder = Path(tempfile.mkdtemp(prefix="crmsync-pg-"))
    if as_user:
        shutil.chown(folder, "postgres")
    data, socket = folder / "data", folder
    run = [*as_user, str(place / "initdb"), "-D", str(data), "-U", "crmsync", "-A", "trust"]
    subprocess.run([*run, "--no-sync"], check=True, capture_output=True, cwd=folder)
    server = subprocess.Popen(
        [*as_user, str(place / "postgres"), "-D", str(data), "-k", str(socket), "-h", ""],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"postgresql://crmsync@/postgres?host={quote(str(socket))}"
        _wait_until_it_answers(url)
        yield url
    finally:
        stop = [*as_user, str(place / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(stop, check=False, capture_output=True, cwd=folder)
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_it_answers(url: str) -> None:
    for _ in range(200):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        time.sleep(0.1)
    pytest.fail("PostgreSQL did not start.")
