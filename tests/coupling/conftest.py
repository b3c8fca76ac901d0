"""Sales as it was read, and customers as they were matched."""

import pytest

from crmsync.sync import jobs
from tests.coupling.suggested import match
from tests.sandboxes import Sandbox


@pytest.fixture
def read(connected: Sandbox) -> Sandbox:
    """Sales was read, nothing is coupled."""
    for mapping in ("SALESPEOPLE", "CUSTOMER"):
        jobs.read_sales(mapping=mapping, by="test")
    return connected


@pytest.fixture
def matched(read: Sandbox) -> Sandbox:
    """Customers were matched, nothing is coupled."""
    match()
    return read
