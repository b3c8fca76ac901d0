"""Change tracking: a first full read that ends in a delta link, and the changes since one.

Microsoft docs: use-change-tracking-synchronize-data-external-systems. Tokens age by the
environment's clock.
"""

from dataclasses import dataclass
from typing import Final

from crmsync.sandbox.bootstrap import ORGANIZATION_ID
from crmsync.sandbox.errors import DataverseError, bad_request
from crmsync.sandbox.paging import DeltaMark, Position, delta_mark, link_with, position
from crmsync.sandbox.query import Query
from crmsync.sandbox.reading import KEPT_IN_NEXT_LINK, Page, Reader
from crmsync.sandbox.schema import Table
from crmsync.sandbox.sql import quoted
from crmsync.sandbox.store import Row

NOT_TRACKED: Final = "0x80072491"
EXPIRED: Final = "0x80044352"
_DAY: Final = 86_400

# Rows by version first, then deletions by version; both bounded by the first page's version.
_CHANGED: Final = "versionnumber > ? AND versionnumber <= ?"


@dataclass(frozen=True, slots=True)
class Tracker:
    """Reads changes through a reader. `now` is the environment's clock in epoch seconds."""

    reader: Reader
    now: float

    def first_read(self, table: Table, query: Query) -> dict[str, object]:
        """Return a page of all rows; the last page carries the delta link."""
        self._check(table, query)
        start = position(query.skip_token)
        version = self.reader.snapshot.version if start is None else start.version
        page = self.reader.page(table, query, start, size=self.reader.page_size())
        if page.next_position:
            page.next_position = Position(page.next_position.page, page.next_position.key, version)
        return self._envelope(table, query, page, version or 0, suffix="")

    def changes(self, table: Table, query: Query, token: str) -> dict[str, object]:
        """Return a page of what changed since the mark in `token`: rows first, then deletions."""
        self._check(table, query)
        mark = delta_mark(token)
        self._check_age(mark)
        start = position(query.skip_token)
        until = self.reader.snapshot.version if start is None else start.version or 0
        page = self._changed_page(table, query, mark, until, start)
        return self._envelope(table, query, page, until, suffix="/$delta")

    def count(self, table: Table, query: Query, token: str) -> int:
        """Count changes and deletions since the mark in `token`."""
        self._check(table, query)
        mark = delta_mark(token)
        self._check_age(mark)
        snapshot = self.reader.snapshot
        changed = f"SELECT count(*) FROM {quoted(table.name)} WHERE {_CHANGED}"
        deleted = f"SELECT count(*) FROM ({_deletions_sql(table)})"
        window = (mark.version, snapshot.version)
        counts = (snapshot.one(changed, window), snapshot.one(deleted, (*window, mark.version)))
        return sum(int(str(found[0])) for found in counts if found)

    def _check(self, table: Table, query: Query) -> None:
        self.reader.caller.require(self.reader.snapshot, table, "Read")
        if not self._is_tracked(table):
            raise bad_request(
                NOT_TRACKED, f"Change tracking is not enabled for the entity {table.name}."
            )
        refused = {
            "$filter": query.filter,
            "$orderby": query.orderings,
            "$expand": query.expansions,
            "$top": query.top is not None,
        }
        for name, is_present in refused.items():
            if is_present:
                raise bad_request(
                    "0x80060888",
                    f"The query parameter {name} is not supported when tracking changes.",
                )

    def _is_tracked(self, table: Table) -> bool:
        found = self.reader.snapshot.one(
            "SELECT ChangeTrackingEnabled FROM EntityMetadata WHERE LogicalName = ?",
            (table.name,),
        )
        return bool(found and found[0])

    def _check_age(self, mark: DeltaMark) -> None:
        reset = self.reader.snapshot.meta("reset_version")
        is_before_reset = isinstance(reset, int) and mark.version < reset
        if is_before_reset or self.now - mark.time > self._lifetime():
            raise DataverseError(
                400,
                EXPIRED,
                "Version stamp associated with the client has expired. Please perform a full sync.",
            )

    def _lifetime(self) -> float:
        found = self.reader.snapshot.one(
            "SELECT expirechangetrackingindays FROM organization WHERE organizationid = ?",
            (ORGANIZATION_ID,),
        )
        return float(str(found[0])) * _DAY if found else 0.0

    def _changed_page(
        self, table: Table, query: Query, mark: DeltaMark, until: int, start: Position | None
    ) -> Page:
        size = self.reader.page_size()
        after, deleted_after = _resume(mark, start)
        condition = f"{_CHANGED} ORDER BY versionnumber LIMIT ?"
        rows = self.reader.matching(table, query, condition, (after, until, size + 1))
        room = size - len(rows) + 1
        deletions = self._deletions(table, (mark.version, until, deleted_after, room))
        if room > 0 and len(deletions) < room:
            return Page([*rows, *(entry for entry, _ in deletions)])
        rows, deletions = rows[:size], deletions[: max(0, room - 1)]
        place = [
            int(str(rows[-1]["@odata.etag"])[3:-1]) if rows else after,
            deletions[-1][1] if deletions else deleted_after,
        ]
        number = (start.page if start else 1) + 1
        entries = [*rows, *(entry for entry, _ in deletions)]
        return Page(entries, Position(number, list(place), until))

    def _deletions(self, table: Table, bounds: tuple[int, int, int, int]) -> list[tuple[Row, int]]:
        """Return deletion entries with their versions; bounds are since, until, after, limit."""
        sql = f"{_deletions_sql(table)} ORDER BY latest LIMIT ?"
        found = self.reader.snapshot.all(sql, bounds)
        context = self.reader.context(table, Query(), "/$deletedEntity")
        return [
            ({"@odata.context": context, "id": row_id, "reason": "deleted"}, int(str(version)))
            for row_id, version in found
        ]

    def _envelope(
        self, table: Table, query: Query, page: Page, version: int, *, suffix: str
    ) -> dict[str, object]:
        body: dict[str, object] = {
            "@odata.context": self.reader.context(table, query, suffix),
            "value": page.rows,
        }
        request = self.reader.request
        if page.next_position:
            body["@odata.nextLink"] = link_with(
                request, "$skiptoken", page.next_position.token(), keep=KEPT_IN_NEXT_LINK
            )
        else:
            body["@odata.deltaLink"] = link_with(
                request,
                "$deltatoken",
                DeltaMark(version, self.now).token(),
                keep=KEPT_IN_NEXT_LINK - {"$deltatoken"},
            )
        return body


def _deletions_sql(table: Table) -> str:
    """Return the SQL of ids deleted in a window of versions and not made again since."""
    name, key = quoted(table.name), quoted(table.primary_id)
    return (
        "SELECT id, max(version) AS latest FROM _deletion"
        f" WHERE \"table\" = '{table.name}' AND version > ? AND version <= ?"
        f" AND NOT EXISTS (SELECT 1 FROM {name} WHERE {key} = id)"
        " GROUP BY id HAVING latest > ?"
    )


def _resume(mark: DeltaMark, start: Position | None) -> tuple[int, int]:
    """Return the versions after which rows and deletions go on."""
    if start is None:
        return mark.version, mark.version
    after, deleted_after = start.key
    return int(str(after)), int(str(deleted_after))
