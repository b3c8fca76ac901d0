"""JSON objects without some of their keys, in SQL: a whole table's worth in one statement."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Func, JSONField, TextField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast


class _WithoutKey(Func):
    """``key`` is a name of ours: letters, digits and underscores."""

    function = "JSON_REMOVE"
    output_field = JSONField()

    def __init__(self, expression: Combinable, key: str) -> None:
        super().__init__(expression, Value(f'$."{key}"'))
        self.key = key

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        copy = self.copy()
        subject = copy.get_source_expressions()[0]
        copy.set_source_expressions([subject, Cast(Value(self.key), TextField())])
        return copy.as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" - ")


def without_keys(column: str, keys: Iterable[str]) -> Combinable:
    """The column's object without these keys; one that is not there does no harm."""
    made: Combinable = F(column)
    for key in keys:
        made = _WithoutKey(made, key)
    return made
