"""What to do about the connection reads well wherever it stands: on a page and at a terminal."""

import pytest
from django.utils.functional import Promise

from crmsync.connections.errors import ConnectionProblem, Disabled, NotConnected, SecretUnreadable
from crmsync.sync.jobs import ReadingStopped


@pytest.mark.parametrize(
    "problem", [ConnectionProblem, NotConnected, Disabled, SecretUnreadable, ReadingStopped]
)
def test_a_remedy_names_a_page_and_waits_for_the_reader_s_language(
    problem: type[ConnectionProblem | ReadingStopped],
) -> None:
    assert isinstance(problem.remedy, Promise)
    assert "Dynamics 365 Connection Setup" in str(problem.remedy)
    assert "manage.py" not in str(problem.remedy)


def test_what_sales_said_about_a_remedy_goes_before() -> None:
    stopped = ReadingStopped("It is refused.", "Give the user a role.")

    assert (str(stopped), stopped.remedy) == ("It is refused.", "Give the user a role.")
