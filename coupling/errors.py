"""What may go wrong between a person and a coupling, in sentences for that person."""

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


class MatchingProblem(Exception):
    """``str()`` says what is the matter, ``remedy`` what to do."""

    code = "matching_problem"
    remedy: str | Promise = ""


class AlreadyMatching(MatchingProblem):
    """The table is being matched: there is never a second run; ``matching_id`` is the first."""

    code = "already_matching"
    remedy = gettext_lazy("Wait until it is over; it goes on by itself.")

    def __init__(self, matching_id: int) -> None:
        super().__init__(_("Match-Based Coupling of this table is under way."))
        self.matching_id = matching_id


class MatchingStopped(MatchingProblem):
    code = "matching_stopped"

    def __init__(self, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.remedy = remedy


class KeepsFailing(MatchingProblem):
    code = "keeps_failing"
    remedy = gettext_lazy("Ask the administrator to look at the worker's log.")

    def __init__(self) -> None:
        super().__init__(_("Match-Based Coupling failed again and again at the same place."))


class NothingToMatchOn(MatchingProblem):
    code = "nothing_to_match_on"
    remedy = gettext_lazy("Choose at least one field to match on, or use Reset Criteria.")

    def __init__(self) -> None:
        super().__init__(_("No field is chosen to match on."))


class FieldNotMatchable(MatchingProblem):
    """A field was named that the table does not have, or that holds no text."""

    code = "field_not_matchable"
    remedy = gettext_lazy("Choose among the fields that the page lists.")

    def __init__(self, names: Sequence[str]) -> None:
        listed = ", ".join(sorted(names))
        super().__init__(_("Records cannot be matched on %(fields)s.") % {"fields": listed})


class PriorityOutOfRange(MatchingProblem):
    code = "priority_out_of_range"
    remedy = gettext_lazy("Give a whole number from 0 to 99, or leave the priority blank.")

    def __init__(self, field: str) -> None:
        super().__init__(_("The match priority of %(field)s is out of range.") % {"field": field})


class NewSuggestions(MatchingProblem):
    """A run replaced the suggestions that the page held: its ticks were seen by nobody."""

    code = "new_suggestions"
    remedy = gettext_lazy("Look at them, then couple.")

    def __init__(self) -> None:
        super().__init__(_("New suggestions came meanwhile, so nothing was coupled."))


class OthersTicked(MatchingProblem):
    """More or fewer pairs are ticked than the page told."""

    code = "others_ticked"
    remedy = gettext_lazy("Look at the numbers that the page shows now, then couple.")

    def __init__(self) -> None:
        super().__init__(_("Ticks on other pages changed meanwhile, so nothing was coupled."))


class NoSuggestion(MatchingProblem):
    code = "no_suggestion"
    remedy = gettext_lazy("Use Match-Based Coupling again to see what is suggested now.")

    def __init__(self) -> None:
        super().__init__(
            _("These two are not suggested to each other any more; something changed meanwhile.")
        )
