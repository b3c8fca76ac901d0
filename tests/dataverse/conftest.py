import pytest

from crmsync.dataverse.client import Client
from crmsync.dataverse.session import Channel
from tests.dataverse.wires import application_tokens, open_channel
from tests.sandboxes import Sandbox


@pytest.fixture
def channel(sandbox: Sandbox) -> Channel:
    """A channel of the integration application."""
    return open_channel(sandbox.port, application_tokens(sandbox))


@pytest.fixture
def client(channel: Channel) -> Client:
    return Client(channel)
