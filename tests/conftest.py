import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import translation
from pytest_django import Settings

from crmsync.audit.actors import INSTALLATION
from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.ledger import demo
from crmsync.mapping import in_force, registry
from crmsync.terms import Scope
from setup_wizard import services as setup
from setup_wizard.finish.acts import ACTS
from setup_wizard.finish.plan import ActName, Memory, Plan
from tests.kept import Kept, keep, lay_in
from tests.sandboxes import Sandbox, running_sandbox
from tests.sync import runs

DEMO_CUSTOMERS = 60

# Minutes each: they begin first, so that the many short ones fill up the end of both workers.
# The one behind the first needs nothing that the first one is still preparing.
LONGEST_FIRST = [
    "crash/test_crash.py",
    "browser/test_every_page.py",
    "browser/test_working_day.py",
    "crash/test_shared_work.py",
    "crash/test_faults.py",
    "fullsync/test_terminal.py",
    "browser/test_five_hundred.py",
    "browser/test_secrets.py",
    "crash/test_without_redis.py",
    "setup_wizard/test_finishing_at_once.py",
    "house/test_danish_pages.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """What is loaded stays: to look through it again and again costs a twentieth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _turn(item: pytest.Item) -> int:
    name = item.path.relative_to(Path(__file__).parent).as_posix()
    return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.fixture(autouse=True)
def quick_hashes(settings: Settings) -> None:
    """The passwords of tests need no million rounds."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def mappings_as_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins so; its pages count their questions without the one a second for changes."""
    registry.put_in_force(())
    monkeypatch.setattr(in_force, "PAGE_SECONDS", float("inf"))


@pytest.fixture(autouse=True)
def english() -> None:
    """A page in Danish leaves its language to the thread."""
    translation.activate("en")


@pytest.fixture(scope="session")
def demo_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One server for the whole test run; use ``sandbox``, which resets it."""
    data = tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3"
    with running_sandbox(data, customers=DEMO_CUSTOMERS) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(demo_sandbox: Sandbox, settings: Settings) -> Iterator[Sandbox]:
    """Sales with its demo data as seeded, reachable under its https name, without faults."""
    demo_sandbox.reset()
    settings.CRMSYNC_SANDBOX_PORT = demo_sandbox.port
    connections._clients.clear()
    yield demo_sandbox
    demo_sandbox.clear_faults()


@pytest.fixture
def books(db: None) -> demo.DemoCompany:
    """The demo company in the ledger."""
    return demo.plant(customers=DEMO_CUSTOMERS, seed=1)


@pytest.fixture(scope="session")
def kept_states() -> dict[str, Kept]:
    """What ``connected`` and ``settled`` made once, by their names."""
    return {}


@pytest.fixture
def connected(sandbox: Sandbox, db: None, kept_states: dict[str, Kept]) -> Sandbox:
    """The demo company connected to Sales as the integration application."""
    _begin_with("connected", _connect_company, sandbox, kept_states)
    return sandbox


@pytest.fixture
def settled(sandbox: Sandbox, db: None, kept_states: dict[str, Kept]) -> Sandbox:
    """That company with everything coupled that certainly matches, and both sides in line."""
    _begin_with("settled", _settle_company, sandbox, kept_states)
    return sandbox


def _begin_with(
    name: str, make: Callable[[Sandbox], None], sandbox: Sandbox, kept_states: dict[str, Kept]
) -> None:
    if name in kept_states:
        lay_in(kept_states[name], sandbox)
    else:
        make(sandbox)
        kept_states[name] = keep(sandbox)
        connections._clients.clear()  # as it is wherever the kept state is laid in


def _connect_company(sandbox: Sandbox) -> None:
    demo.plant(customers=DEMO_CUSTOMERS, seed=1)
    connect(sandbox)


def _settle_company(sandbox: Sandbox) -> None:
    _connect_company(sandbox)
    runs.settle()


def connect(sandbox: Sandbox) -> None:
    """The demo company connected; what the setup does in Sales besides is left out.

    The sandbox's integration application holds a role that lets it work.
    """
    agreed = plan_of_the_application(sandbox)
    memory = Memory()
    for act in (ActName.USER, ActName.STORED, ActName.ENABLED):
        assert ACTS[act](agreed, memory)


def plan_of_the_application(sandbox: Sandbox) -> Plan:
    """To connect every table as the sandbox's integration application."""
    ready = sandbox.ready
    return setup.check(
        url=ready["origin"],
        application_id=ready["application"]["client_id"],
        administrator=setup.Administrator(
            ready["administrator"]["username"], ready["administrator"]["password"]
        ),
        integration_user=setup.IntegrationUser(
            Connection.IdentityKind.APPLICATION,
            ready["application"]["client_id"],
            ready["application"]["client_secret"],
        ),
        scopes=list(Scope),
        by=INSTALLATION,
    )
