"""Columns that the integration user may not read: they are found before a table is read."""

import logging

from django.db.models import F

from crmsync.dataverse.column_security import hidden_columns
from crmsync.mapping import in_force
from crmsync.mapping.models import HiddenColumn
from crmsync.mapping.registry import declared
from crmsync.sync import leases
from crmsync.sync.models import Coupling
from crmsync.sync.slices import Slice

logger = logging.getLogger(__name__)


def look(work: Slice) -> None:
    """Ask Sales, and decide by the answer from now on: what changed is read anew, in full.

    A hidden column comes as if it were empty, so it must be known before any value is taken.
    """
    table = work.mapping.crm.logical_name
    mapped = {
        field.crm for one in declared() if one.crm.logical_name == table for field in one.fields
    }
    user_id = work.connection.integration_user_id
    found = work.ask(
        lambda: hidden_columns(work.client, user_id=user_id, table=table, columns=sorted(mapped))
    )
    before = {column for name, column in in_force.hidden() if name == table}
    if before == set(found):
        return
    logger.warning("Columns of %s that may not be read: %s.", table, ", ".join(found) or "none")
    with leases.fenced(work.lease):
        HiddenColumn.objects.filter(table=table).delete()
        HiddenColumn.objects.bulk_create([HiddenColumn(table=table, column=one) for one in found])
        if before - set(found):
            _look_at_all_pairs_again(table)
    in_force.take_up()


def _look_at_all_pairs_again(table: str) -> None:
    """Neither stamp nor ETag tells that a value can be seen again; what was agreed stays."""
    live = Coupling.objects.filter(crm_table=table, removed_at__isnull=True, is_intent=False)
    live.update(has_unresolved=True, version=F("version") + 1)
