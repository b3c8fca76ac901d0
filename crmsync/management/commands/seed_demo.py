"""Plant the demo company in the ledger, and say what should become of it."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.ledger import demo
from crmsync.ledger.demo import DemoCompany, Planted

HEADINGS = ("Mapping", "Side", "Record", "Outcome", "Code", "Trouble")
LONGEST_KEY = 40


class Command(BaseCommand):
    help = "Plant the demo company in an empty ledger."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--customers", type=int, default=200, help="how many (default: 200)")
        parser.add_argument(
            "--seed", type=int, default=1, help="which company (default: 1, which the sandbox has)"
        )
        parser.add_argument(
            "--json", action="store_true", dest="for_programs", help="print for programs"
        )

    def handle(self, *, customers: int, seed: int, for_programs: bool, **_: Any) -> None:
        try:
            company = demo.plant(customers=customers, seed=seed)
        except demo.DemoCompanyError as error:
            raise CommandError(str(error)) from error
        report = _for_programs if for_programs else _for_people
        self.stdout.write(report(company, demo.planted()))


def _for_programs(company: DemoCompany, planted: tuple[Planted, ...]) -> str:
    records = [asdict(record) | {"attention": record.attention} for record in planted]
    return json.dumps({"made": asdict(company), "planted": records}, ensure_ascii=False)


def _for_people(company: DemoCompany, planted: tuple[Planted, ...]) -> str:
    made = [f"{count:>9,} {table.replace('_', ' ')}" for table, count in asdict(company).items()]
    table = _table([HEADINGS, *map(_cells, planted)])
    return "\n".join([f"{demo.COMPANY_NAME} has", *made, "", "Planted:", *table])


def _cells(record: Planted) -> tuple[str, ...]:
    is_long = len(record.key) > LONGEST_KEY
    key = record.key[: LONGEST_KEY - 1] + "…" if is_long else record.key
    outcome = record.outcome or "out of scope"
    return record.mapping, record.side, key, outcome, record.code, record.trouble


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
