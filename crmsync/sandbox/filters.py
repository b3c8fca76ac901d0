"""From the text of `$filter` and `$orderby` to SQL over one table.

Understands what the product and Microsoft's client use: eq ne gt ge lt le, and or not, parentheses,
contains startswith endswith, Microsoft.Dynamics.CRM.In and NotIn, parameter aliases, and paths
through single-valued lookups. Everything else is refused, never ignored
(Microsoft docs: query/filter-rows).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crmsync.sandbox.errors import DataverseError, bad_query, not_implemented, unknown_property
from crmsync.sandbox.filter_words import (
    LITERAL_TYPES,
    argument,
    literal_value,
    membership_value,
    tokens,
)
from crmsync.sandbox.schema import Column, Kind, Table
from crmsync.sandbox.sql import quoted
from crmsync.sandbox.store import among, value_list
from crmsync.sandbox.tables import TABLES

_OPERATORS: Final = {
    "eq": ("=", "Equal"),
    "ne": ("<>", "NotEqual"),
    "gt": (">", "GreaterThan"),
    "ge": (">=", "GreaterThanOrEqual"),
    "lt": ("<", "LessThan"),
    "le": ("<=", "LessThanOrEqual"),
}
_TEXT_FUNCTIONS: Final = {
    "contains": "%{}%",
    "startswith": "{}%",
    "endswith": "%{}",
}
_MEMBERSHIP: Final = {
    "Microsoft.Dynamics.CRM.In": "IN",
    "Microsoft.Dynamics.CRM.NotIn": "NOT IN",
}
Sql = tuple[str, list[object]]


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison: a column where `column` is set, else a literal."""

    sql: str
    column: Column | None
    kind: str
    value: object = None


def column_path(table: Table, path: str) -> tuple[str, Column]:
    """Return the SQL of a property path (`name`, `primarycontactid/fullname`) and its column."""
    return _follow(table, quoted(table.name), path.split("/"), depth=0)


def _follow(table: Table, alias: str, parts: list[str], *, depth: int) -> tuple[str, Column]:
    name, *rest = parts
    if not rest:
        column = table.by_name.get(name)
        if column is None:
            raise unknown_property(name, table.name)
        return f"{alias}.{quoted(name)}", column
    lookup = table.by_navigation.get(name)
    if lookup is None:
        raise unknown_property(name, table.name)
    if len(lookup.navigations[name]) != 1:
        raise not_implemented(f"A query through the many-table lookup '{name}'")
    target = TABLES[lookup.navigations[name][0]]
    inner = f"n{depth}"
    sql, column = _follow(target, inner, rest, depth=depth + 1)
    return (
        f"(SELECT {sql} FROM {quoted(target.name)} AS {inner} WHERE "
        f"{inner}.{quoted(target.primary_id)} = {alias}.{quoted(lookup.name)})",
        column,
    )


def condition(table: Table, text: str, aliases: Mapping[str, str]) -> Sql:
    """Return a filter as an SQL condition with its parameters; refuse it with 400 or 501."""
    return _Parser(table, tokens(text), aliases).whole()


class _Parser:
    """Recursive descent: or, and, not, comparison."""

    def __init__(
        self, table: Table, tokens: list[tuple[str, str]], aliases: Mapping[str, str]
    ) -> None:
        self._table = table
        self._tokens = tokens
        self._aliases = aliases
        self._position = 0

    def whole(self) -> Sql:
        found = self._alternatives()
        if self._position < len(self._tokens):
            raise self._syntax_error()
        return found

    def _alternatives(self) -> Sql:
        return self._chain("or", self._conjunction)

    def _conjunction(self) -> Sql:
        return self._chain("and", self._negation)

    def _chain(self, word: str, read: Callable[[], Sql]) -> Sql:
        sql, parameters = read()
        while self._accept_word(word):
            next_sql, next_parameters = read()
            sql = f"({sql} {word.upper()} {next_sql})"
            parameters = parameters + next_parameters
        return sql, parameters

    def _negation(self) -> Sql:
        if self._accept_word("not"):
            sql, parameters = self._negation()
            # Null counts as false inside not(), as the service returns such rows.
            return f"NOT coalesce({sql}, 0)", parameters
        if self._accept_mark("("):
            sql, parameters = self._alternatives()
            self._expect(")")
            return f"({sql})", parameters
        return self._term()

    def _term(self) -> Sql:
        kind, text = self._peek()
        if kind == "name" and text in _TEXT_FUNCTIONS:
            return self._text_function()
        if kind == "name" and text in _MEMBERSHIP:
            return self._membership()
        if kind == "name" and self._peek(1) == ("mark", "("):
            raise not_implemented(f"The query function '{text}'")
        return self._comparison()

    def _text_function(self) -> Sql:
        _, name = self._next()
        self._expect("(")
        column = self._operand()
        self._expect(",")
        literal = self._operand()
        self._expect(")")
        if column.column is None or column.column.kind is not Kind.TEXT or literal.kind != "text":
            raise bad_query(f"No function signature for the function with name '{name}' matches.")
        pattern = _TEXT_FUNCTIONS[name].format(literal.value)
        return f"text_matches({column.sql}, ?)", [pattern]

    def _membership(self) -> Sql:
        _, name = self._next()
        arguments = self._named_arguments()
        sql, column = column_path(self._table, str(arguments.get("PropertyName", "")))
        values = arguments.get("PropertyValues")
        if not isinstance(values, list):
            raise bad_query(f"The function '{name}' needs a list of PropertyValues.")
        collation = " COLLATE NOCASE" if column.kind is Kind.TEXT else ""
        found = [membership_value(column, value) for value in values]
        return among(sql + collation, word=_MEMBERSHIP[name]), [value_list(found)]

    def _named_arguments(self) -> dict[str, object]:
        arguments: dict[str, object] = {}
        self._expect("(")
        while not self._accept_mark(")"):
            _, name = self._next()
            self._expect("=")
            kind, text = self._resolved(*self._next())
            arguments[name] = argument(kind, text)
            self._accept_mark(",")
        return arguments

    def _comparison(self) -> Sql:
        left = self._operand()
        _, word = self._next()
        if word not in _OPERATORS:
            if word in {"in", "has", "add", "sub", "mul", "div", "mod"}:
                raise not_implemented(f"The query operator '{word}'")
            raise self._syntax_error()
        right = self._operand()
        return _compared(left, word, right)

    def _operand(self) -> Operand:
        kind, text = self._resolved(*self._next())
        if kind == "name" and text == "null":
            return Operand("NULL", None, "null")
        if kind == "name" and text in {"true", "false"}:
            return Operand("?", None, "boolean", int(text == "true"))
        if kind == "name":
            sql, column = column_path(self._table, text)
            return Operand(sql, column, "column")
        if kind in LITERAL_TYPES:
            return Operand("?", None, kind, literal_value(kind, text))
        raise self._syntax_error()

    def _resolved(self, kind: str, text: str) -> tuple[str, str]:
        if kind != "alias":
            return kind, text
        if text not in self._aliases:
            raise bad_query(f"The parameter alias '{text}' has no value.")
        return tokens(self._aliases[text])[0]

    def _peek(self, ahead: int = 0) -> tuple[str, str]:
        position = self._position + ahead
        return self._tokens[position] if position < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end":
            raise self._syntax_error()
        self._position += 1
        return token

    def _accept_word(self, word: str) -> bool:
        return self._accept("name", word)

    def _accept_mark(self, mark: str) -> bool:
        return self._accept("mark", mark)

    def _accept(self, kind: str, text: str) -> bool:
        if self._peek() != (kind, text):
            return False
        self._position += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._accept_mark(mark):
            raise self._syntax_error()

    def _syntax_error(self) -> DataverseError:
        kind, text = self._peek()
        found = text if kind != "end" else "the end of the expression"
        return bad_query(f"Syntax error: '{found}' is not expected in $filter.")


def _compared(left: Operand, word: str, right: Operand) -> Sql:
    if left.column is None and right.column is not None:
        mirrored = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge"}
        return _compared(right, mirrored.get(word, word), left)
    if left.column is None:
        raise not_implemented("A comparison of two literals")
    operator, operator_kind = _OPERATORS[word]
    if right.kind == "null":
        return f"{left.sql} IS {'NOT ' if word == 'ne' else ''}NULL", []
    if right.column is not None:
        return f"{left.sql} {operator} {right.sql}", []
    value = _comparable(left.column, right, operator_kind)
    sql = f"{left.sql} {operator} ?{_collation(left.column, value)}"
    # A null is different from any value (OData 4.0, null handling); a guess for the service.
    return (f"({sql} OR {left.sql} IS NULL)" if word == "ne" else sql), [value]


def _comparable(column: Column, literal: Operand, operator_kind: str) -> object:
    """Return the literal in the column's stored form, or refuse its type."""
    fits = {
        Kind.TEXT: {"text"},
        Kind.BOOLEAN: {"boolean"},
        Kind.GUID: {"guid"},
        Kind.LOOKUP: {"guid"},
        Kind.DATE: {"moment"},
        Kind.DATE_TIME: {"moment"},
    }.get(column.kind, {"number"})
    if literal.kind not in fits:
        raise bad_query(
            "A binary operator with incompatible types was detected. Found operand types "
            f"'{column.kind.edm}' and '{LITERAL_TYPES[literal.kind]}' for operator kind "
            f"'{operator_kind}'."
        )
    if column.kind is Kind.DATE:
        return str(literal.value)[:10]
    return literal.value


def _collation(column: Column, value: object) -> str:
    """Texts compare without regard to case; the fast native way is enough for plain ASCII."""
    if column.kind is not Kind.TEXT:
        return ""
    return " COLLATE NOCASE" if str(value).isascii() else " COLLATE CASELESS"
