import pytest

from crmsync.frame.people import Role
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.guide import Guide


@pytest.fixture
def guide(sandbox: Sandbox, books: object) -> Guide:
    """An administrator at the beginning of the assisted setup, with the demo company's books."""
    return Guide(client_of(Role.ADMINISTRATORS), sandbox)
