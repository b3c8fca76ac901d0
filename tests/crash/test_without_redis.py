"""Where no redis-server is to be had, messages go through files, and the run is the same."""

from pathlib import Path

from tests.crash.stacks import running_stack

CUSTOMERS = 60


def test_a_run_with_the_file_broker_comes_to_its_end(tmp_path: Path) -> None:
    environment = {"CRMSYNC_BROKER_URL": "filesystem://"}
    with running_stack(tmp_path, customers=CUSTOMERS, environment=environment) as stack:
        stack.prepare(CUSTOMERS)
        stack.start()
        stack.manage("fullsync", "start")

        stack.wait_until_over()

        assert stack.report()["state"] == "finished"
        assert stack.differences() == []
