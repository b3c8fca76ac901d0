"""The registry of causes: for each code, what to do about it and who can do it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    remedy: str
    who: str


_ACCOUNTANT = "accountant"
_ADMINISTRATOR = "administrator"
_SALES = "administrator of Sales"

CAUSES: dict[str, Cause] = {
    "likely_twin": Cause(
        "A record that may be the same one stands on the other side. Couple the two with "
        "'manage.py couple accept', or change what makes them look alike.",
        _ACCOUNTANT,
    ),
    "conflict": Cause(
        "The same field was changed on both sides. Make the two values equal on either side.",
        _ACCOUNTANT,
    ),
    "first_values_differ": Cause(
        "The two records differ and nobody said which one is right. Couple them again and say who "
        "wins, or make the values equal.",
        _ACCOUNTANT,
    ),
    "deleted_in_sales": Cause(
        "The row was deleted in Sales. Remove the coupling with 'manage.py couple remove', or "
        "restore the row there.",
        _ACCOUNTANT,
    ),
    "deleted_in_ledger": Cause(
        "The record was deleted in Financials. Remove the coupling with 'manage.py couple remove "
        "--row', or delete the row in Sales.",
        _ACCOUNTANT,
    ),
    "merged_in_sales": Cause(
        "Two records here stand for one row in Sales now. Remove this coupling with 'manage.py "
        "couple remove', or merge the records here, too.",
        _ACCOUNTANT,
    ),
    "out_of_scope_in_sales": Cause(
        "The row in Sales is inactive or of another type. Activate it there, or remove the "
        "coupling.",
        _ACCOUNTANT,
    ),
    "parent_not_coupled": Cause(
        "A record that this one needs is not coupled yet. Mend or couple that one; this one "
        "follows by itself.",
        _ACCOUNTANT,
    ),
    "required_value_missing": Cause("Fill in the field.", _ACCOUNTANT),
    "value_too_long": Cause("Shorten the value.", _ACCOUNTANT),
    "not_a_number": Cause("Correct the value.", _ACCOUNTANT),
    "exchange_rate_missing": Cause("Enter an exchange rate for the currency.", _ACCOUNTANT),
    "kills_worker": Cause(
        "The worker died three times while it held this record. Look at the worker's log, then "
        "retry the record.",
        _ADMINISTRATOR,
    ),
    "always_breaks": Cause(
        "Sales fails on this record every time, although it answers otherwise. Ask for the "
        "correlation id in the log, then retry.",
        _SALES,
    ),
    "duplicate_row": Cause(
        "Sales holds a row with this key already. Couple the record with that row.", _ACCOUNTANT
    ),
    "access_to_row_denied": Cause("Share the row in Sales with the integration user.", _SALES),
    "row_missing": Cause("A row that this one refers to is gone in Sales.", _ACCOUNTANT),
    "version_conflict": Cause("It is compared again by itself.", _ACCOUNTANT),
    "rejected": Cause("Correct what Sales names, then retry the record.", _ACCOUNTANT),
    "record_refused": Cause("Correct what Sales names, then retry the record.", _ACCOUNTANT),
}


def cause(code: str) -> Cause:
    return CAUSES.get(code) or Cause("Read the details, mend the cause, then retry.", _ACCOUNTANT)
