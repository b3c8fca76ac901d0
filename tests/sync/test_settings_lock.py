"""Two who change a mapping at once, on PostgreSQL, where nothing is connected yet."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crmsync.audit.actors import INSTALLATION
from crmsync.mapping import in_force
from crmsync.mapping.errors import NotTheSettingsShown
from crmsync.mapping.models import ChangedSetting
from crmsync.mapping.overlay import OFF, Setting
from crmsync.sync import services
from tests.crash.postgres import running_postgres
from tests.setup_wizard.remapped import of_table

# Both wait while the settings are held; then one is stored, and the other decides anew.
TWO_AT_ONCE = """
import threading, time
import django
django.setup()
from django.core.management import call_command
from django.db import connection, connections, transaction
call_command("migrate", verbosity=0)
from crmsync.audit.actors import INSTALLATION
from crmsync.mapping.overlay import OFF, Change, Setting
from crmsync.sync import services
from crmsync.sync.settings_lock import hold_settings

said = []

def change(setting, value):
    wanted = [Change("CUSTOMER", "", setting, value)]
    try:
        services.change_mapping(
            mapping="CUSTOMER", wanted=wanted, expected=services.shown(()), by=INSTALLATION
        )
        said.append("stored")
    except Exception as error:
        said.append(type(error).__name__)
    finally:
        connections.close_all()

def waiting():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]

two = [
    threading.Thread(target=change, args=(Setting.CONFLICT_POLICY, "crm_wins")),
    threading.Thread(target=change, args=(Setting.CREATES_IN_CRM, OFF)),
]
with transaction.atomic():
    hold_settings()
    for one in two:
        one.start()
    until = time.monotonic() + 20
    while waiting() < 2 and time.monotonic() < until:
        time.sleep(0.05)
for one in two:
    one.join()
print(*sorted(said))
"""


def test_of_two_who_saw_the_same_settings_one_is_told_to_look_again(tmp_path: Path) -> None:
    with running_postgres() as url:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "CRMSYNC_DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "crmsync.settings",
        }
        ended = subprocess.run(
            [sys.executable, "-c", TWO_AT_ONCE],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["NotTheSettingsShown", "stored"]


def test_a_setting_that_somebody_else_stored_at_this_moment_is_not_stored_twice(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    creation = of_table(Setting.CREATES_IN_CRM, OFF)
    monkeypatch.setattr(in_force, "stored", lambda: frozenset())
    expected = services.shown(())
    services.change_mapping(
        mapping="CUSTOMER", wanted=[creation], expected=expected, by=INSTALLATION
    )

    with pytest.raises(NotTheSettingsShown):
        services.change_mapping(
            mapping="CUSTOMER", wanted=[creation], expected=expected, by=INSTALLATION
        )

    assert ChangedSetting.objects.count() == 1
