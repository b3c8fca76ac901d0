"""Rows of one environment: read, follow changes, create, update.

Protocol facts: Microsoft docs "query data using the Web API", "use change tracking", "bulk
operation messages", "conditional operations". Nothing here retries a write: whether that is safe
is known only to whoever chose the row's id.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from crmsync.dataverse import batch, odata
from crmsync.dataverse.errors import DataverseError, Trace, UnreadableAnswer
from crmsync.dataverse.session import API_PATH, Channel, refusal

LARGEST_PAGE = 5000
# Ids looked up in one request: a URL may be about 32 kB long, an id takes 39 characters.
IDS_PER_LOOKUP = 300

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """What the protocol needs to name a table: ``account``, ``accounts``, ``accountid``."""

    logical_name: str
    entity_set: str
    primary_key: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page: rows (each with ``@odata.etag``), ids of deleted rows, and what follows.

    Exactly one link is set when changes are tracked: ``next_link`` or, on the last page,
    ``delta_link``. Without tracking the last page has none.
    """

    rows: tuple[Row, ...]
    deleted: tuple[UUID, ...]
    next_link: str | None
    delta_link: str | None


@dataclass(frozen=True, slots=True)
class Update:
    """New values of some columns, to be written only if the row still has this ETag."""

    row_id: UUID
    values: Row
    etag: str


class Client:
    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def first_page(
        self,
        table: Table,
        *,
        columns: Sequence[str],
        where: str = "",
        track_changes: bool = False,
        page_size: int = LARGEST_PAGE,
    ) -> Page:
        """The first page of a table.

        Tracking changes forbids ``where``; it needs read access to the whole organization.
        """
        options = {"$select": ",".join(columns)}
        if where:
            options["$filter"] = where
        return self.page(
            odata.query(table.entity_set, options),
            track_changes=track_changes,
            page_size=page_size,
        )

    def page(self, link: str, *, track_changes: bool, page_size: int = LARGEST_PAGE) -> Page:
        """Follow a next or delta link with the preferences that made it.

        Raises DeltaExpired when the service has forgotten the token, NotTracked when the table
        keeps no track, AddressRefused when the link leads elsewhere.
        """
        prefer = f"odata.maxpagesize={page_size}"
        if track_changes:
            prefer = f"odata.track-changes,{prefer}"
        answer = self.channel.send("GET", link, headers={"Prefer": prefer})
        return _read_page(answer.json())

    def rows(
        self, table: Table, *, columns: Sequence[str], where: str = ""
    ) -> Iterator[tuple[Row, ...]]:
        """All rows, page by page."""
        page = self.first_page(table, columns=columns, where=where)
        yield page.rows
        while page.next_link:
            page = self.page(page.next_link, track_changes=False)
            yield page.rows

    def every(self, path: str) -> Iterator[Row]:
        """All rows behind a relative address with its query options, over all pages."""
        link: str | None = path
        while link:
            page = self.page(link, track_changes=False)
            yield from page.rows
            link = page.next_link

    def existing(self, table: Table, ids: Iterable[UUID]) -> dict[UUID, str]:
        """The ETags of those rows that exist, looked up in chunks."""
        wanted = list(ids)
        found: dict[UUID, str] = {}
        for start in range(0, len(wanted), IDS_PER_LOOKUP):
            chunk = wanted[start : start + IDS_PER_LOOKUP]
            where = odata.any_of(table.primary_key, chunk)
            for rows in self.rows(table, columns=[table.primary_key], where=where):
                found |= {UUID(row[table.primary_key]): row["@odata.etag"] for row in rows}
        return found

    def supports(self, table: Table, message: str) -> bool:
        """Whether the table takes a bulk message such as CreateMultiple."""
        options = {
            "$select": "sdkmessagefilterid",
            "$filter": "sdkmessageid/name eq @message and primaryobjecttypecode eq @table",
            "@message": odata.literal(message),
            "@table": odata.literal(table.logical_name),
        }
        path = odata.query("sdkmessagefilters", options)
        return bool(self.channel.send("GET", path).json().get("value"))

    def is_tracked(self, table: Table) -> bool:
        """Whether change tracking is on for the table."""
        path = f"EntityDefinitions(LogicalName='{table.logical_name}')"
        found = self.channel.send("GET", f"{path}?$select=ChangeTrackingEnabled").json()
        return found.get("ChangeTrackingEnabled") is True

    def create_multiple(self, table: Table, rows: Sequence[Row]) -> None:
        """Create rows with ids that we chose, all or none.

        Each row holds its primary key. Raises the RecordError of one of them, without saying of
        which, when the service refuses: then none was created.
        """
        kind = f"Microsoft.Dynamics.CRM.{table.logical_name}"
        targets = [{"@odata.type": kind, **row} for row in rows]
        answer = self.channel.send(
            "POST",
            f"{table.entity_set}/Microsoft.Dynamics.CRM.CreateMultiple",
            headers={"Content-Type": "application/json; charset=utf-8"},
            body=orjson.dumps({"Targets": targets}),
        )
        if len(answer.json().get("Ids") or ()) != len(rows):
            raise UnreadableAnswer("Not every row that was sent came back with an id.")

    def create_each(self, table: Table, rows: Sequence[Row]) -> list[DataverseError | None]:
        """Create rows one by one in a batch; per row the error, or None where it was created."""
        path = f"{API_PATH}{table.entity_set}"
        return self._each([batch.Operation("POST", path, orjson.dumps(row)) for row in rows])

    def update_each(self, table: Table, updates: Sequence[Update]) -> list[DataverseError | None]:
        """Write updates in a batch, each only if its row is unchanged since we read it.

        An update never creates: with If-Match a missing row answers RowMissing.
        """
        return self._each(
            [
                batch.Operation(
                    "PATCH",
                    f"{API_PATH}{odata.row_path(table.entity_set, update.row_id)}",
                    orjson.dumps(update.values),
                    {"If-Match": update.etag},
                )
                for update in updates
            ]
        )

    def _each(self, operations: Sequence[batch.Operation]) -> list[DataverseError | None]:
        content_type, body = batch.encode(operations)
        headers = {"Content-Type": content_type, "Prefer": "odata.continue-on-error"}
        answer = self.channel.send("POST", "$batch", headers=headers, body=body)
        parts = batch.decode(
            answer.headers.get("Content-Type", ""), answer.body, expected=len(operations)
        )
        return [
            _part_error(operation, part) for operation, part in zip(operations, parts, strict=True)
        ]


def _part_error(operation: batch.Operation, part: batch.PartAnswer) -> DataverseError | None:
    if part.status < 300:
        return None
    trace = Trace(method=operation.method, path=operation.url)
    return refusal(part.status, part.headers, part.body, trace=trace)


def _read_page(body: dict[str, Any]) -> Page:
    value = body.get("value")
    if not isinstance(value, list):
        raise UnreadableAnswer("A page of rows came without its rows.")
    rows: list[Row] = []
    deleted: list[UUID] = []
    for row in value:
        if not isinstance(row, dict):
            raise UnreadableAnswer("A row of a page is not an object.")
        if row.get("reason") == "deleted" and "id" in row:
            deleted.append(UUID(row["id"]))
        elif isinstance(row.get("@odata.etag"), str):
            rows.append(row)
        else:
            raise UnreadableAnswer("A row of a page came without its ETag.")
    return Page(
        tuple(rows), tuple(deleted), _link(body, "@odata.nextLink"), _link(body, "@odata.deltaLink")
    )


def _link(body: dict[str, Any], name: str) -> str | None:
    link = body.get(name)
    if link is not None and not isinstance(link, str):
        raise UnreadableAnswer(f"{name} of a page is not a text.")
    return link
