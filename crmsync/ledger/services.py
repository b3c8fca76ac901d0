"""Effects on the books that are more than one row's edit."""

from django.db.models import F

from crmsync.ledger.models import LedgerRecord, NumberSeries


def take_numbers(*, series: str, model: type[LedgerRecord], field: str, count: int) -> list[str]:
    """The next unused numbers of a series, in order. Only inside a transaction.

    A number that somebody typed by hand is passed over. A series that does not exist yet begins
    at 1.
    """
    NumberSeries.objects.get_or_create(code=series)
    taken: list[str] = []
    while len(taken) < count:
        wanted = count - len(taken)
        NumberSeries.objects.filter(code=series).update(next_number=F("next_number") + wanted)
        row = NumberSeries.objects.get(code=series)
        block = [
            f"{row.prefix}{number:0{row.width}d}"
            for number in range(row.next_number - wanted, row.next_number)
        ]
        used = set(
            model._default_manager.filter(**{f"{field}__in": block}).values_list(field, flat=True)
        )
        taken += [number for number in block if number not in used]
    return taken
