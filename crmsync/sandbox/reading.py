"""Read rows: one, a page of many, related ones, and the changes since a mark."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from crmsync.sandbox.callers import Caller
from crmsync.sandbox.errors import does_not_exist
from crmsync.sandbox.formats import LOOKUP_NAME, Annotator
from crmsync.sandbox.messages import Request
from crmsync.sandbox.paging import Position, link_with, position
from crmsync.sandbox.query import MAXIMUM_PAGE, Expansion, Ordering, Query, navigated
from crmsync.sandbox.schema import LOOKUP_TYPE_SUFFIX, Table
from crmsync.sandbox.sql import quoted
from crmsync.sandbox.store import Row, Snapshot, among, value_list
from crmsync.sandbox.tables import TABLES

KEPT_IN_NEXT_LINK: Final = frozenset(
    {"$select", "$filter", "$orderby", "$count", "$expand", "$deltatoken", "@"}
)
_ETAG: Final = "'W/\"' || versionnumber || '\"'"


@dataclass(slots=True)
class Page:
    """Rows as the client sees them, and where the next page begins."""

    rows: list[Row]
    next_position: Position | None = None


@dataclass(slots=True)
class Reader:
    """Reads for one caller in one snapshot."""

    snapshot: Snapshot
    caller: Caller
    request: Request
    annotator: Annotator = field(init=False)

    def __post_init__(self) -> None:
        wanted = self.request.preferences.get("odata.include-annotations", "")
        self.annotator = Annotator(self.snapshot, wanted)

    def one(self, table: Table, row_id: str, query: Query) -> Row:
        """Return one row, or refuse with 404 0x80040217."""
        self.caller.require(self.snapshot, table, "Read")
        rows = self.matching(table, query, f"{quoted(table.primary_id)} = ?", [row_id])
        if not rows:
            raise does_not_exist(table.name, row_id)
        return rows[0]

    def collection(self, table: Table, query: Query) -> dict[str, object]:
        """Return a page of rows in the envelope of the service."""
        self.caller.require(self.snapshot, table, "Read")
        start = position(query.skip_token)
        page = self.page(table, query, start, size=self._page_size(query))
        body: dict[str, object] = {"@odata.context": self.context(table, query)}
        if query.wants_count:
            self._add_count(body, table, query)
        body["value"] = page.rows
        if page.next_position and (query.top is None or self._asked_page_size()):
            token = page.next_position.token()
            body["@odata.nextLink"] = link_with(
                self.request, "$skiptoken", token, keep=KEPT_IN_NEXT_LINK
            )
        return body

    def page(self, table: Table, query: Query, start: Position | None, *, size: int) -> Page:
        """Read the rows after `start` in the query's order, the primary key breaking ties.

        The place is remembered by value, so rows inserted meanwhile shift nothing.
        """
        orderings = (*query.orderings, Ordering(_key_sql(table), is_descending=False))
        where, parameters = query.filter or ("1", [])
        if start:
            after, after_parameters = _after(orderings, start.key)
            where, parameters = f"({where}) AND ({after})", [*parameters, *after_parameters]
        order = ",".join(o.sql + (" DESC" if o.is_descending else "") for o in orderings)
        keys = [ordering.sql for ordering in orderings]
        tail = f" ORDER BY {order} LIMIT {size + 1}"
        rows, positions = self._fetch(table, query, where + tail, parameters, keys)
        if len(rows) <= size:
            return Page(rows)
        number = start.page if start else 1
        version = start.version if start else None
        return Page(rows[:size], Position(number + 1, positions[size - 1], version))

    def related(self, table: Table, row_id: str, navigation: str, query: Query) -> Row | None:
        """Return what a navigation property of one row leads to: an envelope, a row or None."""
        target = navigated(table, navigation)
        self.one(table, row_id, Query(select=(table.primary_id,)))
        self.caller.require(self.snapshot, target, "Read")
        if navigation in table.relations:
            where, parameters = self._partners(table, navigation, row_id)
            rows = self.matching(target, query, where, parameters)
            return {"@odata.context": self.context(target, query), "value": rows}
        column = table.by_navigation[navigation]
        found = self.snapshot.one(
            f"SELECT {quoted(column.name)} FROM {quoted(table.name)} "
            f"WHERE {quoted(table.primary_id)} = ?",
            (row_id,),
        )
        return self.one(target, str(found[0]), query) if found and found[0] else None

    def count(self, table: Table, query: Query) -> int:
        """Return the number of matching rows, which the service never says beyond 5,000."""
        self.caller.require(self.snapshot, table, "Read")
        where, parameters = query.filter or ("1", [])
        sql = f"SELECT count(*) FROM {quoted(table.name)} WHERE {where}"
        found = self.snapshot.one(sql, parameters)
        return min(int(str(found[0])) if found else 0, MAXIMUM_PAGE)

    def context(self, table: Table, query: Query, suffix: str = "") -> str:
        names = ",".join((*(query.select or ()), *(f"{e.navigation}()" for e in query.expansions)))
        columns = f"({names})" if names else ""
        return f"{self.request.origin}/api/data/v9.2/$metadata#{table.entity_set}{columns}{suffix}"

    def asks_for(self, preference: str) -> bool:
        return preference in self.request.preferences

    def _asked_page_size(self) -> int | None:
        text = self.request.preferences.get("odata.maxpagesize", "")
        return min(int(text), MAXIMUM_PAGE) if text.isdecimal() and int(text) else None

    def _page_size(self, query: Query) -> int:
        """A page size asked for makes the service ignore `$top` (docs: query/page-results)."""
        return self._asked_page_size() or (MAXIMUM_PAGE if query.top is None else query.top)

    def page_size(self) -> int:
        return self._asked_page_size() or MAXIMUM_PAGE

    def _add_count(self, body: dict[str, object], table: Table, query: Query) -> None:
        count = self.count(table, query)
        body["@odata.count"] = count
        if self.annotator.wants("Microsoft.Dynamics.CRM.totalrecordcount"):
            body["@Microsoft.Dynamics.CRM.totalrecordcount"] = count
            body["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] = count == MAXIMUM_PAGE

    def matching(
        self, table: Table, query: Query, where: str, parameters: Sequence[object]
    ) -> list[Row]:
        """Return the rows that fit an SQL condition, selected and annotated as asked for."""
        return self._fetch(table, query, where, parameters, [])[0]

    def _fetch(
        self,
        table: Table,
        query: Query,
        where: str,
        parameters: Sequence[object],
        keys: Sequence[str],
    ) -> tuple[list[Row], list[list[object]]]:
        """Return the rows and, for each, the values of the `keys` expressions."""
        shown = query.select or tuple(table.by_name)
        names = (*shown, *_helpers(table, query, shown, annotated=not self.annotator.is_idle))
        columns = ",".join((_ETAG, *map(quoted, names), *keys))
        sql = f"SELECT {columns} FROM {quoted(table.name)} WHERE {where}"
        found = self.snapshot.all(sql, parameters)
        labels, width = ("@odata.etag", *names), len(names) + 1
        rows = [dict(zip(labels, row, strict=False)) for row in found]
        self._finish(table, query, shown, rows)
        self._drop_helpers(names[len(shown) :], rows)
        return rows, [list(row[width:]) for row in found] if keys else []

    def _drop_helpers(self, helpers: Sequence[str], rows: list[Row]) -> None:
        """Remove what was read for our own use; a companion may be an annotation asked for."""
        shows_types = self.annotator.wants(LOOKUP_NAME)
        for helper in helpers:
            is_shown = shows_types and helper.endswith(LOOKUP_TYPE_SUFFIX)
            for row in rows:
                if not (is_shown and row[helper]):
                    del row[helper]

    def _finish(self, table: Table, query: Query, shown: Sequence[str], rows: list[Row]) -> None:
        for name in self.caller.hidden_columns(self.snapshot, table).intersection(shown):
            for row in rows:
                row[name] = None
        for name in table.booleans.intersection(shown):
            for row in rows:
                if row[name] is not None:
                    row[name] = bool(row[name])
        if not self.annotator.is_idle:
            self.annotator.annotate(table, shown, rows)
        for expansion in query.expansions:
            self._expand(table, expansion, rows)

    def _expand(self, table: Table, expansion: Expansion, rows: list[Row]) -> None:
        target = navigated(table, expansion.navigation)
        self.caller.require(self.snapshot, target, "Read")
        if expansion.navigation in table.relations:
            for row in rows:
                where, parameters = self._partners(
                    table, expansion.navigation, str(row[table.primary_id])
                )
                row[expansion.navigation] = self.matching(
                    target, expansion.query, where, parameters
                )
            return
        column = table.by_navigation[expansion.navigation]
        ids = {row[column.name] for row in rows if row[column.name]}
        where = among(quoted(target.primary_id))
        found = self.matching(target, expansion.query, where, [value_list(ids)])
        by_id = {row[target.primary_id]: row for row in found}
        for row in rows:
            row[expansion.navigation] = by_id.get(row[column.name])

    def _partners(self, table: Table, navigation: str, row_id: str) -> tuple[str, list[object]]:
        relation = table.relations[navigation]
        own, other, target_name = relation.seen_from(table.name)
        partners = f"SELECT {quoted(other)} FROM {quoted(relation.intersect)}"
        key = quoted(TABLES[target_name].primary_id)
        return f"{key} IN ({partners} WHERE {quoted(own)} = ?)", [row_id]


def _key_sql(table: Table) -> str:
    return f"{quoted(table.name)}.{quoted(table.primary_id)}"


def _helpers(
    table: Table, query: Query, shown: Sequence[str], *, annotated: bool
) -> tuple[str, ...]:
    """Name the columns that expansions and annotations need although nobody selected them."""
    needed = [
        table.by_navigation[e.navigation].name
        for e in query.expansions
        if e.navigation in table.by_navigation
    ]
    if annotated:
        needed += [name + LOOKUP_TYPE_SUFFIX for name in shown if table.by_name[name].type_column]
    return tuple(dict.fromkeys(name for name in needed if name not in shown))


def _after(orderings: Sequence[Ordering], key: Sequence[object]) -> tuple[str, list[object]]:
    """Return the condition "comes after the row with these sort values"; nulls sort first."""
    alternatives, parameters = [], list[object]()
    for depth, (ordering, value) in enumerate(zip(orderings, key, strict=True)):
        equal = [f"{earlier.sql} IS ?" for earlier in orderings[:depth]]
        beyond, beyond_parameters = _beyond(ordering, value)
        alternatives.append(" AND ".join((*equal, beyond)))
        parameters += [*key[:depth], *beyond_parameters]
    return " OR ".join(f"({alternative})" for alternative in alternatives), parameters


def _beyond(ordering: Ordering, value: object) -> tuple[str, list[object]]:
    if ordering.is_descending:
        return (
            ("0", [])
            if value is None
            else (f"({ordering.sql} < ? OR {ordering.sql} IS NULL)", [value])
        )
    return (
        (f"{ordering.sql} IS NOT NULL", []) if value is None else (f"{ordering.sql} > ?", [value])
    )
