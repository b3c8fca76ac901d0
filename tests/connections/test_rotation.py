"""New sealing keys: everything stored moves to the newest one, or nothing does."""

import io
import stat
import threading

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from pytest_django import Settings

from crmsync.audit.models import Entry
from crmsync.connections import rotation, secrets
from crmsync.connections import services as connections
from crmsync.connections.errors import SecretUnreadable
from crmsync.connections.models import Connection
from crmsync.connections.services import SECRET_PLACE
from crmsync.frame.people import Role
from crmsync.keyfiles import add_key, read_or_create_keys
from fullsync import services as fullsync
from tests.coupling import records
from tests.fullsync.runs import drive
from tests.people import client_of
from tests.sandboxes import Sandbox

pytestmark = pytest.mark.django_db

SECRET = "canary of the application"


def connect() -> Connection:
    """A connection whose secret is sealed with the newest key."""
    row = records.connection()
    row.sealed_secret = secrets.seal(SECRET, place=SECRET_PLACE)
    row.save()
    return row


@pytest.fixture
def connection(settings: Settings) -> Connection:
    settings.CRMSYNC_SEALING_KEYS = ["first"]
    return connect()


@pytest.fixture
def key_file(settings: Settings, tmp_path: object) -> None:
    """Keys in a file, as they are when the environment names none."""
    settings.CRMSYNC_SEALING_KEYS = []
    settings.CRMSYNC_DATA_DIR = tmp_path


def rotate(*arguments: str) -> str:
    out = io.StringIO()
    call_command("rotate_secrets", *arguments, stdout=out)
    return out.getvalue()


def opened() -> str:
    return secrets.unseal(Connection.objects.get().sealed_secret, place=SECRET_PLACE)


def test_after_a_rotation_the_old_key_can_go(connection: Connection, settings: Settings) -> None:
    settings.CRMSYNC_SEALING_KEYS = ["second", "first"]
    assert opened() == SECRET

    assert "1 sealed anew, 0 under the newest key already." in rotate()

    settings.CRMSYNC_SEALING_KEYS = ["second"]
    assert opened() == SECRET


def test_every_sealed_column_of_the_database_is_rotated() -> None:
    columns = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.startswith("sealed_")
    }
    assert {(one.model, one.column) for one in rotation.SEALED} == columns


def test_rotating_again_changes_nothing(connection: Connection, settings: Settings) -> None:
    settings.CRMSYNC_SEALING_KEYS = ["second", "first"]
    rotate()
    sealed = Connection.objects.get().sealed_secret

    assert "0 sealed anew, 1 under the newest key already." in rotate()

    assert Connection.objects.get().sealed_secret == sealed
    (entry,) = Entry.objects.all()
    assert (entry.act, entry.door, entry.after["resealed"]) == ("secrets_rotated", "command", 1)


@pytest.mark.parametrize("arguments", [[], ["--new"]])
def test_with_a_lost_key_it_says_what_to_do_and_changes_nothing(
    connection: Connection, settings: Settings, key_file: None, arguments: list[str]
) -> None:
    before = read_or_create_keys(secrets.key_file())

    with pytest.raises(CommandError, match=r"not at hand.*restore the sealing key") as caught:
        rotate(*arguments)

    assert caught.value.returncode == 1
    assert Connection.objects.get().sealed_secret == connection.sealed_secret
    assert read_or_create_keys(secrets.key_file()) == before
    assert not Entry.objects.exists()
    assert SECRET not in str(caught.value)


def test_a_new_key_is_put_in_front_of_the_old_one(key_file: None) -> None:
    connect()
    (first,) = read_or_create_keys(secrets.key_file())

    assert "1 sealed anew" in rotate("--new")

    second, kept = read_or_create_keys(secrets.key_file())
    assert (kept, second != first) == (first, True)
    assert stat.S_IMODE(secrets.key_file().stat().st_mode) == 0o600
    secrets.key_file().write_text(f"{second}\n")
    assert opened() == SECRET
    assert Entry.objects.get().after["new_key"] is True


def test_keys_of_the_environment_are_not_ours_to_change(
    connection: Connection, settings: Settings
) -> None:
    with pytest.raises(CommandError, match=r"CRMSYNC_SEALING_KEYS.*without --new"):
        rotate("--new")


def test_without_anything_stored_there_is_nothing_to_do(key_file: None) -> None:
    assert "0 sealed anew, 0 under" in rotate()


def test_with_a_lost_key_the_page_of_the_work_says_what_to_do(
    connected: Sandbox, settings: Settings
) -> None:
    connections._clients.clear()
    settings.CRMSYNC_SEALING_KEYS = ["another key"]
    run = drive(fullsync.start(by="anna"))

    job_id = run.lines.get(mapping="CURRENCY").job_id
    page = client_of(Role.OPERATIONS).get(f"/jobs/{job_id}/").content.decode()

    assert "is not at hand" in page
    assert "restore the sealing key" in page


def test_an_emptied_key_file_seals_nothing(key_file: None) -> None:
    secrets.key_file().write_text("\n")

    with pytest.raises(SecretUnreadable, match="not at hand"):
        secrets.seal(SECRET, place=SECRET_PLACE)


def test_many_who_add_a_key_at_once_lose_none(key_file: None) -> None:
    path = secrets.key_file()
    threads = [threading.Thread(target=add_key, args=(path,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(set(read_or_create_keys(path))) == 9
