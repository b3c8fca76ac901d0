"""Why two records cannot become a pair, in a sentence that names what is in the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import exclusions, labels
from crmsync.sync.models import Coupling, CrmRecord
from crmsync.sync.refusals import RecordGone, RecordLeftOut, RowNotRead, UnableToCouple
from crmsync.terms import Side

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Obstruction:
    """A sentence, and the error that has its remedy."""

    sentence: str
    error: type[UnableToCouple] = UnableToCouple


def in_the_way(mapping: TableMapping, pairs: Sequence[Pair]) -> dict[int, Obstruction]:
    """By place in ``pairs`` (ledger id, CRM id), why that pair cannot be coupled.

    A record that stands in two of the pairs goes to the first.
    """
    known = _look(mapping, pairs)
    refused: dict[int, Obstruction] = {}
    taken: set[UUID] = set()
    for place, (ledger_id, crm_id) in enumerate(pairs):
        if found := obstruction(known, ledger_id, crm_id):
            refused[place] = found
        elif {ledger_id, crm_id} & taken:
            sentence = _("One of the two was to be coupled with another record as well.")
            refused[place] = Obstruction(sentence)
        else:
            taken |= {ledger_id, crm_id}
    return refused


@dataclass(frozen=True, slots=True)
class Known:
    """Ids that are there on either side, those left out, live couplings by one side's id.

    ``names`` are of those that a sentence may be about.
    """

    here: set[UUID]
    there: set[UUID]
    left_out: set[UUID] = field(default_factory=set)
    by_ledger: dict[UUID, Coupling] = field(default_factory=dict)
    by_crm: dict[UUID, Coupling] = field(default_factory=dict)
    names: dict[UUID, str] = field(default_factory=dict)


def _look(mapping: TableMapping, pairs: Sequence[Pair]) -> Known:
    """What the database holds about all of them, in a fixed number of queries."""
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    table = mapping.crm.logical_name
    live = Coupling.objects.filter(removed_at__isnull=True)
    by_ledger = {
        one.ledger_id: one for one in live.filter(mapping=mapping.name, ledger_id__in=ours)
    }
    by_crm = {one.crm_id: one for one in live.filter(crm_table=table, crm_id__in=theirs)}
    rows = mapping.ledger._default_manager.filter(pk__in=ours).values_list("pk", flat=True)
    records = CrmRecord.objects.filter(table=table, crm_id__in=theirs, is_deleted=False)
    left_out = exclusions.left_out_of(mapping, Side.LEDGER, ours)
    left_out |= exclusions.left_out_of(mapping, Side.CRM, theirs)
    known = Known(
        set(rows), set(records.values_list("crm_id", flat=True)), left_out, by_ledger, by_crm, {}
    )
    known.names.update(_names(mapping, pairs, known))
    return known


def _names(mapping: TableMapping, pairs: Sequence[Pair], known: Known) -> dict[UUID, str]:
    """Names of those that a sentence will be about."""
    involved = [*known.by_ledger.values(), *known.by_crm.values()]
    by_mapping: dict[str, set[UUID]] = {mapping.name: known.left_out & known.here}
    for coupling in involved:
        by_mapping.setdefault(coupling.mapping, set()).add(coupling.ledger_id)
    names = labels.of_crm(
        mapping.crm.logical_name,
        {coupling.crm_id for coupling in involved} | (known.left_out & known.there),
    )
    for name, ids in by_mapping.items():
        names |= labels.of_ledger(get_mapping(name), ids)
    return names


def obstruction(known: Known, ledger_id: UUID, crm_id: UUID) -> Obstruction | None:
    """Why these two cannot be coupled; None when they can."""
    if ledger_id not in known.here:
        return Obstruction(_("The record is not in Financials any more."), RecordGone)
    if crm_id not in known.there:
        return Obstruction(_("The row is not in Sales, or was not read yet."), RowNotRead)
    if other := known.by_ledger.get(ledger_id):
        return _coupled_already(known, other.ledger_id, other.crm_id)
    if other := known.by_crm.get(crm_id):
        return _coupled_already(known, other.crm_id, other.ledger_id)
    for one in (ledger_id, crm_id):
        if one in known.left_out:
            named = {"record": capfirst(known.names.get(one, str(one)))}
            sentence = _("%(record)s is left out of synchronization.") % named
            return Obstruction(sentence, RecordLeftOut)
    return None


def _coupled_already(known: Known, one: UUID, other: UUID) -> Obstruction:
    named: dict[str, Any] = {
        "record": capfirst(known.names.get(one, str(one))),
        "other": known.names.get(other) or _("a record that is gone"),
    }
    return Obstruction(_("%(record)s is coupled with %(other)s already.") % named)
