"""What a whole installation keeps of secrets that were typed into its browser: nothing in clear.

Everything is logged at debug level; then every file, the broker's memory and the process list are
searched. The guide's own pages and tables are searched step by step in ``tests/setup_wizard``.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import redis
from playwright.sync_api import Browser

from crmsync.broker import socket_path
from tests.browser import guide
from tests.browser.people import Installation, running_installation
from tests.crash.stacks import permissive

WRONG = "canary-wrong-9f3c"
# The tests' own: the sandbox beside the installation knows its users' passwords, of course.
LOUD = {"CRMSYNC_LOG_LEVEL": "DEBUG"}


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("secrets")
    with (
        permissive(),
        running_installation(folder, chromium, 60, environment=LOUD) as installation,
    ):
        yield installation


def test_no_file_no_queue_and_no_process_shows_a_secret(loud: Installation) -> None:
    ready = loud.stack.sandbox.ready
    administrator, user = ready["administrator"], ready["integration_user"]
    application = ready["application"]
    pem = ready["certificate_application"]["pem"].splitlines()
    secrets = [administrator["password"], user["password"], application["client_secret"], WRONG]
    secrets += [pem[2], pem[-3]]
    with loud.signed_in("anna") as anna:
        anna.open("/setup/")
        anna.press("Begin")
        guide.answer_environment(anna, ready)
        guide.administrator_with_password(anna, administrator["username"], WRONG)
        anna.sees("There is a problem")
        assert _places(loud, secrets) == []
        guide.administrator_with_password(
            anna, administrator["username"], administrator["password"]
        )
        anna.is_at("Integration user")
        assert _places(loud, [administrator["username"]]) != [], "the search finds nothing at all"
        assert _places(loud, secrets) == []
        guide.integration_certificate(anna, ready["certificate_application"])
        anna.is_at("What to synchronize")
        assert _places(loud, secrets) == []
        anna.press("Back")
        guide.integration_password(anna, user["username"], WRONG)
        anna.sees("There is a problem")
        guide.integration_password(anna, user["username"], user["password"])
        anna.is_at("What to synchronize")
        assert _places(loud, secrets) == []
        guide.accept_tables_and_checks(anna)
        guide.confirm(anna)
        assert _places(loud, secrets) == []
    loud.stack.manage("fullsync", "start", "--watch")
    for name in ("web", "worker"):
        assert "DEBUG crmsync.dataverse.session" in loud.stack.log(name), f"{name} is not loud"
    assert _places(loud, secrets) == []


def test_no_file_of_a_stack_that_is_up_can_be_read_by_others(loud: Installation) -> None:
    assert loud.stack.readable_by_others() == []


def _places(installation: Installation, secrets: list[str]) -> list[str]:
    """Where one of the secrets stands, in clear or in a disguise that anybody can take off."""
    wanted = {form for secret in secrets for form in _disguises(secret)}
    return [
        place
        for place, content in _everything(installation)
        if any(form in content for form in wanted)
    ]


def _disguises(secret: str) -> set[bytes]:
    text = secret.encode()
    return {
        text,
        quote(secret).encode(),
        quote_plus(secret).encode(),
        secret.encode("utf-16-le"),
        *(base64.b64encode(b"x" * shift + text)[4:-4] for shift in range(3)),
    }


def _everything(installation: Installation) -> Iterator[tuple[str, bytes]]:
    folder = installation.stack.folder
    for path in folder.rglob("*"):
        if path.is_file() and "sandbox" not in path.name:
            yield str(path.relative_to(folder)), path.read_bytes()
    with redis.Redis(unix_socket_path=str(socket_path(folder))) as broker:
        for key in broker.scan_iter():
            yield f"broker: {key!r}", broker.dump(key) or b""
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                yield f"{process.name}/{name}", (process / name).read_bytes()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it has ended, or is none of ours
