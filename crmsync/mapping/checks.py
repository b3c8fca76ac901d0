"""``manage.py check`` reads the declarations: what is wrong there would be wrong in every row."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field

from crmsync.mapping.conversions import Lookup, Text
from crmsync.mapping.registry import discover
from crmsync.mapping.types import TableMapping
from crmsync.terms import Direction


def check_declarations(**_: Any) -> list[CheckMessage]:
    """Check every table mapping that is declared."""
    return problems(discover())


def problems(mappings: Sequence[TableMapping]) -> list[CheckMessage]:
    """What is wrong with these declarations, each with its remedy; nothing when all is well."""
    found: list[CheckMessage] = [*_names(mappings), *_needs(mappings), *_circle(mappings)]
    for mapping in mappings:
        for check in _OF_ONE:
            found += check(mapping)
    return found


def _error(number: int, sentence: str, *, hint: str, about: TableMapping | None = None) -> Error:
    where = f"{about.name}: " if about else ""
    return Error(f"{where}{sentence}", hint=hint, id=f"mapping.E{number:03d}")


# What several mappings must be together


def _names(mappings: Sequence[TableMapping]) -> Iterator[Error]:
    for name in _doubled(mapping.name for mapping in mappings):
        yield _error(1, f"Several mappings are named {name}.", hint="Give each its own name.")


def _needs(mappings: Sequence[TableMapping]) -> Iterator[Error]:
    names = {mapping.name for mapping in mappings}
    for mapping in mappings:
        for need in mapping.needs:
            if need not in names:
                yield _error(
                    2,
                    f"It needs {need}, and there is no such mapping.",
                    hint=f"There are {', '.join(sorted(names))}.",
                    about=mapping,
                )


def _circle(mappings: Sequence[TableMapping]) -> Iterator[Error]:
    try:
        TopologicalSorter({mapping.name: mapping.needs for mapping in mappings}).prepare()
    except CycleError as error:
        way = " needs ".join(reversed(error.args[1]))
        yield _error(
            3,
            f"The mappings need each other in a circle: {way}.",
            hint="Leave the need of an optional lookup out: it is revisited by itself.",
        )


# What one mapping must be


def _ledger_attributes(mapping: TableMapping) -> Iterator[Error]:
    for mapped in mapping.fields:
        if mapped.ledger not in mapping.computed and _model_field(mapping, mapped.ledger) is None:
            yield _error(
                4,
                f"{mapping.ledger.__name__} has no attribute {mapped.ledger}.",
                hint="Name a field of the model (a lookup ends in _id), or declare it as computed.",
                about=mapping,
            )


def _doubled_fields(mapping: TableMapping) -> Iterator[Error]:
    for column in _doubled(mapped.crm for mapped in mapping.fields):
        yield _error(
            5, f"The column {column} is mapped twice.", hint="Keep one of the two.", about=mapping
        )
    for name in _doubled(mapped.ledger for mapped in mapping.fields):
        yield _error(
            5, f"The attribute {name} is mapped twice.", hint="Keep one of the two.", about=mapping
        )


def _directions(mapping: TableMapping) -> Iterator[Error]:
    for mapped in mapping.fields:
        if mapping.direction not in (Direction.BIDIRECTIONAL, mapped.direction):
            yield _error(
                6,
                f"{mapped.ledger} moves {mapped.direction}, the table only {mapping.direction}.",
                hint="Give the field the table's direction, or widen the table's.",
                about=mapping,
            )
        if mapped.ledger in mapping.computed and mapped.direction.writes_ledger:
            yield _error(
                6,
                f"{mapped.ledger} is computed and cannot be written.",
                hint=f"Give it the direction {Direction.TO_CRM}.",
                about=mapping,
            )


def _parents(mapping: TableMapping) -> Iterator[Error]:
    for mapped in mapping.fields:
        conversion = mapped.conversion
        if isinstance(conversion, Lookup) and conversion.parent not in mapping.needs:
            yield _error(
                7,
                f"{mapped.ledger} refers to {conversion.parent}, which it does not need.",
                hint=f"Add {conversion.parent} to needs, so that it runs first.",
                about=mapping,
            )


def _named_fields(mapping: TableMapping) -> Iterator[Error]:
    """Names elsewhere in the declaration: attributes of the model, or fields of the mapping."""
    mapped = {one.ledger for one in mapping.fields}
    of_model = [("number", mapping.number), ("title", mapping.title)]
    of_model += [("ledger_scope", condition.field) for condition in mapping.ledger_scope]
    of_mapping = [("match_on", name) for name in mapping.match_on]
    of_mapping += [("match_confirmed_by", name) for name in mapping.match_confirmed_by]
    of_mapping += [("unique_key", mapping.unique_key)] if mapping.unique_key else []
    for what, name in of_model:
        if _model_field(mapping, name) is None:
            yield _error(
                8,
                f"{what} names {name}, which {mapping.ledger.__name__} does not have.",
                hint="Name a field of the model.",
                about=mapping,
            )
    for what, name in of_mapping:
        if name not in mapped:
            yield _error(
                8,
                f"{what} names {name}, which is not mapped.",
                hint="Name a field of the mapping.",
                about=mapping,
            )


def _lengths(mapping: TableMapping) -> Iterator[Error]:
    for mapped in mapping.fields:
        field = _model_field(mapping, mapped.ledger)
        kept = getattr(field, "max_length", None)
        if isinstance(mapped.conversion, Text) and mapped.conversion.ledger_length != kept:
            yield _error(
                9,
                f"{mapped.ledger} is declared with {mapped.conversion.ledger_length} characters, "
                f"the model keeps {kept}.",
                hint="Declare the length of the model, or values would be cut or refused.",
                about=mapping,
            )


def _creation(mapping: TableMapping) -> Iterator[Error]:
    if mapping.creates_in_ledger and not mapping.number_series:
        yield _error(
            10,
            "It creates records in the ledger, and no number series gives them a number.",
            hint="Declare number_series.",
            about=mapping,
        )
    allowed = mapping.direction
    if (mapping.creates_in_ledger and not allowed.writes_ledger) or (
        mapping.creates_in_crm and not allowed.writes_crm
    ):
        yield _error(
            11,
            f"It creates records on a side that its direction {allowed} does not write.",
            hint="Widen the direction, or create nothing there.",
            about=mapping,
        )


def _pages(mapping: TableMapping) -> Iterator[Error]:
    """Lists and cards show what the model or the mapping has, each thing once."""
    known = {*mapping.computed, *(one.ledger for one in mapping.fields)}
    grouped = [name for group in mapping.groups for name in group.fields]
    for what, names in (("listed", mapping.listed), ("groups", grouped)):
        for name in names:
            if name not in known and _model_field(mapping, name) is None:
                yield _error(
                    12,
                    f"{what} names {name}, which is neither mapped nor a field of the model.",
                    hint="Name a field of the model or of the mapping.",
                    about=mapping,
                )
        for name in _doubled(names):
            yield _error(
                12, f"{what} names {name} twice.", hint="Keep one of the two.", about=mapping
            )
    for name in {mapping.number, mapping.title} & {*mapping.listed}:
        yield _error(
            12,
            f"listed names {name}, which every list shows.",
            hint="Name further columns only.",
            about=mapping,
        )
    if not str(mapping.caption).strip() or not str(mapping.crm_caption).strip():
        yield _error(
            13,
            "It has no caption, or none for a row there.",
            hint="Declare caption and crm_caption: people read them on every page.",
            about=mapping,
        )


_OF_ONE: tuple[Callable[[TableMapping], Iterator[Error]], ...] = (
    _ledger_attributes,
    _doubled_fields,
    _directions,
    _parents,
    _named_fields,
    _lengths,
    _creation,
    _pages,
)


def _model_field(mapping: TableMapping, name: str) -> "Field[Any, Any] | None":
    try:
        found = mapping.ledger._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return found if isinstance(found, Field) else None


def _doubled(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]
