"""Messages that wake a worker up. A lost, late or doubled one does no harm: the rows decide."""

import logging
from collections.abc import Sequence

from kombu.exceptions import OperationalError

from crmsync.celery import app

logger = logging.getLogger(__name__)

# A nudge that nobody heard in this time is stale: the sweep has sent another one.
EXPIRES_SECONDS = 10


def nudge_parts(part_ids: Sequence[int]) -> None:
    for part_id in part_ids:
        if not _send("crmsync.sync.tasks.run_part", part_id=part_id):
            return


def nudge_full_synchronizations() -> None:
    _send("fullsync.tasks.advance")


def nudge_matching(matching_id: int) -> None:
    _send("coupling.tasks.run_matching", matching_id=matching_id)


def _send(task: str, **arguments: int) -> bool:
    """Publish a nudge; False when the broker is away, which only makes things slower."""
    try:
        app.send_task(task, kwargs=arguments, expires=EXPIRES_SECONDS, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("The broker is away (%s); the sweep will find the work.", error)
        return False
    return True
