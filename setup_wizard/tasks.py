"""Doors for messages: one service call, nothing else."""

from crmsync.celery import app
from setup_wizard.guide import progress


@app.task(name="setup_wizard.tasks.forget_expired")
def forget_expired(**_: object) -> None:
    progress.drop_expired()
    progress.drop_abandoned()
