"""The database's clock: the only one that leases, gates and waits are measured with."""

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now


def db_in(seconds: float) -> "ExpressionWrapper[CombinedExpression]":
    """The database's time so many seconds from now, computed there."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())
