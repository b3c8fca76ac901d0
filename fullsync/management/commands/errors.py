"""What needs attention, from the terminal: the same as on Coupled Data Synchronization Errors.

Exit status: 0 done; 1 nothing to do, refused, or a job of the table is under way.
"""

import argparse
import getpass
import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations

from crmsync.connections.errors import ConnectionProblem
from crmsync.mapping import in_force
from crmsync.mapping.registry import all_mappings
from crmsync.sync.refusals import Refused
from crmsync.terms import FirstWinner, Outcome
from fullsync import retries
from fullsync.forms import read_answers
from fullsync.queries.attention import Attention, Filter, causes, obstacles_of, told
from fullsync.queries.search import Hit, find


class Command(BaseCommand):
    help = "list, show, retry or settle the records that need attention"
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listing = actions.add_parser("list", help="causes with their records")
        showing = actions.add_parser("show", help="was this record synchronized, if not, why?")
        showing.add_argument("text", help="its number or name, here or in Sales")
        retrying = actions.add_parser("retry", help="try records again, whatever refused them")
        retrying.add_argument("ids", nargs="*", type=int, help="numbers that 'list' shows")
        settling = actions.add_parser("settle", help="say which side of a conflict is right")
        settling.add_argument("answers", nargs="+", help="as 'list' shows them behind the values")
        winners = [FirstWinner.LEDGER.value, FirstWinner.CRM.value]
        settling.add_argument("--use", choices=winners, required=True, help="ledger: Financials")
        for one in (listing, retrying):
            names = [mapping.name for mapping in all_mappings()]
            one.add_argument("--table", choices=names, default="")
            one.add_argument("--code", default="", help="this cause only")
        listing.add_argument("--outcome", choices=[outcome.value for outcome in Outcome])
        retrying.add_argument("--all", action="store_true", help="every record")
        for one in (listing, showing):
            one.add_argument("--json", action="store_true", dest="as_json")

    @no_translations
    def handle(self, *_: Any, **options: Any) -> None:
        in_force.take_up()
        try:
            getattr(self, f"_{options['action']}")(options)
        except (Refused, ConnectionProblem) as refused:
            raise CommandError(f"{refused} {refused.remedy}") from refused

    def _list(self, options: dict[str, Any]) -> None:
        chosen = Filter(options["outcome"] or "", options["table"], options["code"])
        records = told(list(obstacles_of(chosen).order_by("mapping", "side", "code", "pk")))
        if options["as_json"]:
            self.stdout.write(json.dumps([asdict(one) for one in records], default=str))
            return
        for group in causes(chosen).groups:
            self.stdout.write(f"{group.count} x {group.mapping} {group.code}: {group.title}")
            self.stdout.write(f"    {group.remedy} ({group.who})")
            for one in records:
                if (one.mapping, one.code, one.outcome) == _kind(group):
                    for line in _lines(one):
                        self.stdout.write(f"  {line}")
        if not records:
            self.stdout.write("No record needs attention.")

    def _show(self, options: dict[str, Any]) -> None:
        found = find(options["text"])
        if options["as_json"]:
            hits = [{**asdict(hit), "verdict": hit.verdict} for hit in found.hits]
            self.stdout.write(json.dumps(hits, default=str))
            return
        if not found.hits:
            raise CommandError(f"Nothing is called {options['text']!r}, here or in Sales.")
        if found.has_more:
            self.stdout.write(f"The first {len(found.hits)}; there are more: type more of it.")
        for hit in found.hits:
            for line in _told(hit):
                self.stdout.write(line)

    def _retry(self, options: dict[str, Any]) -> None:
        ids = options["ids"] or self._ids(options)
        done = retries.retry(obstacle_ids=ids, by=getpass.getuser())
        for job in done.jobs:
            self.stdout.write(f"Job {job.pk} of {job.mapping} is asked for.")
        for busy in done.busy:
            tries = "tries" if busy.tries_them else "does not try"
            self.stderr.write(
                f"Job {busy.job.pk} of {busy.job.mapping} is under way and {tries} these records."
            )
        if done.busy:
            raise CommandError("Retry when the job is over.")

    def _settle(self, options: dict[str, Any]) -> None:
        answers, winner = read_answers(options["answers"]), FirstWinner(options["use"])
        done = retries.settle(answers=answers, winner=winner, by=getpass.getuser())
        for one in done.refused:
            self.stderr.write(f"{one.record}: {one.sentence} {one.remedy}")
        if done.answers:
            self.stdout.write(f"Answers kept: {done.answers}.")
        for job in done.retried.jobs:
            self.stdout.write(f"Job {job.pk} of {job.mapping} is asked for; it writes them.")
        for busy in done.retried.busy:
            self.stdout.write(
                f"Job {busy.job.pk} of {busy.job.mapping} is under way; what it had passed already "
                "is written by the next."
            )
        if done.refused:
            raise CommandError(f"Answers refused: {len(done.refused)}.")

    def _ids(self, options: dict[str, Any]) -> list[int]:
        if not (options["all"] or options["table"] or options["code"]):
            raise CommandError("Name records by their numbers, or use --table, --code or --all.")
        chosen = Filter(mapping=options["table"], code=options["code"])
        found = obstacles_of(chosen)
        return [one.pk for one in found.only("pk")]


def _kind(group: Any) -> tuple[str, str, str]:
    return group.mapping, group.code, group.outcome


def _lines(one: Attention) -> list[str]:
    """The record, and of a conflict both values with what an answer to them names."""
    lines = [f"{one.id:>6}  {one.mapping} {one.side} {one.key}: {one.outcome}. {one.sentence}"]
    lines += [
        f"          {value.caption}: {value.ledger} in Financials, {value.crm} in Sales"
        for value in one.values
    ]
    if one.answer:
        lines.append(f"          settle {one.answer} --use ledger, or --use crm")
    return lines


def _told(hit: Hit) -> list[str]:
    """The record, then everything that is known about its synchronization."""
    lines = [f"{hit.table} {hit.names.label}: {hit.verdict}"]
    if hit.is_coupled:
        lines.append(f"  coupled with {hit.names.crm_title or hit.names.crm_id}")
    for way, last in (("to Sales", hit.to_crm), ("from Sales", hit.from_crm)):
        if last:
            lines.append(f"  last {way}: {last.outcome} at {last.at:%Y-%m-%d %H:%M:%S}")
    if hit.left_out_because:
        lines.append(f"  left out because: {hit.left_out_because}")
    lines += [f"  {one.outcome}: {one.title}. {one.sentence} {one.remedy}" for one in hit.obstacles]
    return lines
