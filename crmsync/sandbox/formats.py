"""Annotations that a client may ask for: formatted values and what a lookup names."""

from collections.abc import Callable, Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

from crmsync.sandbox.payloads import lookup_target
from crmsync.sandbox.schema import Column, Kind, Table
from crmsync.sandbox.sql import quoted
from crmsync.sandbox.store import Row, Snapshot, among, value_list
from crmsync.sandbox.tables import TABLES

FORMATTED: Final = "OData.Community.Display.V1.FormattedValue"
LOOKUP_NAME: Final = "Microsoft.Dynamics.CRM.lookuplogicalname"
LOOKUP_NAVIGATION: Final = "Microsoft.Dynamics.CRM.associatednavigationproperty"

Format = Callable[[Column, object], str]


class Annotator:
    """Adds the annotations that `wanted` (the value of odata.include-annotations) asks for."""

    def __init__(self, snapshot: Snapshot, wanted: str) -> None:
        self._snapshot = snapshot
        self._patterns = [pattern.strip() for pattern in wanted.split(",") if pattern.strip()]

    @property
    def is_idle(self) -> bool:
        return not self._patterns

    def wants(self, annotation: str) -> bool:
        return any(fnmatchcase(annotation, pattern) for pattern in self._patterns)

    def annotate(self, table: Table, names: Iterable[str], rows: list[Row]) -> None:
        """Annotate read rows in place. Rows carry the companions of many-table lookups."""
        columns = [table.by_name[name] for name in names]
        for column in columns:
            if column.kind is Kind.LOOKUP:
                self._annotate_lookup(column, rows)
        if self.wants(FORMATTED):
            symbols = self._currency_symbols(rows)
            for column in columns:
                _format_column(column, rows, symbols)

    def _annotate_lookup(self, column: Column, rows: list[Row]) -> None:
        filled = [row for row in rows if row.get(column.name)]
        targets = [lookup_target(column, row) for row in filled]
        labels = self._labels(column, filled, targets)
        for row, target in zip(filled, targets, strict=True):
            if self.wants(LOOKUP_NAME):
                row[f"{column.name}@{LOOKUP_NAME}"] = target.name
            if self.wants(LOOKUP_NAVIGATION):
                row[f"{column.name}@{LOOKUP_NAVIGATION}"] = _navigation(column, target)
            label = labels.get((target.name, str(row[column.name])))
            if label is not None:
                row[f"{column.name}@{FORMATTED}"] = label

    def _labels(
        self, column: Column, rows: list[Row], targets: list[Table]
    ) -> dict[tuple[str, str], str]:
        labels: dict[tuple[str, str], str] = {}
        if not self.wants(FORMATTED):
            return labels
        for name in {target.name for target in targets}:
            ids = {
                row[column.name]
                for row, target in zip(rows, targets, strict=True)
                if target.name == name
            }
            labels.update(self._names(TABLES[name], ids))
        return labels

    def _names(self, table: Table, ids: Iterable[object]) -> dict[tuple[str, str], str]:
        if table.primary_name is None:
            return {}
        sql = (
            f"SELECT {quoted(table.primary_id)}, {quoted(table.primary_name)} "
            f"FROM {quoted(table.name)} WHERE {among(quoted(table.primary_id))}"
        )
        found = self._snapshot.all(sql, (value_list(ids),))
        return {(table.name, str(key)): str(name) for key, name in found if name is not None}

    def _currency_symbols(self, rows: list[Row]) -> dict[str, str]:
        if not any("_transactioncurrencyid_value" in row for row in rows):
            return {}
        found = self._snapshot.all(
            "SELECT transactioncurrencyid, currencysymbol FROM transactioncurrency"
        )
        return {str(key): str(symbol) for key, symbol in found}


def _navigation(column: Column, target: Table) -> str:
    return next(nav for nav, tables in column.navigations.items() if target.name in tables)


def _format_column(column: Column, rows: list[Row], symbols: dict[str, str]) -> None:
    formatted = _FORMATS.get(column.kind)
    if formatted is None:
        return
    key = f"{column.name}@{FORMATTED}"
    for row in rows:
        value = row.get(column.name)
        if value is not None:
            symbol = symbols.get(str(row.get("_transactioncurrencyid_value")), "")
            prefix = symbol if column.kind is Kind.MONEY else ""
            row[key] = prefix + formatted(column, value)


def _label(column: Column, value: object) -> str:
    return column.options.get(value, "") if isinstance(value, int) else ""


def _number(column: Column, value: object) -> str:
    return f"{float(str(value)):,.{column.precision}f}"


def _moment(column: Column, value: object) -> str:
    """Format as an English (United States) user in UTC sees it."""
    del column
    moment = datetime.fromisoformat(str(value))
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment.minute:02} {half}"


def _day(column: Column, value: object) -> str:
    del column
    day = datetime.fromisoformat(str(value))
    return f"{day.month}/{day.day}/{day.year}"


_FORMATS: Final[dict[Kind, Format]] = {
    Kind.CHOICE: _label,
    Kind.BOOLEAN: _label,
    Kind.INTEGER: _number,
    Kind.DECIMAL: _number,
    Kind.MONEY: _number,
    Kind.DATE_TIME: _moment,
    Kind.DATE: _day,
}
