from collections.abc import Iterator

import pytest
from pytest_django import Settings

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.ledger import demo
from crmsync.terms import Scope
from setup_wizard import services as setup
from tests.sandboxes import Sandbox, running_sandbox

DEMO_CUSTOMERS = 60


@pytest.fixture(autouse=True)
def quick_hashes(settings: Settings) -> None:
    """The passwords of tests need no million rounds."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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


@pytest.fixture
def connected(sandbox: Sandbox, books: demo.DemoCompany) -> Sandbox:
    """The demo company connected to Sales as the integration application."""
    connect(sandbox)
    return sandbox


def connect(sandbox: Sandbox) -> None:
    ready = sandbox.ready
    setup.connect(
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
    )
