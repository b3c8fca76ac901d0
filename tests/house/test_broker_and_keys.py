"""Files of the installation: a socket that can be opened, keys that only their owner reads."""

import socket
import stat
import threading
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.broker import SOCKET_PATH_LIMIT, socket_path, transport_options
from crmsync.keyfiles import read_or_create_key

FOLDERS = st.lists(st.text("abc\u00f8\U0001f980", min_size=1, max_size=40), max_size=6).map(
    lambda names: Path("/", *names)
)


@settings(deadline=None)
@given(FOLDERS)
def test_the_path_of_the_socket_fits_whatever_the_data_folder(folder: Path) -> None:
    assert len(bytes(socket_path(folder))) <= SOCKET_PATH_LIMIT


def test_a_socket_can_be_opened_under_a_folder_with_a_long_name(tmp_path: Path) -> None:
    path = socket_path(tmp_path / ("long" * 60))
    path.parent.mkdir(parents=True, exist_ok=True)

    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(path))

    path.unlink()
    path.parent.rmdir()


def test_two_data_folders_never_share_a_broker(tmp_path: Path) -> None:
    long = tmp_path / ("long" * 60)

    assert socket_path(long / "a") != socket_path(long / "b")
    assert socket_path(long / "a") == socket_path(long / "a")


def test_a_broker_that_is_away_fails_fast() -> None:
    options = transport_options("redis://host/0", Path("/data"))

    assert options["socket_connect_timeout"] <= 2


def test_a_key_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "sealing.key"

    read_or_create_key(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["sealing.key"]


def test_a_key_is_made_once_and_two_keys_differ(tmp_path: Path) -> None:
    one = read_or_create_key(tmp_path / "one.key")

    assert read_or_create_key(tmp_path / "one.key") == one
    assert read_or_create_key(tmp_path / "other.key") != one
    assert len(one) >= 43


def test_many_who_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path, keys = tmp_path / "sealing.key", []
    together = threading.Barrier(8)

    def start() -> None:
        together.wait(10)
        keys.append(read_or_create_key(path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["sealing.key"]
