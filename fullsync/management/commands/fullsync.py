"""Run, watch and steer the full synchronization from the terminal.

Exit status: 0 begun, or finished when watched (records may need attention); 1 refused, stopped or
cancelled; 3 the run is stored, but the broker does not answer.
"""

import argparse
import getpass
import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from crmsync import health
from crmsync.connections import services as connections
from crmsync.connections.errors import ConnectionProblem
from crmsync.dataverse import administration
from crmsync.dataverse.errors import DataverseError, Throttled, TransientError
from crmsync.mapping import in_force
from crmsync.sync.jobs import ReadingStopped
from crmsync.terms import ACTIVE_STATES, JobState
from fullsync import preview, services
from fullsync.errors import AlreadyRunning, FullSyncProblem
from fullsync.models import FullSync
from fullsync.queries.attention import attention
from fullsync.queries.report import Report, is_over, latest, report

WATCH_SECONDS = 1.0
STATUS_WAITS = 3
ATTEMPTS = 3


class Command(BaseCommand):
    help = "preview, start, watch, status, cancel or restart the full synchronization"
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for action, text in (
            ("preview", "what a run would do, without writing"),
            ("start", "begin a run; when one is under way, name it"),
            ("watch", "follow the latest run to its end"),
            ("status", "the latest run as it stands"),
            ("cancel", "stop the run; what was written stays"),
            ("restart", "make a new attempt of what stopped, failed or was deferred"),
            ("reset", "put the latest run aside; couplings stay"),
        ):
            one = actions.add_parser(action, help=text)
            one.add_argument("--json", action="store_true", dest="as_json")
            if action == "start":
                one.add_argument("--limit", type=int, help="at most so many records a table")
                one.add_argument(
                    "--modified-only",
                    action="store_true",
                    help="coupled records alone: what was changed, nothing is created",
                )
            if action == "restart":
                one.add_argument("--table", default="", help="this table only")
            if action in ("start", "restart"):
                one.add_argument("--watch", action="store_true", help="follow it to its end")

    @no_translations
    def handle(self, *_: Any, **options: Any) -> None:
        in_force.take_up()
        action = getattr(self, f"_{options['action']}")
        try:
            action(options)
        except (
            ConnectionProblem,
            DataverseError,
            ReadingStopped,
            FullSyncProblem,
        ) as problem:
            raise CommandError(f"{problem} {problem.remedy}") from problem

    def _preview(self, options: dict[str, Any]) -> None:
        previews = preview.preview(by=getpass.getuser())
        if options["as_json"]:
            self.stdout.write(json.dumps([one.as_json() for one in previews]))
            return
        for one in previews:
            for line in one.lines():
                self.stdout.write(line)

    def _start(self, options: dict[str, Any]) -> None:
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit: give a number of at least 1.")
        _ask_sales()
        try:
            full_sync = services.start(
                by=getpass.getuser(),
                limit=options["limit"],
                modified_only=options["modified_only"],
            )
            self._say(options, full_sync, "started")
        except AlreadyRunning as running:
            full_sync = running.full_sync
            self._say(options, full_sync, "is under way already")
        if options["watch"]:
            self._follow(full_sync, options)
        elif not health.broker().is_well:
            raise CommandError(
                f"The broker does not answer: run {full_sync.pk} waits, and begins by itself when "
                "it is back. Start 'manage.py up', or mend CRMSYNC_BROKER_URL.",
                returncode=STATUS_WAITS,
            )

    def _restart(self, options: dict[str, Any]) -> None:
        _ask_sales()
        try:
            full_sync = services.restart(mapping=options["table"])
            self._say(options, full_sync, "started again")
        except AlreadyRunning as running:
            full_sync = running.full_sync
            self._say(options, full_sync, "is under way already")
        if options["watch"]:
            self._follow(full_sync, options)

    def _say(self, options: dict[str, Any], full_sync: FullSync, what: str) -> None:
        if options["as_json"] and not options["watch"]:
            self.stdout.write(json.dumps({"id": full_sync.pk, "state": what}))
        elif not options["as_json"]:
            self.stdout.write(f"Full synchronization {full_sync.pk} {what}.")
            if full_sync.state in ACTIVE_STATES and not connections.workers_alive():
                self.stdout.write("No worker is alive: it begins when one is ('manage.py up').")

    def _watch(self, options: dict[str, Any]) -> None:
        self._follow(self._latest(), options)

    def _status(self, options: dict[str, Any]) -> None:
        found = report(self._latest())
        if options["as_json"]:
            self.stdout.write(json.dumps(found.as_json(), default=str))
        else:
            self._table(found)

    def _cancel(self, options: dict[str, Any]) -> None:
        full_sync = services.cancel(by=getpass.getuser())
        if full_sync is None:
            raise CommandError("No full synchronization is under way.")
        self._say({**options, "watch": False}, full_sync, "cancelled")

    def _reset(self, options: dict[str, Any]) -> None:
        try:
            self._say(options | {"watch": False}, services.reset(), "put aside")
        except AlreadyRunning as running:
            raise CommandError(f"{running} {running.remedy}") from running

    def _follow(self, full_sync: FullSync, options: dict[str, Any]) -> None:
        """Progress when something changed, the closing table at the end."""
        said = ""
        while True:
            services.advance()
            over = is_over(full_sync)
            full_sync.refresh_from_db()
            found = report(full_sync)
            now = progress(found)
            if now != said and not options["as_json"]:
                self.stdout.write(now)
                said = now
            if over:
                break
            time.sleep(WATCH_SECONDS)
        if options["as_json"]:
            self.stdout.write(json.dumps(found.as_json(), default=str))
        else:
            self._table(found)
        if full_sync.state != JobState.FINISHED:
            raise CommandError(f"Full synchronization {full_sync.pk} {full_sync.state}.")

    def _latest(self) -> FullSync:
        full_sync = latest()
        if full_sync is None:
            raise CommandError("There was no full synchronization yet: 'fullsync start'.")
        return full_sync

    def _table(self, found: Report) -> None:
        for line in closing_table(found):
            self.stdout.write(line)


def _ask_sales() -> None:
    """Refuse to begin what cannot work now; one lost answer is no reason.

    Raises what asking Sales raises. Being asked to wait is an answer: the run will wait.
    """
    connection = connections.get_connection()
    for attempt in range(ATTEMPTS):
        try:
            administration.who_am_i(connections.open_client(connection=connection))
        except Throttled:
            return
        except TransientError:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(WATCH_SECONDS)
        else:
            return


def progress(found: Report) -> str:
    """One line for a terminal: each table with what it says and how many records it saw."""
    return " | ".join(
        f"{line.mapping} {sum(phase.seen for phase in line.phases.values())} {line.says}"
        for line in found.lines
    )


def closing_table(found: Report) -> list[str]:
    """Counts per table, phase and outcome, then every record that needs attention."""
    rows = [("table", "phase", "state", "records", "outcomes")]
    for line in found.lines:
        rows.append((line.mapping, "", line.says, "", ""))
        for name, phase in line.phases.items():
            outcomes = ", ".join(f"{n} {outcome}" for outcome, n in phase.outcomes.items())
            rows.append(("", name, phase.state, str(phase.seen), outcomes))
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    text = [
        f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]:10}  {row[3]:>8}  {row[4]}".rstrip()
        for row in rows
    ]
    waiting = attention(mappings=[line.mapping for line in found.lines])
    if waiting:
        text += ["", f"{len(waiting)} records need attention:"]
    text += [
        f"  {one.mapping} {one.side} {one.key}: {one.outcome} ({one.code}). {one.sentence} "
        f"{one.remedy}"
        for one in waiting
    ]
    return text
