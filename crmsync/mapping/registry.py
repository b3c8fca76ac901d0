"""All table mappings: one file a table in ``tables/``, found by themselves, in dependency order.

``declared`` is what the files say; ``all_mappings`` and ``get_mapping`` answer with what is in
force: the declarations with what administrators changed. Neither asks the database, so that any
thread may call them: ``crmsync.mapping.in_force`` takes changes up where a process may ask.
"""

import importlib
import pkgutil
from collections.abc import Collection
from functools import cache
from graphlib import TopologicalSorter
from typing import TypeAlias

from crmsync.mapping import tables
from crmsync.mapping.overlay import Change, apply, without_hidden
from crmsync.mapping.types import TableMapping

# The table there and its column.
ColumnThere: TypeAlias = tuple[str, str]


class _InForce:
    """Of this process. Replaced as a whole: a reader sees all of a set of changes or none."""

    changes: frozenset[Change] = frozenset()
    hidden: frozenset[ColumnThere] = frozenset()
    mappings: tuple[TableMapping, ...] | None = None


@cache
def declared() -> tuple[TableMapping, ...]:
    """Every declaration, each after those it needs. Raises graphlib.CycleError for a circle."""
    found = {mapping.name: mapping for mapping in discover()}
    order = TopologicalSorter({name: mapping.needs for name, mapping in sorted(found.items())})
    return tuple(found[name] for name in order.static_order() if name in found)


def all_mappings() -> tuple[TableMapping, ...]:
    """Every mapping as it is in force, each after those it needs."""
    return declared() if _InForce.mappings is None else _InForce.mappings


def get_mapping(name: str) -> TableMapping:
    """The mapping of this name as it is in force. Raises LookupError, naming those there are."""
    return _named(name, all_mappings())


def get_declared(name: str) -> TableMapping:
    """The declaration of this name. Raises LookupError, naming those there are."""
    return _named(name, declared())


def put_in_force(changes: Collection[Change], hidden: Collection[ColumnThere] = ()) -> None:
    """From now on this process answers with these changes; those that do not hold are left out.

    ``hidden`` are columns there that the integration user may not read.
    """
    wanted, unread = frozenset(changes), frozenset(hidden)
    if (wanted, unread) != (_InForce.changes, _InForce.hidden):
        made = tuple(_made(one, wanted, unread) for one in declared())
        _InForce.changes, _InForce.hidden, _InForce.mappings = wanted, unread, made


def _made(
    one: TableMapping, changes: Collection[Change], hidden: Collection[ColumnThere]
) -> TableMapping:
    columns = {column for table, column in hidden if table == one.crm.logical_name}
    return without_hidden(apply(one, sorted(changes)).mapping, columns)


def discover() -> list[TableMapping]:
    """Every declaration there is, in the order of its file's name."""
    modules = sorted(module.name for module in pkgutil.iter_modules(tables.__path__))
    return [importlib.import_module(f"{tables.__name__}.{module}").MAPPING for module in modules]


def _named(name: str, mappings: Collection[TableMapping]) -> TableMapping:
    for mapping in mappings:
        if mapping.name == name:
            return mapping
    names = ", ".join(mapping.name for mapping in mappings)
    raise LookupError(f"There is no table mapping {name!r}; there are {names}.")
