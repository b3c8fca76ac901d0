"""Leave records out of synchronization, take them back in, and say that two are not one."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync import obstacles
from crmsync.sync.models import CrmRecord, LeftOut, NotTheSame, Obstacle
from crmsync.sync.refusals import ReasonMissing
from crmsync.sync.slices import chunks
from crmsync.sync.twins import LIKELY_TWIN
from crmsync.terms import Side
from crmsync.visible import shows_nothing

CHUNK_RECORDS = 500
REASON_LENGTH = 500


def leave_out(*, mapping: str, side: Side, record_ids: Sequence[UUID], reason: str, by: str) -> int:
    """Exclude records of one side, and with each the record it is coupled with.

    What is being created at this moment is brought to its end. Returns how many were not left out
    before; unknown ids count for nothing. Raises ReasonMissing.
    """
    reason = reason.strip()
    if shows_nothing(reason):
        raise ReasonMissing(_("A record is left out for a reason, and none was given."))
    declared = get_mapping(mapping)
    count = 0
    for some in chunks(list(dict.fromkeys(record_ids)), CHUNK_RECORDS):
        with transaction.atomic():
            new = _not_left_out_yet(declared, side, some)
            LeftOut.objects.bulk_create(
                (
                    LeftOut(
                        mapping=mapping,
                        side=side,
                        record_id=one,
                        reason=reason[:REASON_LENGTH],
                        left_out_by=by,
                    )
                    for one in new
                ),
                # Somebody else may leave out the same one at the same time.
                ignore_conflicts=True,
            )
            obstacles.forget_left_out(declared)
        count += len(new)
    return count


def _not_left_out_yet(mapping: TableMapping, side: Side, ids: Sequence[UUID]) -> list[UUID]:
    before = LeftOut.objects.filter(mapping=mapping.name, side=side, record_id__in=ids)
    known = _existing(mapping, side, ids) - set(before.values_list("record_id", flat=True))
    return [one for one in ids if one in known]


def _existing(mapping: TableMapping, side: Side, ids: Sequence[UUID]) -> set[UUID]:
    if side is Side.LEDGER:
        rows = mapping.ledger._default_manager.filter(pk__in=ids)
        return set(rows.values_list("pk", flat=True))
    records = CrmRecord.objects.filter(table=mapping.crm.logical_name, crm_id__in=ids)
    return set(records.values_list("crm_id", flat=True))


def take_back_in(*, mapping: str, side: Side, record_ids: Sequence[UUID]) -> int:
    """Let records take part again; the next pass compares them. Returns how many were left out."""
    get_mapping(mapping)
    count = 0
    for some in chunks(record_ids, CHUNK_RECORDS):
        left_out = LeftOut.objects.filter(mapping=mapping, side=side, record_id__in=some)
        count += left_out.delete()[0]
    return count


def say_not_the_same(*, mapping: str, ledger_id: UUID, crm_ids: Sequence[UUID], by: str) -> int:
    """Say that a record and these rows are different ones, however alike they look.

    Neither keeps the other from being created any more. Returns how many pairs were new.
    """
    get_mapping(mapping)
    with transaction.atomic():
        said = NotTheSame.objects.filter(mapping=mapping, ledger_id=ledger_id, crm_id__in=crm_ids)
        known = set(said.values_list("crm_id", flat=True))
        new = [one for one in dict.fromkeys(crm_ids) if one not in known]
        NotTheSame.objects.bulk_create(
            (
                NotTheSame(mapping=mapping, ledger_id=ledger_id, crm_id=one, said_by=by)
                for one in new
            ),
            ignore_conflicts=True,
        )
        _clear_twins(mapping, ledger_id, crm_ids)
    return len(new)


def _clear_twins(mapping: str, ledger_id: UUID, crm_ids: Sequence[UUID]) -> None:
    """Of each other they wait no more; another twin is found by the next pass."""
    twins = Obstacle.objects.filter(mapping=mapping, code=LIKELY_TWIN)
    theirs = [str(one) for one in crm_ids]
    twins.filter(side=Side.LEDGER, record_id=ledger_id, details__crm_id__in=theirs).delete()
    twins.filter(side=Side.CRM, record_id__in=crm_ids, details__ledger_id=str(ledger_id)).delete()
