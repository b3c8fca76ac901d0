"""What is forgotten when the connection leads elsewhere."""

from crmsync.sync.models import CrmRecord, CrmTable


def forget_sales(*, rows: bool) -> None:
    """Forget how far Sales was read, because it stands at another address.

    With ``rows`` also what was read there, because it is another organization.
    """
    # The count of full reads goes on: a row that was seen in an earlier one, and never since, is
    # told from those of the next by it.
    CrmTable.objects.update(
        is_tracked=None,
        takes_create_multiple=None,
        columns="",
        delta_link="",
        modified_until="",
        refreshed_at=None,
        full_read_because="",
    )
    if rows:
        CrmRecord.objects.all().delete()
