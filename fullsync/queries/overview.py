"""Everything on CRM Full Synch. Review, also when there is nothing to show yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crmsync.connections.models import Connection
from crmsync.mapping.registry import get_mapping
from crmsync.terms import JobState
from fullsync import graph
from fullsync.graph import Drawing, Node
from fullsync.queries.report import LineReport, Need, Report, report_of
from fullsync.services import mappings_in_scope


@dataclass(frozen=True, slots=True)
class DrawnTable:
    """A table in the drawing; ``line`` is None before the first run."""

    node: Node
    caption: str
    line: LineReport | None

    @property
    def text_y(self) -> int:
        return self.node.y + (21 if self.line else 31)


@dataclass(frozen=True, slots=True)
class DrawnRun:
    drawing: Drawing
    tables: tuple[DrawnTable, ...]


@dataclass(frozen=True, slots=True)
class PlannedTable:
    mapping: str
    caption: str
    needs: tuple[Need, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """``planned``: what a run would walk now; ``report`` is None before the first run.

    ``connection`` is None as long as a setup of it has not ended, see ``is_being_set_up``.
    """

    connection: Connection | None
    is_being_set_up: bool
    report: Report | None
    planned: tuple[PlannedTable, ...]
    wide: DrawnRun
    tall: DrawnRun

    @property
    def can_begin(self) -> bool:
        return bool(self.connection and self.connection.is_enabled and self.planned)

    @property
    def offers_restart(self) -> bool:
        """Something of the run that is over did not come to its end, or left records behind."""
        report = self.report
        if report is None or report.is_active:
            return False
        return report.state != JobState.FINISHED or bool(report.needs_attention)

    @property
    def offers_comparison(self) -> bool:
        return bool(self.report and self.report.limit and not self.report.is_active)

    @property
    def announcement(self) -> str:
        """One sentence that changes only when something ended or began."""
        return announcement(self.report) if self.report else ""


def announcement(report: Report) -> str:
    named = {
        "number": report.id,
        "state": report.said.whole,
        "finished": report.finished_lines,
        "all": len(report.lines),
    }
    sentence = ngettext(
        "Full synchronization %(number)d: %(state)s. %(finished)d of %(all)d job finished.",
        "Full synchronization %(number)d: %(state)s. %(finished)d of %(all)d jobs finished.",
        len(report.lines),
    )
    stopped = ", ".join(line.caption for line in report.stopped)
    return sentence % named + (
        " " + _("Stopped: %(tables)s.") % {"tables": stopped} if stopped else ""
    )


def overview(run_id: int | None = None) -> Overview:
    """The run of this number, or the latest that was not put aside. Four questions."""
    stored = Connection.objects.first()
    is_being_set_up = stored is not None and stored.is_being_set_up
    connection = None if is_being_set_up else stored
    report = report_of(run_id)
    planned = _planned(connection)
    if report:
        lines = {line.mapping: line for line in report.lines}
        needs = {name: [need.mapping for need in line.needs] for name, line in lines.items()}
    else:
        lines = {}
        needs = {one.mapping: [need.mapping for need in one.needs] for one in planned}
    return Overview(
        connection,
        is_being_set_up,
        report,
        planned,
        _drawn(graph.draw_wide(needs), lines),
        _drawn(graph.draw_tall(needs), lines),
    )


def _planned(connection: Connection | None) -> tuple[PlannedTable, ...]:
    mappings = mappings_in_scope(connection.scopes) if connection else []
    names = {mapping.name for mapping in mappings}
    return tuple(
        PlannedTable(
            mapping.name,
            str(mapping.caption),
            tuple(
                Need(need, str(get_mapping(need).caption), is_met=need not in names)
                for need in mapping.needs
            ),
        )
        for mapping in mappings
    )


def _drawn(drawing: Drawing, lines: Mapping[str, LineReport]) -> DrawnRun:
    return DrawnRun(
        drawing,
        tuple(
            DrawnTable(node, str(get_mapping(node.name).caption), lines.get(node.name))
            for node in drawing.nodes
        ),
    )
