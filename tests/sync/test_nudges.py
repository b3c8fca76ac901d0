"""A nudge wakes a worker up; where no broker hears it nobody waits, and nothing breaks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandboxes import ROOT

# The first one imports the transport, too.
MOST_SECONDS = 1.0
NUDGE_THREE_TIMES = """
import time
from crmsync.sync.nudges import nudge_full_synchronizations, nudge_matching, nudge_parts
began = time.monotonic()
nudge_matching(1)
nudge_parts([1, 2, 3])
nudge_full_synchronizations()
print(time.monotonic() - began)
"""


@pytest.mark.parametrize("broker", ["redis+socket://{folder}/nobody.sock", "redis://127.0.0.1:1/0"])
def test_nudges_while_the_broker_is_away_end_at_once_and_are_no_error(
    broker: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "CRMSYNC_DATA_DIR": str(tmp_path),
        "CRMSYNC_BROKER_URL": broker.format(folder=tmp_path),
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", NUDGE_THREE_TIMES],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert float(done.stdout) < MOST_SECONDS
    assert done.stderr.count("The broker is away") == 3
    assert "Traceback" not in done.stderr
