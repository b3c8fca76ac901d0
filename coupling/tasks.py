"""Doors for messages: an id in, one service call, nothing else."""

from coupling import runs
from crmsync.celery import app
from crmsync.sync.tasks import worker_name


@app.task(name="coupling.tasks.run_matching")
def run_matching(*, matching_id: int, **_: object) -> None:
    runs.run_matching(matching_id=matching_id, worker=worker_name())


@app.task(name="coupling.tasks.sweep")
def sweep(**_: object) -> None:
    runs.sweep_matchings()
