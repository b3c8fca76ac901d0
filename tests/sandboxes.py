"""A sandbox of Sales as tests use it: started for real, looked at through its back doors."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
WRITES = ("POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """``ready`` is what it printed: addresses, tenant and demo identities. ``data``: its file."""

    ready: dict[str, Any]
    port: int
    data: Path

    def url(self, path: str) -> str:
        return f"{self.ready['base_url']}{path}"

    def dump(self, entity_set: str) -> list[dict[str, Any]]:
        """All rows, straight from its store."""
        found = requests.get(self.url(f"/_sandbox/dump/{entity_set}"), timeout=60).json()
        rows: list[dict[str, Any]] = found["value"]
        return rows

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        found = requests.get(self.url(f"/_sandbox/journal?since={since}"), timeout=60).json()
        entries: list[dict[str, Any]] = found["value"]
        return entries

    def mark(self) -> int:
        """Where the journal stands now."""
        found = requests.get(self.url("/_sandbox/journal?since=0"), timeout=60).json()
        return int(found["next"])

    def writes(self, since: int = 0) -> list[dict[str, Any]]:
        """Requests that ask the Web API to change something."""
        return [
            entry
            for entry in self.journal(since)
            if entry["method"] in WRITES and "/api/data/" in entry["url"]
        ]

    def fault(self, match: dict[str, Any], act: dict[str, Any], times: int | None = None) -> None:
        rule = {"match": match, "act": act, "times": times}
        answer = requests.post(self.url("/_sandbox/faults"), json=rule, timeout=10)
        assert answer.status_code == 201, answer.text

    def clear_faults(self) -> None:
        requests.delete(self.url("/_sandbox/faults"), timeout=10)

    def edit(self, *edits: dict[str, Any]) -> list[str]:
        """Change rows as a Sales user would."""
        answer = requests.post(self.url("/_sandbox/edit"), json=list(edits), timeout=30)
        assert answer.status_code == 200, answer.text
        ids: list[str] = answer.json()["ids"]
        return ids

    def reset(self) -> None:
        self.clear_faults()
        assert requests.post(self.url("/_sandbox/reset"), json={}, timeout=60).status_code < 300


@contextmanager
def running_sandbox(
    data: Path, *, seed: str = "demo", customers: int = 60, port: int = 0
) -> Iterator[Sandbox]:
    """Start it, wait for its one line, stop it in the end."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "crmsync.sandbox"),
            *("--port", str(port), "--data", str(data)),
            *("--seed", seed, "--customers", str(customers)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield Sandbox(ready, int(ready["base_url"].rsplit(":", 1)[1]), data)
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()
