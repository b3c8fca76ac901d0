"""Why a connection could not be set up; nothing is stored then."""

from typing import ClassVar


class SetupProblem(Exception):
    """``field`` names the input to correct, ``remedy`` says what to do."""

    code: ClassVar[str] = "setup_problem"

    def __init__(self, sentence: str, *, field: str, remedy: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.remedy = remedy
