"""Whether a record of the ledger takes part in synchronization, and why not."""

from django.utils.translation import gettext as _

from coupling.wording import shown_value
from crmsync.ledger.models import LedgerRecord
from crmsync.mapping.captions import caption_of
from crmsync.mapping.types import Condition, TableMapping


def out_of_scope(mapping: TableMapping, record: LedgerRecord) -> tuple[str, ...]:
    """A sentence for each condition of the table that the record does not meet."""
    return tuple(
        _says(mapping, one, getattr(record, one.field))
        for one in mapping.ledger_scope
        if getattr(record, one.field) != one.value
    )


def _says(mapping: TableMapping, condition: Condition, value: object) -> str:
    return _(
        "It is out of scope: %(field)s is “%(value)s”. Only records where %(field)s is "
        "“%(wanted)s” are synchronized."
    ) % {
        "field": caption_of(mapping, condition.field),
        "value": _named(mapping, condition.field, value),
        "wanted": _named(mapping, condition.field, condition.value),
    }


def _named(mapping: TableMapping, field: str, value: object) -> str:
    return shown_value(mapping, field, value).strip() or _("blank")
