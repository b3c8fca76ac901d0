"""Conditions by which a database finds rows that may hold a text; Python looks at them again.

No database folds as we do. What is certain: a text of ASCII letters alone folds to its own letters,
so that it holds every word of its fold. Any other text may fold to anything (*ß* is *ss*, a letter
of full width is a plain one), so rows with other letters are let through.
"""

import re
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import F, Func, IntegerField, Q, TextField
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Length
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual

# Every word costs another look at each row; the longest ones tell most.
MOST_WORDS = 3
_PLAIN_WORD = re.compile(r"[A-Za-z0-9]+")


class _Octets(Func):
    """The length of a text in UTF-8."""

    arity = 1
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="OCTET_LENGTH", **context)


def raw_values() -> Cast:
    """The values of a CRM record as one text: cheap to look through, column by column is not."""
    return Cast("values", TextField())


def holding_words(place: str, text: str) -> Q:
    """``place`` holds the plain words of the text, in whatever letter case."""
    words = sorted(set(_PLAIN_WORD.findall(text)), key=lambda word: (-len(word), word))
    holding = (Q(**{f"{place}__icontains": word}) for word in words[:MOST_WORDS])
    return reduce(and_, holding, ~Q(pk=None))


def titles_folding_to(folded: str, *, longest: int) -> Q:
    """A title that may fold to this; one of the greatest length may have been cut."""
    other = _with_other_letters("title") | Q(GreaterThanOrEqual(Length("title"), longest))
    return holding_words("title", folded) | other if folded.isascii() else other


def values_folding_to(column: str, folded: str) -> Q:
    """A value that may fold to this, or be it; needs ``raw`` as an alias of ``raw_values``."""
    # Letters that are not ASCII are escaped in SQLite's text, and stand as they are in others'.
    foreign = Q(raw__contains="\\u") | _with_other_letters("raw")
    other = foreign & _with_other_letters(KeyTextTransform(column, "values"))
    return holding_words("raw", folded) | other if folded.isascii() else other


def _with_other_letters(text: str | Combinable) -> Q:
    expression = F(text) if isinstance(text, str) else text
    return Q(GreaterThan(_Octets(expression), Length(expression)))
