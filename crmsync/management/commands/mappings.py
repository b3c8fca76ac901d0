"""What corresponds to what: every table mapping with its fields."""

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand

from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping


class Command(BaseCommand):
    help = "Show the integration table mappings, in the order in which they run."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *_: Any, **options: Any) -> None:
        mappings = [as_json(mapping) for mapping in all_mappings()]
        if options["as_json"]:
            self.stdout.write(json.dumps(mappings, indent=2))
            return
        for one in mappings:
            needs = f" after {', '.join(one['needs'])}" if one["needs"] else ""
            self.stdout.write(
                f"{one['name']}: {one['ledger_table']} {one['direction']} {one['crm_table']}{needs}"
            )
            for mapped in one["fields"]:
                self.stdout.write("  {ledger:15} {direction:14} {crm}".format(**mapped))


def as_json(mapping: TableMapping) -> dict[str, Any]:
    return {
        "name": mapping.name,
        "caption": str(mapping.caption),
        "scope": mapping.scope.value,
        "ledger_table": mapping.ledger._meta.db_table,
        "number": mapping.number,
        "crm_table": mapping.crm.logical_name,
        "entity_set": mapping.crm.entity_set,
        "direction": mapping.direction.value,
        "conflict_policy": mapping.conflict_policy.value,
        "needs": list(mapping.needs),
        "ledger_scope": {one.field: one.value for one in mapping.ledger_scope},
        "crm_scope": {one.field: one.value for one in mapping.crm_scope},
        "creates_in_crm": mapping.creates_in_crm,
        "creates_in_ledger": mapping.creates_in_ledger,
        "fields": [
            {
                "ledger": mapped.ledger,
                "crm": mapped.crm,
                "direction": mapped.direction.value,
                "is_required": mapped.is_required,
            }
            for mapped in mapping.fields
        ],
    }
