"""The query options of a read: what to select, filter, order, expand and count."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from crmsync.sandbox.errors import bad_query, not_implemented, unknown_property
from crmsync.sandbox.filters import Sql, column_path, condition
from crmsync.sandbox.schema import Kind, Table
from crmsync.sandbox.tables import TABLES

MAXIMUM_PAGE: Final = 5000

_UNDERSTOOD: Final = frozenset(
    {
        "$select",
        "$filter",
        "$orderby",
        "$top",
        "$count",
        "$expand",
        "$skiptoken",
        "$deltatoken",
        "tag",
    }
)
_REAL_BUT_NOT_HERE: Final = frozenset({"$apply", "fetchXml", "savedQuery", "userQuery", "sql"})


@dataclass(frozen=True, slots=True)
class Ordering:
    sql: str
    is_descending: bool


@dataclass(frozen=True, slots=True)
class Expansion:
    navigation: str
    query: "Query"


@dataclass(frozen=True, slots=True)
class Query:
    """A read's wishes. `select` None means every column; `top` None means no limit."""

    select: tuple[str, ...] | None = None
    filter: Sql | None = None
    orderings: tuple[Ordering, ...] = ()
    top: int | None = None
    wants_count: bool = False
    expansions: tuple[Expansion, ...] = ()
    skip_token: str | None = None
    delta_token: str | None = None


def options(query: str) -> dict[str, str]:
    """Split the query part of a URL into its options, decoded."""
    pairs = (item.partition("=") for item in query.split("&") if item)
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}


def parse(table: Table, given: Mapping[str, str]) -> Query:
    """Read query options for a table; refuse what the service refuses, or what is not here."""
    _check_names(given)
    aliases = {name: value for name, value in given.items() if name.startswith("@")}
    return Query(
        select=_select(table, given["$select"]) if given.get("$select") else None,
        filter=condition(table, given["$filter"], aliases) if given.get("$filter") else None,
        orderings=_orderings(table, given.get("$orderby", "")),
        top=_top(given.get("$top")),
        wants_count=given.get("$count") == "true",
        expansions=tuple(_expansion(table, item) for item in _split(given.get("$expand", ""), ",")),
        skip_token=given.get("$skiptoken"),
        delta_token=given.get("$deltatoken"),
    )


def navigated(table: Table, navigation: str) -> Table:
    """Return the table that a navigation property leads to."""
    lookup = table.by_navigation.get(navigation)
    if lookup is not None and len(lookup.navigations[navigation]) == 1:
        return TABLES[lookup.navigations[navigation][0]]
    relation = table.relations.get(navigation)
    if relation is not None:
        return TABLES[relation.seen_from(table.name)[2]]
    raise not_implemented(f"Following '{navigation}' of {table.entity_set}")


def _check_names(given: Mapping[str, str]) -> None:
    for name in given:
        if name == "$skip":
            raise bad_query("Skip Clause is not supported in CRM")
        if name in _REAL_BUT_NOT_HERE:
            raise not_implemented(f"The query option '{name}'")
        if name not in _UNDERSTOOD and not name.startswith("@"):
            raise bad_query(f"The query parameter {name} is not supported")


def _select(table: Table, text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in table.by_name:
            raise unknown_property(name, table.name)
    if any(table.by_name[name].kind is Kind.MONEY for name in names):
        # Money columns drag the currency along (Microsoft docs: create-entity-web-api).
        names.append("_transactioncurrencyid_value")
    return tuple(dict.fromkeys((*names, table.primary_id)))


def _orderings(table: Table, text: str) -> tuple[Ordering, ...]:
    return tuple(_ordering(table, item) for item in _split(text, ","))


def _ordering(table: Table, item: str) -> Ordering:
    path, _, direction = item.strip().partition(" ")
    if direction.strip() not in {"", "asc", "desc"}:
        raise bad_query(f"Syntax error in $orderby: '{item}'.")
    sql, column = column_path(table, path)
    collation = " COLLATE NOCASE" if column.kind is Kind.TEXT else ""
    return Ordering(sql + collation, is_descending=direction.strip() == "desc")


def _top(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or int(text) > MAXIMUM_PAGE:
        raise bad_query(f"Invalid value '{text}' for $top query option.")
    return int(text)


def _expansion(table: Table, item: str) -> Expansion:
    navigation, opening, rest = item.strip().partition("(")
    target = navigated(table, navigation)
    inner = rest.removesuffix(")") if opening else ""
    pairs = (option.partition("=") for option in _split(inner, ";"))
    given = {name.strip(): value for name, _, value in pairs}
    refused = given.keys() - {"$select", "$expand"}
    if refused:
        raise not_implemented(f"The option '{min(refused)}' inside $expand")
    return Expansion(navigation, parse(target, given))


def _split(text: str, separator: str) -> list[str]:
    """Split at separators that stand outside parentheses and quotes."""
    pieces, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == "'"
        depth += (character == "(") - (character == ")") if not quoted else 0
        if character == separator and depth == 0 and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return [piece for piece in pieces if piece.strip()]
