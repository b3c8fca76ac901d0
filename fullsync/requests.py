"""The name under which a run asks for its jobs, and the way back from it to the run."""

import re

_NAME = re.compile(r"full synchronization ([1-9][0-9]{0,17})")


def name_of_run(run_id: int) -> str:
    """As it is kept with the job: the same in every language."""
    return f"full synchronization {run_id}"


def run_of_name(requested_by: str) -> int | None:
    """The run that asked; None when it was a person, or another part of the product."""
    found = _NAME.fullmatch(requested_by)
    return int(found.group(1)) if found else None
