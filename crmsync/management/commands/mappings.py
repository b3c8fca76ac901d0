"""What corresponds to what: every table mapping with its fields, and what was changed of it."""

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand

from crmsync.mapping import in_force
from crmsync.mapping.overlay import Change
from crmsync.mapping.registry import all_mappings, get_declared
from crmsync.mapping.types import FieldMapping, TableMapping

OFF = "-"


class Command(BaseCommand):
    help = (
        "Show the integration table mappings as they are in force, in the order in which they "
        "run; an asterisk marks what differs from the default."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *_: Any, **options: Any) -> None:
        in_force.take_up()
        changes = sorted(in_force.stored())
        mappings = [as_json(mapping, changes) for mapping in all_mappings()]
        if options["as_json"]:
            self.stdout.write(json.dumps(mappings, indent=2))
            return
        for one in mappings:
            self._show(one)

    def _show(self, one: dict[str, Any]) -> None:
        needs = f" after {', '.join(one['needs'])}" if one["needs"] else ""
        self.stdout.write(
            f"{one['name']}: {one['ledger_table']} {one['direction']} {one['crm_table']}{needs}"
        )
        for mapped in one["fields"]:
            way = mapped["direction"] if mapped["takes_part"] else OFF
            mark = " *" if mapped["differs"] else ""
            self.stdout.write(f"  {mapped['ledger']:15} {way:14} {mapped['crm']}{mark}")
        for change in one["changes"]:
            about = f"{change['field']}: " if change["field"] else ""
            self.stdout.write(f"  * {about}{change['setting']} {change['value']}")


def as_json(mapping: TableMapping, changes: list[Change]) -> dict[str, Any]:
    declared = get_declared(mapping.name)
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
        "fields": [_field(one, declared) for one in mapping.fields],
        "changes": [
            {"field": one.field, "setting": one.setting, "value": one.value}
            for one in changes
            if one.mapping == mapping.name
        ],
    }


def _field(mapped: FieldMapping, declared: TableMapping) -> dict[str, Any]:
    return {
        "ledger": mapped.ledger,
        "crm": mapped.crm,
        "direction": mapped.direction.value,
        "is_required": mapped.is_required,
        "takes_part": mapped.takes_part,
        "differs": mapped != declared.field(mapped.ledger),
    }
