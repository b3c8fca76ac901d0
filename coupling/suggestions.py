"""Suggestions as rows: stored by a run, ticked by people, and what is still open of them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from coupling.candidates import left_out
from coupling.criteria import evidence_of
from coupling.likeness import Candidate
from coupling.matching import Certainty, Proposal
from coupling.models import RowKey, Suggestion
from coupling.reasons import as_codes
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync.models import Coupling, CrmRecord, NotTheSame
from crmsync.sync.sides import scope_filter
from crmsync.sync.slices import chunks
from crmsync.terms import Side

# A ledger id, and the id of the row in Sales that was suggested for it.
Pair = tuple[UUID, UUID]

# Databases take so many values in a statement without complaint.
IDS_A_QUERY = 500
_BATCH = 2000
_KEY_LENGTH = RowKey._meta.get_field("key").max_length or 0


def open_suggestions(mapping: str) -> QuerySet[Suggestion]:
    """Suggestions that a person can still accept.

    Both records are there, uncoupled, not left out, not said to be two; the ledger's is in scope.
    """
    declared = get_mapping(mapping)
    table = declared.crm.logical_name
    live = Coupling.objects.filter(removed_at__isnull=True)
    rows = CrmRecord.objects.filter(table=table, is_deleted=False, crm_id=OuterRef("crm_id"))
    records = declared.ledger._default_manager.filter(
        pk=OuterRef("ledger_id"), **scope_filter(declared.ledger_scope)
    )
    return Suggestion.objects.filter(
        Exists(records),
        Exists(rows),
        ~Exists(live.filter(mapping=mapping, ledger_id=OuterRef("ledger_id"))),
        ~Exists(live.filter(crm_table=table, crm_id=OuterRef("crm_id"))),
        ~Exists(left_out(declared, Side.LEDGER, "ledger_id")),
        ~Exists(left_out(declared, Side.CRM, "crm_id")),
        ~Exists(
            NotTheSame.objects.filter(
                mapping=mapping, ledger_id=OuterRef("ledger_id"), crm_id=OuterRef("crm_id")
            )
        ),
        mapping=mapping,
    )


def choose(*, mapping: str, shown: Sequence[Pair], chosen: Collection[Pair]) -> int:
    """Keep the ticks of a page; returns how many of its pairs are not suggested any more.

    A tick belongs to the pair that was shown, never to what is suggested for the record by now.
    A refused one that is ticked again may be tried again.
    """
    found = still_suggested(mapping, shown)
    on = [key for pair, key in found.items() if pair in chosen]
    off = [key for pair, key in found.items() if pair not in chosen]
    rows = Suggestion.objects.filter(mapping=mapping)
    with transaction.atomic():
        kept = rows.filter(pk__in=on).update(is_chosen=True, refusal="")
        kept += rows.filter(pk__in=off).update(is_chosen=False)
    return len(set(shown)) - kept


def still_suggested(mapping: str, pairs: Sequence[Pair]) -> dict[Pair, int]:
    """Those of the pairs that are stored suggestions, with their keys."""
    wanted, found = set(pairs), {}
    for some in chunks(pairs, IDS_A_QUERY):
        rows = Suggestion.objects.filter(mapping=mapping, ledger_id__in=[one for one, _ in some])
        for ledger_id, crm_id, key in rows.values_list("ledger_id", "crm_id", "pk"):
            if (ledger_id, crm_id) in wanted:
                found[ledger_id, crm_id] = key
    return found


def choose_all(*, mapping: str, certainty: Certainty, is_chosen: bool) -> int:
    """Tick or untick all open suggestions of a kind; returns how many changed."""
    rows = open_suggestions(mapping).filter(certainty=certainty, is_chosen=not is_chosen)
    return rows.update(is_chosen=is_chosen, refusal="")


def rows_of(mapping: TableMapping, proposals: Iterable[Proposal]) -> list[Suggestion]:
    """A run's proposals as rows, the certain ones ticked."""
    return [_row(mapping, proposal) for proposal in proposals]


def replace(mapping: TableMapping, rows: Sequence[Suggestion]) -> None:
    """Store a run's rows in place of older ones. Only inside a transaction.

    A tick that a person set or took away stays with the pair.
    """
    older = Suggestion.objects.filter(mapping=mapping.name)
    ticked = dict(_ticks_of_people(older))
    for row in rows if ticked else ():
        row.is_chosen = ticked.get((row.ledger_id, row.crm_id), row.is_chosen)
    older.delete()
    Suggestion.objects.bulk_create(rows, batch_size=_BATCH)


def _ticks_of_people(
    older: QuerySet[Suggestion],
) -> Iterator[tuple[tuple[UUID, UUID], bool]]:
    is_certain = Q(certainty=Certainty.CERTAIN)
    differing = older.filter(refusal="").filter(
        (is_certain & Q(is_chosen=False)) | (~is_certain & Q(is_chosen=True))
    )
    for one in differing.iterator():
        yield (one.ledger_id, one.crm_id), one.is_chosen


def _row(mapping: TableMapping, proposal: Proposal) -> Suggestion:
    return Suggestion(
        mapping=mapping.name,
        ledger_id=proposal.ledger.record_id,
        number=proposal.ledger.number,
        crm_table=mapping.crm.logical_name,
        crm_id=proposal.crm.record_id,
        certainty=proposal.certainty,
        reasons=as_codes(mapping, proposal.reasons),
        rivals=[
            *_rivals(Side.CRM, proposal.crm_rivals),
            *_rivals(Side.LEDGER, proposal.ledger_rivals),
        ],
        is_chosen=proposal.certainty is Certainty.CERTAIN,
    )


def _rivals(side: Side, candidates: Iterable[Candidate]) -> list[dict[str, Any]]:
    return [
        {"side": side.value, "id": str(one.record_id), "label": one.label} for one in candidates
    ]


def store_keys(mapping: TableMapping, crm: Iterable[Candidate], tick: Callable[[], None]) -> None:
    """Bring the rows' keys up to date for lookups: only what differs is written.

    Titles need none: they are looked up in the CRM records themselves.
    """
    identifying = [name for name in evidence_of(mapping).identifying if name != mapping.title]
    wanted = {
        (name, value[:_KEY_LENGTH], one.record_id)
        for one in crm
        for name in identifying
        if (value := one.values.get(name))
    }
    stored = RowKey.objects.filter(mapping=mapping.name)
    known = dict(_keys_with_ids(stored))
    for ids in _batches(pk for key, pk in known.items() if key not in wanted):
        RowKey.objects.filter(pk__in=ids).delete()
        tick()
    for keys in _batches(wanted - known.keys()):
        RowKey.objects.bulk_create(
            (
                RowKey(mapping=mapping.name, field=name, key=key, crm_id=crm_id)
                for name, key, crm_id in keys
            ),
            ignore_conflicts=True,
        )
        tick()


def _keys_with_ids(stored: QuerySet[RowKey]) -> Iterator[tuple[tuple[str, str, UUID], int]]:
    rows = stored.values_list("field", "key", "crm_id", "pk")
    for name, key, crm_id, pk in rows.iterator(chunk_size=_BATCH):
        yield (name, key, crm_id), pk


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(items)
    while batch := list(islice(left, _BATCH)):
        yield batch
