"""OData text: literals, keys and filters, built in this one place.

Sources: OASIS OData 4.0 URL conventions; Microsoft docs "filter rows", "page results".
"""

from collections.abc import Iterable, Mapping
from urllib.parse import quote
from uuid import UUID


def literal(text: str) -> str:
    """A string literal, not yet percent-encoded: quotes are doubled."""
    return "'" + text.replace("'", "''") + "'"


def row_path(entity_set: str, row_id: UUID) -> str:
    return f"{entity_set}({row_id})"


def query(entity_set: str, options: Mapping[str, str]) -> str:
    """A relative URL with system query options; the values are percent-encoded here."""
    encoded = "&".join(f"{name}={quote(value, safe='')}" for name, value in options.items())
    return f"{entity_set}?{encoded}" if encoded else entity_set


def either(column: str, values: Iterable[str]) -> str:
    """A filter that is true where the column equals one of the values, written as OData has them.

    For a handful of values, one at least, and for lookups; ``any_of`` takes hundreds of ids.
    """
    return "(" + " or ".join(f"{column} eq {value}" for value in values) + ")"


def any_of(column: str, ids: Iterable[UUID]) -> str:
    """A filter that is true for rows whose GUID column holds one of the ids."""
    values = ",".join(f'"{row_id}"' for row_id in ids)
    return f"Microsoft.Dynamics.CRM.In(PropertyName='{column}',PropertyValues=[{values}])"
