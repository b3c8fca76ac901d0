"""How many records of both sides look like the same ones, before any of them is coupled."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from crmsync.dataverse import environment
from crmsync.dataverse.client import LARGEST_PAGE, Client, Row
from crmsync.dataverse.shapes import reads_an_answer
from crmsync.mapping.types import Condition, TableMapping
from crmsync.sync import twins
from crmsync.sync.models import Coupling, LeftOut, NotTheSame
from crmsync.terms import Side
from setup_wizard.checks.subject import Finding, State, Subject


@dataclass(frozen=True, slots=True)
class Counted:
    """One table. ``there`` is None where Sales does not say it.

    ``looked_at`` are the rows there that were compared, all of them or the first page;
    ``alike`` of them look like a record here, both without counterpart.
    """

    caption: str
    here: int
    there: int | None
    coupled: int
    is_matched: bool
    looked_at: int = 0
    alike: int = 0
    is_all: bool = True

    def __str__(self) -> str:
        return ", ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        there = "?" if self.there is None else self.there
        counts = {"table": self.caption, "here": self.here, "there": there}
        yield _("%(table)s: %(here)s here, %(there)s in Sales") % counts
        if self.coupled:
            yield _("%(count)s coupled already") % {"count": self.coupled}
        if self.is_matched and self.is_all:
            yield _("%(count)s look like the same ones") % {"count": self.alike}
        elif self.is_matched:
            yield _("about %(count)s of the first %(most)s looked at are the same ones") % {
                "count": self.alike,
                "most": self.looked_at,
            }


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of rows there, by mapping: those coupled, those left out, and of which
    records people said that they are not the same."""

    coupled: Mapping[str, set[UUID]]
    left_out: Mapping[str, set[UUID]]
    dismissed: Mapping[str, Mapping[UUID, set[UUID]]]

    @classmethod
    def of(cls, mappings: Iterable[TableMapping]) -> "Known":
        """Asked once for all tables."""
        names = [one.name for one in mappings]
        live = Coupling.objects.filter(mapping__in=names, removed_at__isnull=True)
        out = LeftOut.objects.filter(mapping__in=names, side=Side.CRM)
        said = NotTheSame.objects.filter(mapping__in=names)
        dismissed: dict[str, dict[UUID, set[UUID]]] = defaultdict(lambda: defaultdict(set))
        for name, crm_id, ledger_id in said.values_list("mapping", "crm_id", "ledger_id"):
            dismissed[name][crm_id].add(ledger_id)
        return cls(
            _by_name(live.values_list("mapping", "crm_id")),
            _by_name(out.values_list("mapping", "record_id")),
            dismissed,
        )


def _by_name(pairs: Iterable[tuple[str, UUID]]) -> Mapping[str, set[UUID]]:
    found: dict[str, set[UUID]] = defaultdict(set)
    for name, row_id in pairs:
        found[name].add(row_id)
    return found


def records(subject: Subject) -> Finding:
    """About how many on each side, and what to begin with."""
    totals = environment.row_counts(subject.reader, subject.tables)
    known = Known.of(subject.mappings)
    counted = [_count(subject.reader, one, totals, known) for one in subject.mappings]
    return Finding(State.GOOD, f"{'; '.join(map(str, counted))}.", _advice(counted))


def _advice(counted: Iterable[Counted]) -> str:
    if any(one.is_matched and one.here and one.there for one in counted):
        return _(
            "Both sides hold records: couple first what belongs together, then run the full "
            "synchronization. Nothing is written before."
        )
    return _("Only one side holds records: the full synchronization can begin at once.")


def _count(
    client: Client, mapping: TableMapping, totals: Mapping[str, int], known: Known
) -> Counted:
    """Of a table that is matched one page there is read, with the columns that are compared."""
    caption, here = str(mapping.caption), mapping.ledger._default_manager.count()
    total, coupled = totals.get(mapping.crm.logical_name), len(known.coupled[mapping.name])
    if not mapping.match_on or not here or not total:
        return Counted(caption, here, total, coupled, is_matched=bool(mapping.match_on))
    page = client.first_page(
        mapping.crm,
        columns=_columns(mapping),
        where=" and ".join(_in_words(one) for one in mapping.crm_scope),
        page_size=LARGEST_PAGE,
    )
    is_all = page.next_link is None
    return Counted(
        caption,
        here,
        # A snapshot counts rows of every type, of which only some take part.
        len(page.rows) if is_all else total,
        coupled,
        is_matched=True,
        looked_at=len(page.rows),
        alike=_alike(mapping, page.rows, known),
        is_all=is_all,
    )


def _columns(mapping: TableMapping) -> tuple[str, ...]:
    matched = (mapping.field(name).crm for name in mapping.match_on)
    return tuple(dict.fromkeys((mapping.crm.primary_key, *matched)))


def _in_words(condition: Condition) -> str:
    if isinstance(condition.value, str):
        raise TypeError("Rows there are told apart by numbers and by yes or no.")
    value = "null" if condition.value is None else str(condition.value).lower()
    return f"{condition.field} eq {value}"


def _alike(mapping: TableMapping, rows: Iterable[Row], known: Known) -> int:
    """By what *to CRM* will look at, too: it creates no record that has a likely twin."""
    here = twins.uncoupled_records_here(mapping)
    taken = known.coupled[mapping.name] | known.left_out[mapping.name]
    dismissed = known.dismissed[mapping.name]
    columns = {name: mapping.field(name).crm for name in mapping.match_on}
    return sum(
        bool(twins.find(mapping, _values(columns, row), here, dismissed.get(crm_id, ())))
        for row in rows
        if (crm_id := _row_id(mapping, row)) not in taken
    )


@reads_an_answer
def _row_id(mapping: TableMapping, row: Row) -> UUID:
    return UUID(row[mapping.crm.primary_key])


def _values(columns: Mapping[str, str], row: Row) -> dict[str, object]:
    return {name: row.get(column) for name, column in columns.items()}
