"""Change what a table exchanges, within its declaration, and go back to the declaration."""

import hashlib
import json
from collections.abc import Collection, Iterable

from django.db import IntegrityError, transaction

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.mapping import in_force
from crmsync.mapping.errors import NotTheSettingsShown, NotWithinDeclaration, TableBusy
from crmsync.mapping.models import ChangedSetting
from crmsync.mapping.overlay import Change, Setting, apply, default_of
from crmsync.mapping.registry import declared, get_declared
from crmsync.mapping.types import TableMapping
from crmsync.mapping.wording import change_caption, value_caption
from crmsync.sync.couplings import compare_anew, revisit_waiting
from crmsync.sync.models import Job, Obstacle
from crmsync.sync.services.settling import SETTLED_BY_A_WINNER
from crmsync.sync.settings_lock import hold_settings
from crmsync.sync.slices import chunks
from crmsync.terms import ACTIVE_STATES, Side

ROWS_AT_A_TIME = 500


def shown(changes: Iterable[Change]) -> str:
    """A fingerprint of settings that a person saw. 32 hexadecimal digits."""
    lines = [[one.mapping, one.field, one.setting, one.value] for one in sorted(changes)]
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()[:32]


def change_mapping(
    *, mapping: str, wanted: Collection[Change], expected: str, by: Actor
) -> frozenset[Change]:
    """Let these be all the changes of a mapping; what was changed otherwise is as declared again.

    ``expected`` is the fingerprint of the mapping's changes that the person saw. Records that are
    coupled stay so, and nothing is written by this: the next synchronization goes by it. A field
    that takes part again is compared as the first time. Returns what differs from before.

    Raises NotWithinDeclaration, TableBusy, NotTheSettingsShown, or LookupError for the name.
    """
    table = get_declared(mapping)
    mine = frozenset(one for one in wanted if one.mapping == mapping)
    if refusals := apply(table, mine).refusals:
        raise NotWithinDeclaration(refusals, what=change_caption(table, refusals[0].change))
    with transaction.atomic():
        hold_settings()
        present = frozenset(one for one in in_force.stored() if one.mapping == mapping)
        _replace(present, mine, expected=expected, act=Act.MAPPING_CHANGED, by=by)
    in_force.take_up()
    return present ^ mine


def restore_default_mappings(*, expected: str, by: Actor) -> frozenset[Change]:
    """Use Default Synchronization Setup: every mapping as declared. Couplings and jobs stay.

    ``expected`` is the fingerprint of all changes. Returns those that were removed. Raises
    TableBusy, NotTheSettingsShown.
    """
    with transaction.atomic():
        hold_settings()
        present = in_force.stored()
        _replace(present, frozenset(), expected=expected, act=Act.MAPPINGS_RESTORED, by=by)
    in_force.take_up()
    return present


def _replace(
    present: frozenset[Change], wanted: frozenset[Change], *, expected: str, act: Act, by: Actor
) -> None:
    if shown(present) != expected:
        raise NotTheSettingsShown
    names = {one.mapping for one in present ^ wanted}
    touched = [one for one in declared() if one.name in names]
    _require_quiet(touched)
    _write(gone=present - wanted, new=wanted - present, by=by)
    for table in touched:
        _follow(apply(table, present).mapping, apply(table, wanted).mapping)
        _note(table, present, wanted, act=act, by=by)


def _write(*, gone: Collection[Change], new: Collection[Change], by: Actor) -> None:
    """Raises NotTheSettingsShown where somebody stored the same setting at this moment."""
    for one in gone:
        ChangedSetting.objects.filter(
            mapping=one.mapping, field=one.field, setting=one.setting
        ).delete()
    try:
        ChangedSetting.objects.bulk_create(
            ChangedSetting(
                mapping=one.mapping,
                field=one.field,
                setting=one.setting,
                value=one.value,
                changed_by=by.name,
            )
            for one in sorted(new)
        )
    except IntegrityError as error:
        raise NotTheSettingsShown from error


def _require_quiet(tables: Collection[TableMapping]) -> None:
    """A job decides a record in two phases: both must go by the same settings. Raises TableBusy."""
    active = Job.objects.filter(
        mapping__in=[one.name for one in tables], state__in=ACTIVE_STATES
    ).values_list("mapping", flat=True)
    busy = set(active)
    if busy:
        raise TableBusy([str(one.caption) for one in tables if one.name in busy])


def _follow(before: TableMapping, after: TableMapping) -> None:
    """What is kept about records, where it followed from settings that are not in force now."""
    off = {one.ledger for one in before.fields if not one.takes_part}
    if opened := off & {one.ledger for one in after.exchanged}:
        compare_anew(mapping=after.name, fields=opened)
    revisit_waiting(mapping=after.name)
    _withdraw_questions(before, after)
    obstacles = Obstacle.objects.filter(mapping=after.name)
    # Of a way that is not gone any more no job would clear them; opened again, they are found.
    if not after.direction.writes_crm:
        obstacles.filter(side=Side.LEDGER).delete()
    if not after.direction.writes_ledger:
        obstacles.filter(side=Side.CRM).delete()


def _withdraw_questions(before: TableMapping, after: TableMapping) -> None:
    """Who is right in a field that goes another way now: the next pass asks again if it must."""
    ways = [{one.ledger: one.direction for one in table.exchanged} for table in (before, after)]
    turned = {
        one.ledger for one in after.fields if ways[0].get(one.ledger) != ways[1].get(one.ledger)
    }
    asked = Obstacle.objects.filter(mapping=after.name, code__in=SETTLED_BY_A_WINNER)
    withdrawn = [
        key
        for key, details in asked.values_list("pk", "details")
        if turned & set(details.get("fields", {}))
    ]
    for some in chunks(withdrawn, ROWS_AT_A_TIME):
        asked.filter(pk__in=some).delete()


def _note(
    table: TableMapping,
    present: frozenset[Change],
    wanted: frozenset[Change],
    *,
    act: Act,
    by: Actor,
) -> None:
    old, new = ({_key(one): one.value for one in some} for some in (present, wanted))
    settings = sorted({_key(one) for one in present ^ wanted if one.mapping == table.name})
    audit.record(
        act=act,
        by=by,
        subject=audit.Subject("mapping", table.name, str(table.caption)),
        before=_in_words(table, settings, old),
        after=_in_words(table, settings, new),
    )


_Key = tuple[str, str, str]


def _key(one: Change) -> _Key:
    return one.mapping, one.field, one.setting


def _in_words(
    table: TableMapping, settings: Collection[_Key], held: dict[_Key, str]
) -> dict[str, str]:
    """As people read them, each under the caption of its setting."""
    found: dict[str, str] = {}
    for key in settings:
        mapping, field, setting = key
        change = Change(mapping, field, setting, held.get(key, _default(table, field, setting)))
        found[change_caption(table, change)] = value_caption(setting, change.value)
    return found


def _default(table: TableMapping, field: str, setting: str) -> str:
    """Blank for what a newer declaration does not know any more."""
    is_mapped = not field or any(one.ledger == field for one in table.fields)
    is_known = is_mapped and setting in set(Setting)
    return default_of(table, field, Setting(setting)) if is_known else ""
