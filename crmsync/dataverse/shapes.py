"""Answers that are JSON, but not what was asked for: a gateway's, or of another version."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from crmsync.dataverse.errors import UnreadableAnswer

Asked = ParamSpec("Asked")
Read = TypeVar("Read")
_OTHER_SHAPE = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError)


def reads_an_answer(read: Callable[Asked, Read]) -> Callable[Asked, Read]:
    """For small functions that take an answer apart, and do nothing else: what is not there, or of
    another kind, makes the answer unreadable. Raises UnreadableAnswer."""

    @wraps(read)
    def reading(*args: Asked.args, **kwargs: Asked.kwargs) -> Read:
        try:
            return read(*args, **kwargs)
        except _OTHER_SHAPE as error:
            raise UnreadableAnswer("Sales answered something else than was asked.") from error

    return reading
