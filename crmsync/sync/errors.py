"""The registry of causes: for each code its title, what to do about it and who can do it.

Titles, remedies and sentences are in the reader's language, whoever stored the obstacle.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crmsync.connections.wording import as_said
from crmsync.mapping.captions import caption_of
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping

Details = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """What people read about a code, in the language that was active when it was asked for."""

    title: str
    remedy: str
    who: str


@dataclass(frozen=True, slots=True)
class _Registered:
    title: Promise
    remedy: Promise
    who: Promise


_ACCOUNTANT = gettext_lazy("accountant")
_ADMINISTRATOR = gettext_lazy("administrator")
_SALES = gettext_lazy("administrator of Sales")


def _accountant(title: Promise, remedy: Promise) -> _Registered:
    return _Registered(title, remedy, _ACCOUNTANT)


_CAUSES: dict[str, _Registered] = {
    "likely_twin": _accountant(
        gettext_lazy("Looks like a record on the other side"),
        gettext_lazy(
            "Choose Set Up Coupling if the two are the same. Say that they are not the same "
            "otherwise: then the missing one is created."
        ),
    ),
    "conflict": _accountant(
        gettext_lazy("Changed on both sides"),
        gettext_lazy("Say which side is right, or make the two values equal on either side."),
    ),
    "first_values_differ": _accountant(
        gettext_lazy("The two records differ"),
        gettext_lazy(
            "Nobody said yet which side is right: say so, or make the values equal on either side."
        ),
    ),
    "deleted_in_sales": _accountant(
        gettext_lazy("Deleted in Sales"),
        gettext_lazy(
            "Restore the row in Sales. Or choose Delete Coupling: then the record stands alone and "
            "is created in Sales anew where the table allows it, unless it is left out."
        ),
    ),
    "deleted_in_ledger": _accountant(
        gettext_lazy("Deleted in Financials"),
        gettext_lazy(
            "Delete the row in Sales, too. Or choose Delete Coupling: then the row stands alone "
            "and is created in Financials anew where the table allows it, unless it is left out."
        ),
    ),
    "merged_in_sales": _accountant(
        gettext_lazy("Merged in Sales"),
        gettext_lazy(
            "Two records in Financials stand for one row in Sales now. Choose Delete Coupling for "
            "this one, or merge the records in Financials, too."
        ),
    ),
    "out_of_scope_in_sales": _accountant(
        gettext_lazy("Inactive or of another type in Sales"),
        gettext_lazy("Activate the row in Sales, or choose Delete Coupling."),
    ),
    "parent_not_coupled": _accountant(
        gettext_lazy("Waits for another record"),
        gettext_lazy(
            "Mend or couple the record that this one refers to; this one follows by itself."
        ),
    ),
    "required_value_missing": _accountant(
        gettext_lazy("A value is missing"), gettext_lazy("Fill in the field.")
    ),
    "value_too_long": _accountant(
        gettext_lazy("A value is too long"), gettext_lazy("Shorten the value.")
    ),
    "not_a_number": _accountant(
        gettext_lazy("Not a number"), gettext_lazy("Correct the value in Sales.")
    ),
    "exchange_rate_missing": _accountant(
        gettext_lazy("No exchange rate"), gettext_lazy("Enter an exchange rate for the currency.")
    ),
    "kills_worker": _Registered(
        gettext_lazy("Stops the worker"),
        gettext_lazy("Look at the worker's log, mend the cause, then retry the record."),
        _ADMINISTRATOR,
    ),
    "always_breaks": _Registered(
        gettext_lazy("Sales fails on this record"),
        gettext_lazy(
            "Report it to Microsoft's support with the correlation id from the worker's log, then "
            "retry the record."
        ),
        _SALES,
    ),
    "duplicate_row": _accountant(
        gettext_lazy("Stands in Sales already"),
        gettext_lazy("Choose Set Up Coupling with the row that has this key, or change the key."),
    ),
    "access_to_row_denied": _Registered(
        gettext_lazy("No access to the row in Sales"),
        gettext_lazy("Share the row in Sales with the integration user, then retry the record."),
        _SALES,
    ),
    "owner_refused": _Registered(
        gettext_lazy("The owner is refused by Sales"),
        gettext_lazy(
            "Enable the user there who shall own the row, or give the user or team a role that "
            "may read the table. Then retry the record."
        ),
        _SALES,
    ),
    "row_missing": _accountant(
        gettext_lazy("A row in Sales is gone"),
        gettext_lazy("Restore the row that this one refers to, or refer to another one."),
    ),
    "version_conflict": _accountant(
        gettext_lazy("Changed in Sales at the same moment"),
        gettext_lazy("Nothing: it is compared again by itself."),
    ),
    "rejected": _accountant(
        gettext_lazy("Refused by Sales"),
        gettext_lazy("Correct what Sales names, then retry the record."),
    ),
    "record_refused": _accountant(
        gettext_lazy("Refused by Sales"),
        gettext_lazy("Correct what Sales names, then retry the record."),
    ),
}

_UNKNOWN = _accountant(
    gettext_lazy("Could not be synchronized"),
    gettext_lazy("Read the details, mend the cause, then retry the record."),
)


def cause(code: str) -> Cause:
    """What to say about a code; one that is not registered gets words that fit every cause."""
    found = _CAUSES.get(code, _UNKNOWN)
    return Cause(str(found.title), str(found.remedy), str(found.who))


def codes() -> frozenset[str]:
    """Every code that has words of its own."""
    return frozenset(_CAUSES)


def explain(*, mapping: str, code: str, details: Details, sentence: str) -> str:
    """What happened, in the reader's language; what Sales said stays as Sales said it.

    ``details`` and ``sentence`` are those of the obstacle. Raises LookupError for the mapping.
    """
    declared = get_mapping(mapping)
    say = _SENTENCES.get(code)
    try:
        return say(declared, details) if say else as_said(sentence)
    except KeyError:
        # Kept by an earlier version, which knew less of it.
        return sentence


# The sentences of our own codes. Each may rely on the details; a missing one raises KeyError.


def _likely_twin(mapping: TableMapping, details: Details) -> str:
    named = {"name": details["name"], "field": caption_of(mapping, details["field"])}
    if "crm_id" in details:
        return _("%(name)s in Sales is not coupled and has the same %(field)s.") % named
    return _("%(name)s in Financials is not coupled and has the same %(field)s.") % named


def _differ(mapping: TableMapping, details: Details) -> str:
    captions = ", ".join(caption_of(mapping, name) for name in details["fields"])
    return _("Both sides hold different values of %(fields)s.") % {"fields": captions}


def _parent_not_coupled(mapping: TableMapping, details: Details) -> str:
    named = {
        "field": caption_of(mapping, details["field"]),
        "table": str(get_mapping(details["parent"]).caption),
    }
    return _("%(field)s: the record in %(table)s that it refers to is not coupled yet.") % named


def _value_missing(mapping: TableMapping, details: Details) -> str:
    return _("%(field)s is empty.") % {"field": caption_of(mapping, details["field"])}


def _value_too_long(mapping: TableMapping, details: Details) -> str:
    named = {
        "field": caption_of(mapping, details["field"]),
        "size": details["size"],
        "most": details["most"],
        "product": details["in_product"],
    }
    return _("%(field)s has %(size)d characters; %(product)s takes at most %(most)d.") % named


def _not_a_number(mapping: TableMapping, details: Details) -> str:
    named = {"field": caption_of(mapping, details["field"]), "value": details["value"]}
    return _("%(field)s: “%(value)s” is not a number.") % named


def _always(sentence: Promise) -> Callable[[TableMapping, Details], str]:
    return lambda mapping, details: str(sentence)


_SENTENCES: dict[str, Callable[[TableMapping, Details], str]] = {
    "likely_twin": _likely_twin,
    "conflict": _differ,
    "first_values_differ": _differ,
    "parent_not_coupled": _parent_not_coupled,
    "required_value_missing": _value_missing,
    "value_too_long": _value_too_long,
    "not_a_number": _not_a_number,
    "exchange_rate_missing": _always(gettext_lazy("The currency has no exchange rate.")),
    "deleted_in_sales": _always(gettext_lazy("The row was deleted in Sales.")),
    "deleted_in_ledger": _always(gettext_lazy("The record was deleted in Financials.")),
    "merged_in_sales": _always(
        gettext_lazy("The row was merged into one that is coupled with another record.")
    ),
    "out_of_scope_in_sales": _always(
        gettext_lazy("The row in Sales is inactive or of another type.")
    ),
    "kills_worker": _always(gettext_lazy("The worker died three times while it held this record.")),
    "always_breaks": _always(
        gettext_lazy("Sales fails on this record, although it answers otherwise.")
    ),
}
