"""Jobs begin, and settings of mappings change, one after the other."""

from crmsync.connections.models import Connection


def hold_settings() -> None:
    """Until the transaction ends nobody else begins a job or changes a setting of a mapping.

    So no job begins by settings that are being replaced. Only inside a transaction; on SQLite the
    transaction alone does it. Without a connection no job can do anything.
    """
    list(Connection.objects.select_for_update().values_list("pk", flat=True))
