"""What is forgotten when the connection leads elsewhere."""

from crmsync.sync.models import CrmRecord, CrmTable


def forget_sales(*, rows: bool) -> None:
    """Forget how far Sales was read, because it stands at another address.

    With ``rows`` also what was read there, because it is another organization.
    """
    CrmTable.objects.all().delete()
    if rows:
        CrmRecord.objects.all().delete()
