"""Edit a record beside a running synchronization: nobody's values are overwritten unseen."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupling.queries.lists import forget_counts
from crmsync.mapping.registry import get_mapping


class CardProblem(Exception):
    """``str()`` says what is the matter, ``remedy`` what to do."""

    code = "card_problem"
    remedy: str | Promise = ""


class ChangedMeanwhile(CardProblem):
    """The record is not the one that was looked at: nothing was written."""

    code = "changed_meanwhile"
    remedy = gettext_lazy("Look at both values and decide which one stays.")

    def __init__(self) -> None:
        super().__init__(_("Somebody changed this record while you were editing it."))


class NumberTaken(CardProblem):
    code = "number_taken"
    remedy = gettext_lazy("Give another number.")

    def __init__(self) -> None:
        super().__init__(_("Another record has this number."))


def save_card(*, mapping: str, record_id: UUID, stamp: int, values: Mapping[str, Any]) -> None:
    """Write these attributes, and no others, if the record still has this stamp.

    Raises ChangedMeanwhile, NumberTaken.
    """
    records = get_mapping(mapping).ledger._default_manager.filter(pk=record_id, stamp=stamp)
    try:
        with transaction.atomic():
            written = records.update(**values)
    except IntegrityError as error:
        raise NumberTaken from error
    if not written:
        raise ChangedMeanwhile
    forget_counts(mapping)
