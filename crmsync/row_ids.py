"""Ids of rows in addresses: what no row can have is no address, before a database is asked."""

from django.urls import register_converter
from django.urls.converters import IntConverter


class RowId(IntConverter):
    """As many digits as every database keeps in eight bytes."""

    regex = "[0-9]{1,18}"


def install() -> None:
    """Known to every URL configuration as ``<row:...>``."""
    register_converter(RowId, "row")
