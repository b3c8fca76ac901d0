"""The connection is disabled, by a person or by the product itself, and all work stops with it."""

import logging

from crmsync.audit.actors import Actor
from crmsync.connections import services as connections
from crmsync.connections.errors import ConnectionProblem, Disabled, SecretUnreadable
from crmsync.connections.models import Connection
from crmsync.dataverse.errors import (
    CertificateUnreadable,
    DataverseError,
    NotAMember,
    NotTrusted,
    SignInFailed,
    WrongOrganization,
)
from crmsync.sync import phases
from crmsync.sync.models import SERVICE_CODE_LENGTH, Job
from crmsync.terms import ACTIVE_STATES, JobState

logger = logging.getLogger(__name__)

# What concerns everything that goes over the connection, not one table or record.
OF_THE_CONNECTION = (
    SignInFailed,
    NotAMember,
    NotTrusted,
    WrongOrganization,
    CertificateUnreadable,
    SecretUnreadable,
)


def disable(*, by: Actor, because: str) -> bool:
    """A person disables the connection; jobs stop before their next request.

    What their last request wrote stays written. True when it was enabled.
    """
    disabled = connections.disable(by=by, because=because)
    if disabled:
        stop_all(Disabled(because))
    return disabled


def disable_if_refused(*, worked_with: Connection, by: Actor) -> bool:
    """Disable the connection that a refusal concerned, if it is refused once more.

    A single 401, even after a fresh token, may come from a gateway or from a change that has not
    reached every server of the service; and a refusal may concern one address alone. So somebody
    signs in anew and asks who we are: only a refusal of that stops everything. It is asked once,
    since repeated wrong sign-ins may lock an account. Whoever does not answer has refused nothing.
    """
    try:
        connections.prove(connection=worked_with)
    except OF_THE_CONNECTION as refusal:
        return _disable_by_itself(refusal, worked_with, by)
    except Disabled:
        logger.info("Somebody else has found out about the connection meanwhile.")
    except DataverseError as error:
        logger.warning("It is not certain that the connection is refused: %s", error)
    return False


def _disable_by_itself(
    refusal: DataverseError | ConnectionProblem, worked_with: Connection, by: Actor
) -> bool:
    disabled = connections.disable(
        by=by,
        cause=refusal.code,
        service_code=service_code_of(refusal),
        worked_with=worked_with,
    )
    if disabled:
        logger.error("The connection is disabled: %s", refusal)
        stop_all(refusal)
    return disabled


def stop_all(error: DataverseError | ConnectionProblem) -> int:
    """Stop every job that is under way, each for the same reason; returns how many were.

    Their workers are fenced off before the next request. A job that is asked for meanwhile finds
    the connection disabled.
    """
    active = Job.objects.filter(state__in=ACTIVE_STATES).values_list("pk", flat=True)
    return sum(stop(job_id, error) for job_id in list(active))


def stop(job_id: int, error: DataverseError | ConnectionProblem) -> bool:
    """Stop one job: for what the product met where the connection was disabled by itself."""
    code = error.cause if isinstance(error, Disabled) and error.cause else error.code
    return phases.end(
        job_id,
        JobState.STOPPED,
        error_code=code,
        error_service_code=service_code_of(error)[:SERVICE_CODE_LENGTH],
        error_sentence=str(error),
        error_remedy=str(error.remedy),
    )


def service_code_of(error: DataverseError | ConnectionProblem) -> str:
    if isinstance(error, DataverseError):
        return error.trace.service_code
    # What Sales said of a sign-in is told by its code; of others it was not kept.
    is_sign_in = isinstance(error, Disabled) and error.cause == SignInFailed.code
    return error.service_code if is_sign_in and isinstance(error, Disabled) else ""
