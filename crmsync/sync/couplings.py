"""Couplings as rows: stored guarded by their version, numbered by generation."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Case, F, Max, Q, Value, When

from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping
from crmsync.sync import exclusions
from crmsync.sync.models import Coupling, Obstacle
from crmsync.sync.without_keys import without_keys
from crmsync.terms import FirstWinner, Side

_KEPT = [
    "version",
    "is_intent",
    "intent_body",
    "agreed",
    "ledger_stamp",
    "crm_etag",
    "superseded_etag",
    "has_unresolved",
    "not_followed",
    "sent",
    "sent_fields",
    "sent_by_job",
    "to_crm_job",
    "to_crm_outcome",
    "to_crm_at",
    "from_crm_job",
    "from_crm_outcome",
    "from_crm_at",
]


def store_couplings(changes: Sequence[tuple[Coupling, Mapping[str, Any]]]) -> None:
    """Write changed couplings, all at once. Only inside a transaction.

    Raises CouplingChanged when one has another version by now or was removed: whoever wrote
    first is right, and the caller decides again.
    """
    if not changes:
        return
    versions = dict(
        Coupling.objects.select_for_update()
        .filter(pk__in=[coupling.pk for coupling, _ in changes], removed_at__isnull=True)
        .values_list("pk", "version")
    )
    for coupling, values in changes:
        if versions.get(coupling.pk) != coupling.version:
            raise CouplingChanged(str(coupling))
        for name, value in {**values, "version": coupling.version + 1}.items():
            setattr(coupling, name, value)
    Coupling.objects.bulk_create(
        [coupling for coupling, _ in changes],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_KEPT,
        batch_size=500,
    )


def require_included(mapping: TableMapping, couplings: Sequence[Coupling]) -> None:
    """Make sure that nobody left these out since they were read. Only inside a transaction.

    Raises CouplingChanged.
    """
    ours, theirs = [one.ledger_id for one in couplings], [one.crm_id for one in couplings]
    left_out = exclusions.left_out_of(mapping, Side.LEDGER, ours)
    left_out |= exclusions.left_out_of(mapping, Side.CRM, theirs)
    if left_out:
        raise CouplingChanged(f"{len(left_out)} records were left out meanwhile.")


def follow_merges(table: str, masters: Mapping[UUID, UUID]) -> None:
    """Lead couplings of rows that were merged away to the row that they were merged into.

    Nothing is agreed with that row yet: blanks are filled, differences wait for a person. Where
    the master is coupled already the coupling stays, and a person is asked. Only inside a
    transaction.
    """
    live = Coupling.objects.filter(crm_table=table, removed_at__isnull=True)
    taken = set(live.filter(crm_id__in=masters.values()).values_list("crm_id", flat=True))
    for coupling in live.select_for_update().filter(crm_id__in=masters, is_intent=False):
        master = masters[coupling.crm_id]
        if master not in taken:
            taken.add(master)
            live.filter(pk=coupling.pk).update(
                crm_id=master,
                agreed={},
                first_winner=FirstWinner.FILL_BLANKS,
                crm_etag="",
                superseded_etag="",
                # Of the row that is gone: that the master holds a value says nothing of us.
                sent={},
                sent_fields={},
                sent_by_job=None,
                version=F("version") + 1,
            )


class CouplingChanged(Exception):
    """Somebody else changed the coupling after it was read."""


def next_generations(mapping: str, ledger_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The generation of the next coupling of records that once were coupled; others get 1."""
    removed = (
        Coupling.objects.filter(mapping=mapping, ledger_id__in=ledger_ids)
        .values("ledger_id")
        .annotate(latest=Max("generation"))
        .values_list("ledger_id", "latest")
    )
    return {ledger_id: latest + 1 for ledger_id, latest in removed}


def revisit_children(parent: str) -> None:
    """Lookups to the parent may lead elsewhere now: records that have one are compared again.

    The version moves on, so that a pass which compared them before does not store the contrary.
    """
    children = [
        mapping.name
        for mapping in all_mappings()
        if any(
            isinstance(mapped.conversion, Lookup) and mapped.conversion.parent == parent
            for mapped in mapping.fields
        )
    ]
    if children:
        Coupling.objects.filter(mapping__in=children, removed_at__isnull=True).update(
            has_unresolved=True, version=F("version") + 1
        )


def compare_anew(*, mapping: str, fields: Collection[str]) -> None:
    """Let these fields be compared in every pair as if they never agreed: they took no part.

    What both sides hold by now was agreed by nobody, and who was to win when the pair was coupled
    was said of other values. So blanks are filled and differences wait for a person, unless the
    pair was never compared at all. The version moves on, so that no pass stores the contrary.
    """
    Coupling.objects.filter(mapping=mapping, removed_at__isnull=True).update(
        agreed=without_keys("agreed", sorted(fields)),
        first_winner=Case(
            When(agreed={}, then=F("first_winner")), default=Value(FirstWinner.FILL_BLANKS.value)
        ),
        has_unresolved=True,
        version=F("version") + 1,
    )


def revisit_waiting(*, mapping: str) -> None:
    """Let both phases look again at pairs that something stands in the way of.

    Who wins may be said otherwise by now. A phase that finds a pair to be settled by the other one
    would leave it to the next job.
    """
    waiting = Obstacle.objects.filter(mapping=mapping).values("record_id")
    Coupling.objects.filter(
        Q(ledger_id__in=waiting) | Q(crm_id__in=waiting),
        mapping=mapping,
        removed_at__isnull=True,
    ).update(has_unresolved=True, version=F("version") + 1)
