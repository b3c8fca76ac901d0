"""What can go wrong with item availability and its keys."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class AvailabilityProblem(Exception):
    """``str()`` says what is wrong, ``remedy`` what to do."""

    code: ClassVar[str] = "availability_problem"
    remedy: ClassVar[str | Promise] = _("Load the page again, then repeat what you did.")


class NoSuchHolder(AvailabilityProblem):
    code = "no_such_holder"
    remedy = _("Look for the name in the list of people.")
