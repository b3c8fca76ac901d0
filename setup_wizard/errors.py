"""Why a connection could not be set up; nothing is stored then.

SetupProblem               an input has to be corrected
├── TryAgain               nothing to correct: Sales or the network did not answer
├── CompanyNotReady        the company is missing, or its experience is Basic
├── ChecksFailed           something of the checks stands in the way; ``results`` say what
├── NotTheAnswersShown     the answers changed since they were shown
├── AlreadyFinishing       another request finishes, or has finished, the same setup
├── SomebodyElseFinishing  another person finishes a setup of their own
└── ConnectionChanged      another setup has ended since this one looked
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from setup_wizard.checks.subject import Result


class SetupProblem(Exception):
    """``field`` names the input to correct, ``remedy`` says what to do; both in the reader's words.

    ``detail`` is what Sales itself said, where it said something; ``service_code`` the code of
    the sign-in service (AADSTS...), where that refused. None of them holds a secret.
    """

    code: ClassVar[str] = "setup_problem"

    def __init__(
        self, sentence: str, *, field: str, remedy: str, detail: str = "", service_code: str = ""
    ) -> None:
        super().__init__(sentence)
        self.field = field
        self.remedy = remedy
        self.detail = detail
        self.service_code = service_code

    @property
    def in_full(self) -> str:
        """What is wrong, what to do, and what Sales said."""
        return " ".join(filter(None, (str(self), self.remedy, self.detail)))


class TryAgain(SetupProblem):
    code = "try_again"


class CompanyNotReady(SetupProblem):
    code = "company_not_ready"


class ChecksFailed(SetupProblem):
    code = "checks_failed"

    def __init__(self, results: "Sequence[Result]") -> None:
        super().__init__(
            _("Something stands in the way of the connection."),
            field="",
            remedy=_("Do what is said beside each of the failed checks, then check again."),
        )
        self.results = tuple(results)


class NotTheAnswersShown(SetupProblem):
    code = "not_the_answers_shown"


class AlreadyFinishing(SetupProblem):
    code = "already_finishing"


class SomebodyElseFinishing(SetupProblem):
    code = "somebody_else_finishing"


class ConnectionChanged(SetupProblem):
    code = "connection_changed"


def not_kept() -> TryAgain:
    """Our own database failed; nothing of what was tried is stored."""
    return TryAgain(
        _("The database of this installation did not keep this."),
        field="",
        remedy=_(
            "It is tried again. If it stays so, ask whoever runs this installation to look at "
            "the log."
        ),
    )
