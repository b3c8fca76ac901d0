"""Doors for messages: an id in, one service call, nothing else."""

import os
import socket

from celery.signals import worker_ready
from django.conf import settings

from crmsync.celery import app
from crmsync.connections import services as connections
from crmsync.sync import jobs, leases


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@app.task(name="crmsync.sync.tasks.run_part")
def run_part(*, part_id: int, **_: object) -> None:
    jobs.run_slice(part_id=part_id, worker=worker_name())


@app.task(name="crmsync.sync.tasks.sweep")
def sweep(**_: object) -> None:
    connections.beat(worker=worker_name())
    jobs.sweep()


@worker_ready.connect
def sweep_at_start(**_: object) -> None:
    """A worker that comes up looks at once for what the last one left behind."""
    connections.beat(worker=worker_name())
    if predecessor := settings.CRMSYNC_PREDECESSOR:
        leases.expire(worker=f"{socket.gethostname()}:{predecessor}")
    jobs.sweep()
