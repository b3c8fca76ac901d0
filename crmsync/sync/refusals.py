"""What a person asked for that cannot be done; ``str()`` says why, ``remedy`` what helps.

Refused
├── UnableToCouple          the record in the way is named where it can be
│   ├── RecordGone
│   ├── RowNotRead          it may be there all the same
│   ├── RecordLeftOut
│   └── RowOutOfScope       no synchronization would ever walk the pair
├── RecordOutOfScope
├── UnableToUncouple
├── UnableToSettle
│   └── NotTheValuesShown
├── UnableToCompare
├── ReasonMissing
└── WrongSelection          nothing chosen, or too many records
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refused(Exception):
    code: ClassVar[str] = "refused"
    remedy: ClassVar[str | Promise] = ""


class UnableToCouple(Refused):
    code = "unable_to_couple"
    remedy = _("Delete the other coupling first, or choose another record.")


class RecordGone(UnableToCouple):
    code = "record_gone"
    remedy = _("Choose another record.")


class RowNotRead(UnableToCouple):
    code = "row_not_read"
    remedy = _("Read Sales again, then choose the records anew.")


class RecordLeftOut(UnableToCouple):
    code = "record_left_out"
    remedy = _("Take it back in first, or choose another record.")


class RowOutOfScope(UnableToCouple):
    code = "row_out_of_scope"
    remedy = _("Mend the row in Sales and read Sales again, or choose another row.")


class RecordOutOfScope(Refused):
    code = "record_out_of_scope"
    remedy = _("Change the record first if it should be synchronized.")


class UnableToUncouple(Refused):
    code = "unable_to_uncouple"
    remedy = _("Try again when the synchronization of the table is over.")


class UnableToSettle(Refused):
    code = "unable_to_settle"
    remedy = _("Look at the record again: what stood in its way may be settled or be another.")


class NotTheValuesShown(UnableToSettle):
    code = "not_the_values_shown"
    remedy = _("Look at the values that differ now, then answer again.")


class UnableToCompare(Refused):
    code = "unable_to_compare"
    remedy = _("Read Sales again, then choose the records anew.")


class ReasonMissing(Refused):
    code = "reason_missing"
    remedy = _("Say in a few words why, so that others understand it later.")


class WrongSelection(Refused):
    code = "wrong_selection"
    remedy = _("Choose fewer records, or synchronize the whole table.")
