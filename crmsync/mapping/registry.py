"""All table mappings: one file a table in ``tables/``, found by themselves, in dependency order."""

import importlib
import pkgutil
from functools import cache
from graphlib import TopologicalSorter

from crmsync.mapping import tables
from crmsync.mapping.types import TableMapping


@cache
def all_mappings() -> tuple[TableMapping, ...]:
    """Every mapping, each after those it needs. Raises graphlib.CycleError for a circle."""
    found = {mapping.name: mapping for mapping in discover()}
    order = TopologicalSorter({name: mapping.needs for name, mapping in sorted(found.items())})
    return tuple(found[name] for name in order.static_order() if name in found)


def get_mapping(name: str) -> TableMapping:
    """The mapping of this name. Raises LookupError, naming those there are."""
    for mapping in all_mappings():
        if mapping.name == name:
            return mapping
    names = ", ".join(mapping.name for mapping in all_mappings())
    raise LookupError(f"There is no table mapping {name!r}; there are {names}.")


def discover() -> list[TableMapping]:
    """Every declaration there is, in the order of its file's name."""
    modules = sorted(module.name for module in pkgutil.iter_modules(tables.__path__))
    return [importlib.import_module(f"{tables.__name__}.{module}").MAPPING for module in modules]
