"""Bring what we know of a table there up to date.

Where the table tracks changes: the changes since the kept delta link. That forbids a filter, so
filters are applied here, to the rows we keep. Otherwise: rows by modification time, with overlap,
then all ids, to see deletions. A full read ends with everything unseen being deleted.
Source: Microsoft docs, "use change tracking to synchronize data with external systems".
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from crmsync.dataverse import odata
from crmsync.dataverse.client import IDS_PER_LOOKUP, Page, Row, Table
from crmsync.dataverse.errors import DeltaExpired, NotTracked
from crmsync.mapping.registry import all_mappings
from crmsync.sync import hidden, leases
from crmsync.sync.couplings import follow_merges
from crmsync.sync.leases import Tally
from crmsync.sync.models import TITLE_LENGTH, Coupling, CrmRecord, CrmTable
from crmsync.sync.slices import Slice, chunks

logger = logging.getLogger(__name__)

# Rows are stamped before they are committed: one may appear behind the newest we saw.
OVERLAP = timedelta(seconds=60)
ROWS_AT_A_TIME = 1000

FULL, CHANGES, MODIFIED, IDS, END = "full", "changes", "modified", "ids", "end"


def columns_of(table: Table) -> tuple[str, ...]:
    """All columns that any mapping reads of the table; several may share one."""
    names = (
        column
        for mapping in all_mappings()
        if mapping.crm.logical_name == table.logical_name
        for column in mapping.crm_columns
    )
    return tuple(dict.fromkeys(names))


def title_of(table: Table) -> str:
    """The column by which people know a row; mappings that share a table share it, too."""
    sharing = (one for one in all_mappings() if one.crm.logical_name == table.logical_name)
    return next(sharing).crm_title


def run_page(work: Slice) -> bool:
    """Read and keep one page; True while there is more."""
    position: dict[str, Any] = dict(work.part.checkpoint)
    if position.get("mode") == END:
        # The worker died between the last page and saying that the part is finished.
        return False
    if not position:
        position = _begin(work)
    try:
        page = work.ask(lambda: _read(work, position))
    except DeltaExpired:
        _start_over(work, gettext_noop("the change token had expired"))
        return True
    except NotTracked:
        _start_over(work, gettext_noop("change tracking was switched off there"))
        return True
    return _keep(work, position, page)


def _begin(work: Slice) -> dict[str, Any]:
    hidden.look(work)
    known = _known(work)
    fingerprint = ",".join(columns_of(work.mapping.crm))
    is_certain = known.is_tracked is None
    if is_certain:
        known.is_tracked = _ask_for_tracking(work)
    same = known.columns == fingerprint
    if known.is_tracked and same and known.delta_link:
        return {"mode": CHANGES, "link": known.delta_link, "tracked": True}
    if not known.is_tracked and same and known.modified_until:
        return {"mode": MODIFIED, "since": known.modified_until, "tracked": False}
    # Switched on or off there meanwhile: what follows from a full read goes by how it is now.
    tracked = bool(known.is_tracked) if is_certain else _ask_for_tracking(work)
    return {"mode": FULL, "reading": _begin_reading(work), "tracked": tracked}


def _ask_for_tracking(work: Slice) -> bool:
    tracked = work.ask(lambda: work.client.is_tracked(work.mapping.crm))
    with leases.fenced(work.lease):
        known = CrmTable.objects.filter(pk=work.mapping.crm.logical_name)
        known.update(is_tracked=tracked)
    return tracked


def _begin_reading(work: Slice) -> int:
    """A number for a pass over everything, never used before: a broken one has left its marks."""
    known = CrmTable.objects.filter(pk=work.mapping.crm.logical_name)
    with leases.fenced(work.lease):
        known.update(reading=F("reading") + 1)
    return known.values_list("reading", flat=True).get()


def _known(work: Slice) -> CrmTable:
    return CrmTable.objects.get_or_create(logical_name=work.mapping.crm.logical_name)[0]


def _read(work: Slice, position: dict[str, Any]) -> Page:
    if link := position.get("link"):
        return work.client.page(link, track_changes=position["tracked"])
    table = work.mapping.crm
    if position["mode"] == IDS:
        return work.client.first_page(table, columns=[table.primary_key])
    where = f"modifiedon ge {position['since']}" if position["mode"] == MODIFIED else ""
    return work.client.first_page(
        table, columns=columns_of(table), where=where, track_changes=position["tracked"]
    )


def _start_over(work: Slice, because: str) -> None:
    logger.warning("%s is read in full: %s", work.mapping.crm.logical_name, because)
    with leases.fenced(work.lease):
        CrmTable.objects.filter(pk=work.mapping.crm.logical_name).update(
            delta_link="", is_tracked=None, modified_until="", full_read_because=because
        )
        leases.checkpoint(work.lease, {}, Tally())
    work.part.checkpoint = {}


def _keep(work: Slice, position: dict[str, Any], page: Page) -> bool:
    """Rows first, some at a time; then deletions and the way onward, in one transaction.

    Interrupted, the same page is read and kept again. In one transaction, a page of 5,000 rows
    kept everybody else from writing for seconds, where the worker had to share its processor.
    """
    table = work.mapping.crm
    newest = max((row.get("modifiedon") or "" for row in page.rows), default="")
    for some in chunks(page.rows, ROWS_AT_A_TIME):
        with leases.fenced(work.lease):
            _keep_rows(table, some, position)
    position |= {"link": page.next_link, "newest": max(newest, position.get("newest", ""))}
    with leases.fenced(work.lease):
        if position["mode"] != IDS:
            follow_merges(table.logical_name, _masters(work, page.rows))
        mark_deleted(table, page.deleted)
        if page.next_link is None:
            position = _end_of_pass(work, position, page)
        leases.checkpoint(work.lease, position, Tally())
    work.part.checkpoint = position
    return str(position["mode"]) != END


def _keep_rows(table: Table, rows: Sequence[Row], position: Mapping[str, Any]) -> None:
    reading = position.get("reading", 0)
    if position["mode"] == IDS:
        _mark_seen(table, rows, reading)
    else:
        store_rows(table, rows, reading=reading)


def _masters(work: Slice, rows: Iterable[Row]) -> dict[UUID, UUID]:
    """Rows that were merged away, with the row that each was merged into."""
    if work.mapping.crm_merge is None:
        return {}
    merged, master = work.mapping.crm_merge
    key = work.mapping.crm.primary_key
    return {UUID(row[key]): UUID(row[master]) for row in rows if row[merged] and row[master]}


def _end_of_pass(work: Slice, position: dict[str, Any], page: Page) -> dict[str, Any]:
    """The last page of a pass: an id pass follows one by modification time, else it is done."""
    table = work.mapping.crm
    known = CrmTable.objects.get(pk=table.logical_name)
    if position["mode"] == MODIFIED:
        known.reading += 1
        known.save(update_fields=["reading"])
        return {**position, "mode": IDS, "reading": known.reading, "link": None}
    known.columns = ",".join(columns_of(table))
    known.delta_link = page.delta_link or ""
    if position["mode"] in (FULL, IDS):
        _delete_unseen(table, position["reading"])
    if not position["tracked"]:
        known.modified_until = _with_overlap(position["newest"]) or known.modified_until
    if position["mode"] == CHANGES:
        known.full_read_because = ""
    known.save()
    CrmTable.objects.filter(pk=known.pk).update(refreshed_at=Now())
    return {"mode": END}


def _with_overlap(moment: str) -> str:
    if not moment:
        return ""
    earlier = datetime.fromisoformat(moment.replace("Z", "+00:00")) - OVERLAP
    return earlier.strftime("%Y-%m-%dT%H:%M:%SZ")


def store_rows(table: Table, rows: Sequence[Row], *, reading: int = 0) -> None:
    """Keep rows as they were read; ``reading`` 0 leaves the mark of the latest full read."""
    names, title = columns_of(table), title_of(table)
    fields = ["etag", "values", "title", "is_deleted", *(["reading"] if reading else [])]
    CrmRecord.objects.bulk_create(
        [
            CrmRecord(
                table=table.logical_name,
                crm_id=UUID(row[table.primary_key]),
                etag=row["@odata.etag"],
                values={name: row[name] for name in names if name in row},
                title=str(row.get(title) or "")[:TITLE_LENGTH],
                reading=reading,
            )
            for row in rows
        ],
        update_conflicts=True,
        unique_fields=["table", "crm_id"],
        update_fields=fields,
        batch_size=1000,
    )


def mark_deleted(table: Table, ids: Iterable[UUID]) -> None:
    """Deletions, also of coupled rows that we never saw: their couplings must learn of it."""
    gone = list(ids)
    for some in chunks(gone, 500):
        coupled = Coupling.objects.filter(
            crm_table=table.logical_name, crm_id__in=some, removed_at__isnull=True
        ).values_list("crm_id", flat=True)
        CrmRecord.objects.bulk_create(
            [
                CrmRecord(table=table.logical_name, crm_id=crm_id, is_deleted=True)
                for crm_id in coupled
            ],
            ignore_conflicts=True,
        )
        CrmRecord.objects.filter(table=table.logical_name, crm_id__in=some).update(is_deleted=True)


def _mark_seen(table: Table, rows: Sequence[Row], reading: int) -> None:
    for some in chunks(rows, 500):
        ids = [UUID(row[table.primary_key]) for row in some]
        CrmRecord.objects.filter(table=table.logical_name, crm_id__in=ids).update(reading=reading)


def _delete_unseen(table: Table, reading: int) -> None:
    CrmRecord.objects.filter(
        table=table.logical_name, reading__lt=reading, is_deleted=False
    ).update(is_deleted=True)


def read_again(work: Slice, ids: Sequence[UUID]) -> None:
    """Read some rows as they are now; those that do not come back are deleted."""
    table = work.mapping.crm
    for some in chunks(ids, IDS_PER_LOOKUP):
        where = odata.any_of(table.primary_key, some)
        read = partial(work.client.first_page, table, columns=columns_of(table), where=where)
        found = work.ask(read).rows
        present = {UUID(row[table.primary_key]) for row in found}
        with leases.fenced(work.lease):
            store_rows(table, found)
            mark_deleted(table, [one for one in some if one not in present])
