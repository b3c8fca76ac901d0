"""Run several processes as one: start what is asked for, restart what dies, leave no orphan."""

import contextlib
import ctypes
import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

logger = logging.getLogger(__name__)

STOP_SECONDS = 20.0
LOOK_SECONDS = 0.2
# A process that dies at once, again and again, is not restarted faster than this.
SHORTEST_LIFE_SECONDS = 2.0

_PR_SET_PDEATHSIG = 1


class AlreadyUp(Exception):
    """Another supervisor runs on the same data directory."""

    code = "already_up"
    remedy = "Stop the other 'manage.py up', or name another CRMSYNC_DATA_DIR."


@dataclass(slots=True)
class Child:
    """One process to keep alive; ``prepare`` runs before each of its starts."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    # What it prints goes here instead of into the log, readable by the owner alone.
    output: Path | None = None
    prepare: Callable[[], object] | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.prepare:
            self.prepare()
        with self.log.open("ab") as log, self._open_output(log) as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                self.command,
                env={**self.environment, "CRMSYNC_PREDECESSOR": str(self._dead_predecessor())},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self.started_at = time.monotonic()
        self.pid_file.write_text(f"{self.process.pid}\n")

    def _dead_predecessor(self) -> int:
        """The id of the process that had this part before, if it is certainly gone; else 0."""
        if not self.pid_file.exists():
            return 0
        pid = int(self.pid_file.read_text())
        return pid if _is_gone(pid) else 0

    @property
    def pid_file(self) -> Path:
        """Beside the log, for operators: which process it is at the moment."""
        return self.log.with_suffix(".pid")

    def _open_output(self, log: IO[bytes]) -> IO[bytes]:
        if self.output is None:
            return os.fdopen(os.dup(log.fileno()), "ab")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        return os.fdopen(os.open(self.output, flags, 0o600), "wb")

    @property
    def is_dead(self) -> bool:
        return self.process is None or self.process.poll() is not None


@dataclass(slots=True)
class Supervisor:
    """Keeps its children alive until it is told to stop."""

    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, child: Child) -> None:
        child.start()
        self.children.append(child)

    def stop_on_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stopping.set())

    def keep_alive(self) -> None:
        """Restart what dies, until somebody asks to stop; then stop all, the last one first."""
        try:
            while not self.stopping.wait(LOOK_SECONDS):
                for child in self.children:
                    self._revive(child)
        finally:
            self.stop_all()

    def _revive(self, child: Child) -> None:
        lived = time.monotonic() - child.started_at
        if child.is_dead and lived >= SHORTEST_LIFE_SECONDS:
            logger.warning("%s died and is started again; see %s", child.name, child.log)
            child.start()

    def stop_all(self) -> None:
        for child in reversed(self.children):
            if child.process and not child.is_dead:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in reversed(self.children):
            _wait_or_kill(child, deadline)


def _wait_or_kill(child: Child, deadline: float) -> None:
    if child.process is None:
        return
    try:
        child.process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()


def _is_gone(pid: int) -> bool:
    """Whether no process has this id any more; one that nobody has collected yet is gone, too."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        return stat.read_text().rpartition(")")[2].split()[0] == "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _die_with_parent() -> None:
    """On Linux, be killed when the supervisor is, however it ends: no orphans."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def step_back(niceness: int) -> None:
    """Let other processes go first when the machine is busy, as ``nice`` counts.

    For the calling thread and those it starts; and as a session, as Linux weighs those first where
    it groups processes by session.
    """
    os.nice(niceness)
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness))


def lock(path: Path) -> IO[str]:
    """Hold the data directory for this process alone. Raises AlreadyUp."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise AlreadyUp(f"Another 'manage.py up' holds {path.parent}.") from error
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
