"""The environment of every test, set before Django reads its settings: no state is shared."""

import atexit
import os
import shutil
import tempfile

_folder = tempfile.mkdtemp(prefix="crmsync-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)

os.environ["CRMSYNC_DATA_DIR"] = _folder
os.environ["CRMSYNC_BROKER_URL"] = "memory://localhost"
for name in ("CRMSYNC_SANDBOX_PORT", "DATABASE_URL", "CRMSYNC_MAX_MESSAGE_ROWS"):
    os.environ.pop(name, None)
