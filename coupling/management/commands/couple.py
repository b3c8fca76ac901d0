"""Couple records from the terminal: list, suggest, accept, remove."""

import argparse
import getpass
import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from coupling import services
from coupling.errors import MatchingProblem
from coupling.matching import Certainty
from crmsync.mapping import in_force
from crmsync.mapping.registry import all_mappings
from crmsync.sync.models import Coupling
from crmsync.sync.services import UnableToCouple, UnableToUncouple
from crmsync.terms import FirstWinner


class Command(BaseCommand):
    help = "Say which record here is which record there. Nothing is coupled without approval."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for action, text in (
            ("list", "the couplings of a table"),
            ("suggest", "read Sales and propose pairs, with reasons"),
            ("accept", "couple proposed pairs, or one pair by --number and --row"),
            ("remove", "delete the coupling of one record; both records stay"),
        ):
            one = actions.add_parser(action, help=text)
            one.add_argument("table", choices=[mapping.name for mapping in all_mappings()])
            one.add_argument("--json", action="store_true", dest="as_json")
            if action == "accept":
                one.add_argument("--certain", action="store_true", help="all certain pairs")
                one.add_argument("--likely", action="store_true", help="all likely pairs, too")
                one.add_argument("--except", nargs="*", default=[], dest="exceptions")
                one.add_argument("--row", type=UUID, help="id of the row in Sales")
                one.add_argument(
                    "--winner",
                    choices=[winner.value for winner in FirstWinner],
                    default=FirstWinner.FILL_BLANKS.value,
                    help="whose values hold where the two differ the first time",
                )
                one.add_argument("--number", help="the record here, together with --row")
            if action == "remove":
                which = one.add_mutually_exclusive_group(required=True)
                which.add_argument("--number", help="the record here")
                which.add_argument("--row", type=UUID, help="id of the row in Sales")

    def handle(self, *_: Any, **options: Any) -> None:
        in_force.take_up()
        action = {
            "list": self._list,
            "suggest": self._suggest,
            "accept": self._accept,
            "remove": self._remove,
        }[options["action"]]
        try:
            action(options)
        except (
            MatchingProblem,
            UnableToCouple,
            UnableToUncouple,
        ) as problem:
            raise CommandError(f"{problem} {problem.remedy}") from problem

    def _list(self, options: dict[str, Any]) -> None:
        live = Coupling.objects.filter(mapping=options["table"], removed_at__isnull=True)
        rows = [
            {
                "ledger_id": str(coupling.ledger_id),
                "crm_id": str(coupling.crm_id),
                "origin": coupling.origin,
                "by": coupling.coupled_by,
            }
            for coupling in live.order_by("pk").iterator()
        ]
        if options["as_json"]:
            self.stdout.write(json.dumps(rows))
            return
        for row in rows:
            self.stdout.write("{ledger_id}  {crm_id}  {origin}  {by}".format(**row))
        self.stdout.write(f"{len(rows)} couplings")

    def _suggest(self, options: dict[str, Any]) -> None:
        table = options["table"]
        services.match_now(mapping=table, by=getpass.getuser())
        found = services.suggested_pairs(mapping=table)
        if options["as_json"]:
            self.stdout.write(json.dumps([_as_json(pair) for pair in found]))
            return
        for pair in found:
            self.stdout.write(
                f"{pair.certainty:10} {pair.ledger} = {pair.crm} ({', '.join(pair.reasons)})"
            )
        for certainty in Certainty:
            count = sum(1 for pair in found if pair.certainty == certainty)
            self.stdout.write(f"{count} {certainty}")

    def _accept(self, options: dict[str, Any]) -> None:
        winner, by = FirstWinner(options["winner"]), getpass.getuser()
        if bool(options["row"]) != bool(options["number"]):
            raise CommandError("--number and --row: give both, or neither of them.")
        if options["row"]:
            services.couple_pair(
                mapping=options["table"],
                number=options["number"],
                crm_id=options["row"],
                first_winner=winner,
                by=by,
            )
            self.stdout.write("1 pair coupled")
            return
        chosen = self._chosen(options, by)
        accepted = services.accept_these(
            mapping=options["table"],
            pairs=[(pair.ledger_id, pair.crm_id) for pair in chosen],
            first_winner=winner,
            by=by,
        )
        self.stdout.write(f"{accepted.coupled} pairs coupled")
        labels = {pair.ledger_id: pair.ledger for pair in chosen}
        for refused in accepted.refused:
            self.stdout.write(f"not coupled: {labels[refused.ledger_id]}: {refused.sentence}")

    def _chosen(self, options: dict[str, Any], by: str) -> list[services.SuggestedPair]:
        wanted = {Certainty.CERTAIN} if options["certain"] or options["likely"] else set()
        wanted |= {Certainty.LIKELY} if options["likely"] else set()
        if not wanted:
            raise CommandError("Say which pairs: --certain, --likely, or --number with --row.")
        services.match_now(mapping=options["table"], by=by)
        found = services.suggested_pairs(mapping=options["table"])
        chosen = [pair for pair in found if pair.certainty in wanted]
        unknown = set(options["exceptions"]) - {pair.number for pair in chosen}
        if unknown:
            raise CommandError(f"--except: {', '.join(sorted(unknown))} would not be coupled.")
        return [pair for pair in chosen if pair.number not in options["exceptions"]]

    def _remove(self, options: dict[str, Any]) -> None:
        table, number, row = options["table"], options["number"], options["row"]
        removed = (
            services.remove_row(mapping=table, crm_id=row)
            if row
            else services.remove(mapping=table, number=number)
        )
        if not removed:
            raise CommandError(f"{number or row} has no coupling.")
        self.stdout.write("The coupling was deleted; both records stay.")


def _as_json(pair: services.SuggestedPair) -> dict[str, Any]:
    return {
        "certainty": pair.certainty,
        "ledger_id": str(pair.ledger_id),
        "ledger": pair.ledger,
        "crm_id": str(pair.crm_id),
        "crm": pair.crm,
        "reasons": list(pair.reasons),
    }
