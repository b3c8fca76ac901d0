"""What the log tells of a connection that is set up once more."""

from crmsync.audit.acts import Act
from crmsync.audit.models import Entry
from crmsync.audit.queries import Chosen, read_page
from tests.sandboxes import Sandbox
from tests.setup_wizard.attempts import Attempt
from tests.setup_wizard.finishes import imports_go


def test_a_setup_with_the_same_answers_says_that_the_secret_was_replaced(
    sandbox: Sandbox, books: None
) -> None:
    imports_go(sandbox, seconds=0, hidden=0)
    Attempt(sandbox).connect()
    Attempt(sandbox).connect()
    again, first = read_page(Chosen(act=Act.CONNECTION_SET_UP)).lines

    assert ("", "set") in [(one.before, one.after) for one in first.values]
    told = {one.caption: (one.before, one.after) for one in again.values}
    assert told["Secret"] == ("set", "changed")
    assert str(sandbox.ready["application"]["client_secret"]) not in str(Entry.objects.values())
