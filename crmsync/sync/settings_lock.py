"""Jobs begin, and settings of mappings change, one after the other."""

from django.db import connection

from crmsync.connections.models import Connection

# Any number, the same for every process; of no other use in this database.
_LOCK = 0x63726D73796E63


def hold_settings() -> None:
    """Until the transaction ends nobody else begins a job or changes a setting of a mapping.

    So no job begins by settings that are being replaced, or over a connection that is. Only inside
    a transaction; on SQLite the transaction alone does it. A connection's row may not exist yet,
    so on PostgreSQL it is held beside a lock that needs none.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    list(Connection.objects.select_for_update().values_list("pk", flat=True))
