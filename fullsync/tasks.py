"""Doors for messages: one service call, nothing else."""

from crmsync.celery import app
from fullsync import services


@app.task(name="fullsync.tasks.advance")
def advance(**_: object) -> None:
    services.advance()
