"""What people call a field: the caption of the model's field, or the one that is declared."""

from crmsync.mapping.types import TableMapping


def caption_of(mapping: TableMapping, field: str) -> str:
    """The caption of a mapped field in the reader's language; ``currency_id`` is Currency Code.

    Raises FieldDoesNotExist for a name that is neither mapped with a caption nor of the model.
    """
    for mapped in mapping.fields:
        if mapped.ledger == field and mapped.caption:
            return str(mapped.caption)
    return str(mapping.ledger._meta.get_field(field).verbose_name)  # type: ignore[union-attr]
