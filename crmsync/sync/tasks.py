"""Doors for messages: an id in, one service call, nothing else."""

import logging
import os
import socket
import threading
import time

from celery.signals import worker_ready
from django.conf import settings
from django.db import DatabaseError, connection

from crmsync.celery import app
from crmsync.connections import services as connections
from crmsync.supervisor import step_back
from crmsync.sync import jobs, leases, working

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# Nobody waits for the work in front of a screen. A little only: SQLite has one lock for writing,
# and whoever holds it must get to its end. At 10, half a second of work held it for half a minute
# where other programs wanted the processors. On a machine of its own it makes no difference.
NICENESS = 3


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@app.task(name="crmsync.sync.tasks.run_part")
def run_part(*, part_id: int, **_: object) -> None:
    working.run_slice(part_id=part_id, worker=worker_name())


@app.task(name="crmsync.sync.tasks.sweep")
def sweep(**_: object) -> None:
    jobs.sweep()


@worker_ready.connect
def sweep_at_start(**_: object) -> None:
    """A worker that comes up looks at once for what the last one left behind.

    It steps back for the web only now: everybody waits for a worker that is not up yet.
    """
    threading.Thread(target=_beat_for_ever, name="heartbeat", daemon=True).start()
    step_back(NICENESS)
    if predecessor := settings.CRMSYNC_PREDECESSOR:
        leases.expire(worker=f"{socket.gethostname()}:{predecessor}")
    jobs.sweep()


def _beat_for_ever() -> None:
    """A thread of its own: a worker whose threads are all busy is alive, too."""
    while True:
        try:
            connections.beat(worker=worker_name())
        except DatabaseError:
            logger.warning("No sign of life could be given: the database does not answer.")
            connection.close()
        time.sleep(BEAT_SECONDS)
