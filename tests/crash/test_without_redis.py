"""Where no redis-server is to be had, messages go through files, and all else is the same."""

from collections.abc import Iterator

import pytest

from tests.crash.stacks import Stack, permissive, running_stack

CUSTOMERS = 60


@pytest.fixture(scope="module")
def without_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("files")
    environment = {"CRMSYNC_BROKER_URL": "filesystem://"}
    with (
        permissive(),
        running_stack(folder, customers=CUSTOMERS, environment=environment) as stack,
    ):
        stack.prepare(CUSTOMERS)
        stack.start()
        yield stack


def test_a_run_with_the_file_broker_comes_to_its_end(without_redis: Stack) -> None:
    without_redis.manage("fullsync", "start")

    without_redis.wait_until_over()

    assert without_redis.report()["state"] == "finished"
    assert without_redis.differences() == []


def test_no_message_and_no_other_file_can_be_read_by_others(without_redis: Stack) -> None:
    assert without_redis.readable_by_others() == []
