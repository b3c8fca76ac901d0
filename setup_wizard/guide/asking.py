"""Questions to Sales during the setup: a refusal names the input that it concerns."""

from collections.abc import Callable
from typing import TypeVar

from crmsync.connections.wording import Wording, of_error
from crmsync.dataverse.errors import (
    DataverseError,
    NotAMember,
    SignInFailed,
    SignInNotOurs,
    TransientError,
)
from setup_wizard import wording
from setup_wizard.errors import SetupProblem, TryAgain

Found = TypeVar("Found")


def asked(
    field_name: str, question: Callable[[], Found], *, through_registration: bool = False
) -> Found:
    """Ask Sales or its sign-in service. Raises SetupProblem, and SignInNotOurs as it comes.

    ``through_registration``: somebody signs in through the app registration of the environment's
    step; what the service says of the registration is to be corrected there.
    """
    try:
        return question()
    except TransientError as error:
        raise problem(of_error(error), "url", kind=TryAgain) from error
    except SignInNotOurs:
        raise
    except SignInFailed as error:
        code = error.trace.service_code
        place = _place(code, field_name, through_registration=through_registration)
        raise problem(of_error(error), place, service_code=code) from error
    except DataverseError as error:
        raise problem(of_error(error), field_name) from error


def asked_as(field_name: str, question: Callable[[], Found]) -> Found:
    """As one of the acts: a refused sign-in concerns the input, every other refusal the act.

    Raises SetupProblem, and TryAgain where waiting helps.
    """
    try:
        return question()
    except TransientError as error:
        raise problem(of_error(error), "", kind=TryAgain) from error
    except (SignInFailed, NotAMember) as error:
        raise problem(of_error(error), field_name, service_code=error.trace.service_code) from error
    except DataverseError as error:
        raise problem(of_error(error), "") from error


def _place(code: str, field_name: str, *, through_registration: bool) -> str:
    """The input that a refused sign-in concerns; the environment names the tenant."""
    if code == wording.TENANT_UNKNOWN:
        return "url"
    is_of_it = through_registration and code in wording.OF_THE_APPLICATION
    return "application-id" if is_of_it else field_name


def problem(
    said: Wording,
    field_name: str,
    *,
    kind: type[SetupProblem] = SetupProblem,
    service_code: str = "",
) -> SetupProblem:
    return kind(
        said.sentence,
        field=field_name,
        remedy=said.remedy,
        detail=said.detail,
        service_code=service_code,
    )
